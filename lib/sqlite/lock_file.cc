#include "sqlite/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string>
#include <string_view>

#include "base/time.h"

namespace rota {
namespace {

constexpr std::size_t kHolderBytesMax = 128;

// "pid 1234, started 2024-…"; empty if the holder has not written that (yet).
std::string holder_of(const OpenFile& file) {
  std::array<char, kHolderBytesMax> bytes{};
  const ssize_t size = ::pread(file.get(), bytes.data(), bytes.size(), 0);
  if (size <= 0) return {};
  std::string text(bytes.data(), static_cast<std::size_t>(size));
  if (!text.ends_with('\n')) return {};
  text.pop_back();
  if (const std::size_t line = text.find('\n'); line != std::string::npos) {
    text.replace(line, 1, ", ");
  }
  return text;
}

// Best effort: if the disk is full, the lock still holds, and a second daemon just cannot say who
// has it.
void write_holder(const OpenFile& file) {
  const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const std::string text = fmt::format("pid {}\nstarted {}\n", ::getpid(), format_iso8601(now));
  if (::ftruncate(file.get(), 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(file.get(), text.data(), text.size(), 0);
}

}  // namespace

Result<LockFile> LockFile::acquire(const std::filesystem::path& database) {
  std::filesystem::path path = database;
  path += ".lock";
  OpenFile file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file.get() < 0) return os_failure(path, "cannot open", errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return os_failure(path, "cannot lock", errno);
    const std::string holder = holder_of(file);
    return fail(ErrorKind::kBusy,
                fmt::format("{} is in use by {}{}", database.string(),
                            holder.empty() ? "another rotad" : "rotad, ", holder));
  }
  write_holder(file);
  return LockFile(std::move(file));
}

}  // namespace rota

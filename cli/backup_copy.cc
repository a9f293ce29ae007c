#include "cli/backup_copy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "settings/write_all.h"
#include "sqlite/files.h"

namespace rota::cli {
namespace {

constexpr std::size_t kPieceBytes = 65'536;

std::unexpected<Error> refused(const std::string& path, int code) {
  return fail(ErrorKind::kIo,
              fmt::format("{}: {}", in_quotes_unless_secret(path), std::strerror(code)));
}

Result<OpenFile> open_source(const std::string& path, std::uint64_t bytes) {
  OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0) {
    return fail(ErrorKind::kInvalid,
                fmt::format("the backup that rotad made cannot be read at {}: {}; run this command "
                            "where rotad's files are, as root or as its user",
                            path, std::strerror(errno)));
  }
  struct stat found{};
  if (::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode) ||
      static_cast<std::uint64_t>(found.st_size) != bytes) {
    return fail(ErrorKind::kInvalid,
                path + " is not the backup that rotad made just now: another one has replaced it");
  }
  return file;
}

Result<void> copy(const OpenFile& in, const OpenFile& out, const std::string& to) {
  std::array<char, kPieceBytes> piece{};
  while (true) {
    const ssize_t got = ::read(in.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused(to, errno);
    if (got == 0) break;
    ROTA_TRY(write_all(out.get(), {piece.data(), static_cast<std::size_t>(got)}));
  }
  if (::fsync(out.get()) != 0) return refused(to, errno);
  return {};
}

}  // namespace

Result<void> take_backup(const std::string& from, std::uint64_t bytes, const std::string& to) {
  ROTA_ASSIGN(const OpenFile in, open_source(from, bytes));
  const std::string part = to + ".part";
  ::unlink(part.c_str());  // an interrupted attempt may have left one
  Result<void> done;
  {
    const OpenFile out(
        ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (out.get() < 0) return refused(to, errno);
    done = copy(in, out, to);
  }
  if (done && std::rename(part.c_str(), to.c_str()) != 0) done = refused(to, errno);
  if (!done) {
    ::unlink(part.c_str());
    return done;
  }
  if (!sync_directory_of(std::filesystem::absolute(to))) return refused(to, EIO);
  ::unlink(from.c_str());
  return {};
}

}  // namespace rota::cli

#include "settings/secret_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "settings/hidden_values.h"

namespace rota {
namespace {

constexpr mode_t kGroupOrOthers = 077;

std::unexpected<Error> refused(ErrorKind kind, const std::string& path, int error) {
  return fail(kind, fmt::format("{}: {}", path, std::generic_category().message(error)));
}

class OpenFile {
 public:
  // Only regular files: a FIFO would block for ever.
  static Result<OpenFile> open(const std::string& path, std::size_t bytes_max);

  OpenFile(OpenFile&& other) noexcept
      : path_(std::move(other.path_)),
        fd_(std::exchange(other.fd_, -1)),
        mode_(other.mode_),
        size_(other.size_) {}
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  mode_t mode() const { return mode_; }
  std::size_t size() const { return size_; }
  // Reads the file into `buffer`, which must be one byte longer than the file, and cuts it to size.
  // The buffer never grows, so no copy of a secret stays in freed memory.
  Result<void> read_into(std::string& buffer);

 private:
  explicit OpenFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  std::string path_;
  int fd_ = -1;
  mode_t mode_ = 0;
  std::size_t size_ = 0;
};

Result<OpenFile> OpenFile::open(const std::string& path, std::size_t bytes_max) {
  OpenFile file(path, ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (file.fd_ < 0) return refused(ErrorKind::kConfig, path, errno);
  struct stat status{};
  if (::fstat(file.fd_, &status) != 0) return refused(ErrorKind::kIo, path, errno);
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorKind::kConfig, fmt::format("{}: is not a regular file", path));
  }
  file.mode_ = status.st_mode;
  file.size_ = static_cast<std::size_t>(status.st_size);
  if (file.size_ > bytes_max) {
    return fail(ErrorKind::kConfig, fmt::format("{}: is larger than {} bytes", path, bytes_max));
  }
  return file;
}

Result<void> OpenFile::read_into(std::string& buffer) {
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::read(fd_, buffer.data() + used, buffer.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return refused(ErrorKind::kIo, path_, errno);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  // Somebody is writing to it: a half-written file must not be used.
  if (used != size_) {
    return fail(ErrorKind::kIo, fmt::format("{}: changed while it was read", path_));
  }
  buffer.resize(used);
  return {};
}

// A string that is wiped on every way out.
class SecretBuffer {
 public:
  explicit SecretBuffer(std::size_t size) : bytes_(size, '\0') {}
  SecretBuffer(const SecretBuffer&) = delete;
  SecretBuffer& operator=(const SecretBuffer&) = delete;
  ~SecretBuffer() { wipe(bytes_); }

  std::string& bytes() { return bytes_; }

 private:
  std::string bytes_;
};

Result<Secret> read_secret_line(OpenFile file, std::string_view path) {
  SecretBuffer buffer(file.size() + 1);
  ROTA_TRY(file.read_into(buffer.bytes()));
  std::string_view line = buffer.bytes();
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) return fail(ErrorKind::kConfig, fmt::format("{}: is empty", path));
  if (!std::ranges::all_of(line, [](char c) { return c > ' ' && c < 0x7f; })) {
    return fail(ErrorKind::kConfig,
                fmt::format("{}: must be one line without spaces or special characters", path));
  }
  return Secret(line);
}

Result<std::vector<std::string>> roster_paths(const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::vector{path};
  std::vector<std::string> paths;
  for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (!is_roster_name(name)) continue;
    if (paths.size() == kRosterFilesMax) {
      return fail(ErrorKind::kConfig, fmt::format("{}: more than {} files", path, kRosterFilesMax));
    }
    paths.push_back(at->path().string());
  }
  if (error) return fail(ErrorKind::kConfig, fmt::format("{}: {}", path, error.message()));
  if (paths.empty()) return fail(ErrorKind::kConfig, fmt::format("{}: has no *.toml file", path));
  std::ranges::sort(paths);
  return paths;
}

std::int64_t nanoseconds(const timespec& time) {
  constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

}  // namespace

Result<std::string> read_small_file(const std::string& path, std::size_t bytes_max) {
  ROTA_ASSIGN(OpenFile file, OpenFile::open(path, bytes_max));
  std::string text(file.size() + 1, '\0');
  ROTA_TRY(file.read_into(text));
  return text;
}

Result<Secret> read_secret_file(const std::string& path) {
  ROTA_ASSIGN(OpenFile file, OpenFile::open(path, kSecretBytesMax));
  if ((file.mode() & kGroupOrOthers) != 0) {
    return fail(
        ErrorKind::kConfig,
        fmt::format(
            "{0}: group or others may access this file (mode {1:04o}); fix it with: chmod 600 {2}",
            path, file.mode() & 07777U, shell_word(path)));
  }
  return read_secret_line(std::move(file), path);
}

Result<Secret> read_credential(std::string_view name, std::string_view key) {
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || *directory == '\0') {
    return fail(ErrorKind::kConfig,
                fmt::format("{0}_credential: $CREDENTIALS_DIRECTORY is not set, so there is no "
                            "credential \"{1}\"; start under systemd, or name a file with {0}_file",
                            key, name));
  }
  const std::string path = fmt::format("{}/{}", directory, name);
  Result<OpenFile> file = OpenFile::open(path, kSecretBytesMax);
  if (!file) {
    return fail(file.error().kind, fmt::format("{0}_credential: {1} (or name a file with {0}_file)",
                                               key, file.error().message));
  }
  return read_secret_line(*std::move(file), path);
}

bool may_be_shown(const SecretSource& source) {
  if (source.file.empty()) {
    // The documented names.
    return source.credential == "app-token" || source.credential == "store-key";
  }
  return may_be_shown(source.file);
}

std::string what_names(const SecretSource& source, std::string_view key) {
  const std::string_view what = source.file.empty() ? "credential" : "file";
  return fmt::format(
      "the {0} that {1}_{0} names (not repeated here, since it may be the secret itself)", what,
      key);
}

Result<Secret> read_secret(const SecretSource& source, std::string_view key) {
  auto read =
      source.file.empty() ? read_credential(source.credential, key) : read_secret_file(source.file);
  if (read || may_be_shown(source)) return read;
  // Whatever the message says, it must not have the value.
  const std::string& value = source.file.empty() ? source.credential : source.file;
  std::string& message = read.error().message;
  for (std::size_t at = message.find(value); at != std::string::npos; at = message.find(value)) {
    message.replace(at, value.size(), "…");
  }
  message = fmt::format("{}: {}", what_names(source, key), message);
  return read;
}

bool is_roster_name(std::string_view name) {
  return !name.starts_with('.') && name.ends_with(".toml");
}

RosterStamp stamp_roster(const std::string& path) {
  RosterStamp stamp;
  for (const std::string& each : roster_paths(path).value_or(std::vector{path})) {
    struct stat status{};
    FileStamp file{.path = each};
    if (::stat(each.c_str(), &status) != 0) {
      file.error = errno;
    } else {
      file.device = status.st_dev;
      file.inode = status.st_ino;
      file.bytes = status.st_size;
      file.written_ns = nanoseconds(status.st_mtim);
      file.changed_ns = nanoseconds(status.st_ctim);
    }
    stamp.push_back(std::move(file));
  }
  return stamp;
}

Result<std::vector<RosterFile>> read_roster(const std::string& path) {
  const RosterStamp before = stamp_roster(path);
  ROTA_ASSIGN(const std::vector<std::string> paths, roster_paths(path));
  std::vector<RosterFile> files;
  std::size_t left = kRosterBytesMax;
  for (const std::string& each : paths) {
    ROTA_ASSIGN(std::string text, read_small_file(each, left));
    left -= text.size();
    files.push_back({each, std::move(text)});
  }
  if (stamp_roster(path) != before) {
    return fail(ErrorKind::kIo, fmt::format("{}: changed while it was read", path));
  }
  return files;
}

}  // namespace rota

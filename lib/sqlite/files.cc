#include "sqlite/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <system_error>

namespace rota {
namespace {

ErrorKind kind_of(int code) {
  if (means_full(code)) return ErrorKind::kFull;
  switch (code) {
    case EACCES:
    case EISDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case ENOENT:
    case ENOTDIR:
    case EPERM:
    case EROFS:
      return ErrorKind::kConfig;
    default:  // plain
      return ErrorKind::kIo;
  }
}

}  // namespace

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::unexpected<Error> os_failure(const std::filesystem::path& path, std::string_view what,
                                  int code) {
  return fail(kind_of(code), fmt::format("{}: {}: {}", path.string(), what,
                                         std::generic_category().message(code)));
}

bool means_full(int code) { return code == ENOSPC || code == EDQUOT || code == EFBIG; }

Result<void> require_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.parent_path();
  struct stat found{};
  if (::stat(folder.c_str(), &found) != 0) {
    return os_failure(folder, "cannot use the folder of the store", errno);
  }
  if (!S_ISDIR(found.st_mode)) {
    return os_failure(folder, "cannot use the folder of the store", ENOTDIR);
  }
  return {};
}

std::optional<FileIdentity> identity_of(const std::filesystem::path& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return FileIdentity{.device = found.st_dev, .inode = found.st_ino};
}

std::optional<FileTrace> trace_of(const std::filesystem::path& path) {
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  const auto since_epoch =
      std::chrono::seconds{found.st_mtim.tv_sec} + std::chrono::nanoseconds{found.st_mtim.tv_nsec};
  return FileTrace{.size = found.st_size,
                   .written_at = WallTime{std::chrono::duration_cast<Duration>(since_epoch)}};
}

Result<void> sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.parent_path();
  const OpenFile opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() < 0 || ::fsync(opened.get()) != 0) {
    return os_failure(folder, "cannot sync the folder", errno);
  }
  return {};
}

}  // namespace rota

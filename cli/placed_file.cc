#include "cli/placed_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "settings/write_all.h"

namespace rota::cli {
namespace {

constexpr mode_t kPermissions = 07777;

std::unexpected<Error> failure(std::string_view path, std::string_view what, int error) {
  const ErrorKind kind = error == ENOSPC || error == EDQUOT ? ErrorKind::kFull : ErrorKind::kIo;
  return fail(kind, fmt::format("{}: {}: {}", path, what, std::generic_category().message(error)));
}

std::string folder_of(std::string_view path) {
  return std::string(path.substr(0, std::max<std::size_t>(path.rfind('/'), 1)));
}
std::string name_of(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }
// In the same folder, so that the name can be changed at once. The same each time, so that nothing
// is left for long if this process is killed.
std::string temporary_name(std::string_view path) {
  return fmt::format(".{}.rota-new", name_of(path));
}

enum class Check { kOnlyOurs, kNoLinks };

// Nobody else may write in `folder`, and, above it, nobody else may replace what leads to it: in a
// folder with the sticky bit, such as /tmp, only the owner of an entry can do that.
Result<void> check_owner(int fd, std::string_view folder, bool is_last, uid_t user) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) return failure(folder, "cannot be looked at", errno);
  if (status.st_uid != 0 && status.st_uid != user) {
    return fail(ErrorKind::kIo,
                fmt::format("{}: belongs to uid {}, who could replace the file; make it root's or "
                            "that of uid {}",
                            folder, status.st_uid, user));
  }
  const bool others_write = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  const bool sticky = !is_last && (status.st_mode & S_ISVTX) != 0;
  if (others_write && !sticky) {
    return fail(ErrorKind::kIo,
                fmt::format("{}: has the mode {:04o}, so that others could replace the file; fix "
                            "it with: chmod go-w {}",
                            folder, status.st_mode & kPermissions, folder));
  }
  return {};
}

// Opens the folder of the path, one part at a time, so that no link is followed.
Result<Descriptor> open_folder(const std::string& path, Check check, uid_t user = ::geteuid()) {
  constexpr int kFlags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  const std::string folder = folder_of(path);
  Descriptor at(::open("/", kFlags));
  if (!at.ok()) return failure("/", "cannot be opened", errno);
  if (check == Check::kOnlyOurs) ROTA_TRY(check_owner(at.get(), "/", folder == "/", user));
  for (std::size_t begin = 1; begin < folder.size();) {
    const std::size_t end = std::min(folder.find('/', begin), folder.size());
    const std::string so_far = folder.substr(0, end);
    Descriptor next(::openat(at.get(), folder.substr(begin, end - begin).c_str(), kFlags));
    if (!next.ok()) {
      struct stat status{};
      if (errno == ENOTDIR && ::lstat(so_far.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
        return fail(ErrorKind::kIo,
                    fmt::format("{}: is a symbolic link, and links are not followed; name the "
                                "folder itself",
                                so_far));
      }
      return failure(so_far, "cannot be opened", errno);
    }
    at = std::move(next);
    if (check == Check::kOnlyOurs)
      ROTA_TRY(check_owner(at.get(), so_far, end == folder.size(), user));
    begin = end + 1;
  }
  return at;
}

// Owner and mode come before the content.
Result<void> fill(int fd, const Place& place, const Secret& content) {
  if (::fchmod(fd, place.mode) != 0) return failure(place.path, "cannot set the mode", errno);
  struct stat status{};
  if (::fstat(fd, &status) != 0) return failure(place.path, "cannot be looked at", errno);
  const bool other = status.st_uid != place.owner || status.st_gid != place.group;
  if (other && ::fchown(fd, place.owner, place.group) != 0) {
    return failure(place.path,
                   fmt::format("cannot give the file to {}:{}", place.owner, place.group), errno);
  }
  if (const auto written = write_all(fd, content.reveal()); !written) {
    return failure(place.path, "cannot be written", errno);
  }
  // Or a power cut could leave an empty file under the name.
  if (::fsync(fd) != 0) return failure(place.path, "cannot be written", errno);
  return {};
}

Result<void> remove_name(int folder, const std::string& name, std::string_view path) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return {};
  return failure(path, "cannot be removed", errno);
}

}  // namespace

Result<void> put(const Place& place, const Secret& content) {
  ROTA_ASSIGN(const Descriptor folder, open_folder(place.path, Check::kOnlyOurs));
  const std::string temporary = temporary_name(place.path);
  ROTA_TRY(remove_name(folder.get(), temporary, place.path));
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Descriptor file(::openat(folder.get(), temporary.c_str(), kFlags, S_IRUSR | S_IWUSR));
  if (!file.ok()) return failure(place.path, "cannot be made", errno);
  auto filled = fill(file.get(), place, content);
  if (filled &&
      ::renameat(folder.get(), temporary.c_str(), folder.get(), name_of(place.path).c_str()) != 0) {
    filled = failure(place.path, "cannot take its name", errno);
  }
  if (!filled) ::unlinkat(folder.get(), temporary.c_str(), 0);
  return filled;
}

bool is_in_place(const Place& place, const Secret& content) {
  const auto folder = open_folder(place.path, Check::kOnlyOurs);
  if (!folder) return false;
  const Descriptor file(::openat(folder->get(), name_of(place.path).c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  if (!file.ok() || ::fstat(file.get(), &status) != 0) return false;
  if (!S_ISREG(status.st_mode) || status.st_uid != place.owner || status.st_gid != place.group ||
      (status.st_mode & kPermissions) != place.mode ||
      static_cast<std::size_t>(status.st_size) != content.size()) {
    return false;
  }
  std::string bytes(content.size(), '\0');
  const ssize_t got = ::read(file.get(), bytes.data(), bytes.size());
  const Secret there = Secret::take(std::move(bytes));
  return got == status.st_size && there == content;
}

Result<void> take_away(const std::string& path) {
  auto folder = open_folder(path, Check::kNoLinks);
  if (!folder) {
    struct stat status{};
    const bool gone = ::lstat(path.c_str(), &status) != 0 && errno == ENOENT;
    return gone ? Result<void>{} : std::unexpected(folder.error());
  }
  ROTA_TRY(remove_name(folder->get(), temporary_name(path), path));
  return remove_name(folder->get(), name_of(path), path);
}

Result<void> check_folder(const std::string& path, uid_t user) {
  ROTA_TRY(open_folder(path, Check::kOnlyOurs, user));
  return {};
}

}  // namespace rota::cli

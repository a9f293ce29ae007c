#include "cli/private_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace rota::cli {
namespace {

constexpr std::string_view kPrefix = "rota-exec-";
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::unexpected<Error> failure(std::string_view what) {
  return fail(ErrorKind::kIo, fmt::format("{}: {}", what, std::strerror(errno)));
}

// The names in a folder. Works in a process that was forked.
std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  const int fd = ::openat(folder, ".", kFolderFlags);
  DIR* const stream = fd < 0 ? nullptr : ::fdopendir(fd);
  if (stream == nullptr) return names;
  while (const dirent* entry = ::readdir(stream)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(stream);
  return names;
}

void remove_folder(int folder, const std::string& path) {
  for (const std::string& name : names_in(folder)) ::unlinkat(folder, name.c_str(), 0);
  ::rmdir(path.c_str());
}

// Where folders in memory can be made; none of a disk, on which a token would stay.
std::optional<std::string> place_in_memory() {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the command has one thread.
  const char* const given = std::getenv("XDG_RUNTIME_DIR");
  for (const char* const place : {given, "/dev/shm"}) {
    struct statfs status{};
    if (place == nullptr || *place != '/' || ::statfs(place, &status) != 0) continue;
    if (status.f_type != TMPFS_MAGIC || ::access(place, W_OK | X_OK) != 0) continue;
    std::error_code error;
    const auto real = std::filesystem::canonical(place, error);
    if (!error) return real.string();
  }
  return std::nullopt;
}

// Removes the folders of this user whose processes are gone.
void remove_abandoned(const std::string& place) {
  const Descriptor in(::open(place.c_str(), kFolderFlags));
  if (!in.ok()) return;
  for (const std::string& name : names_in(in.get())) {
    if (!name.starts_with(kPrefix)) continue;
    const Descriptor folder(::openat(in.get(), name.c_str(), kFolderFlags));
    struct stat status{};
    if (!folder.ok() || ::fstat(folder.get(), &status) != 0) continue;
    if (status.st_uid != ::geteuid() || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) continue;
    remove_folder(folder.get(), fmt::format("{}/{}", place, name));
  }
}

// None: somebody who took it for abandoned was quicker.
std::optional<Descriptor> locked(const std::string& path) {
  Descriptor folder(::open(path.c_str(), kFolderFlags));
  struct stat status{};
  if (!folder.ok() || ::flock(folder.get(), LOCK_EX | LOCK_NB) != 0) return std::nullopt;
  if (::fstat(folder.get(), &status) != 0 || status.st_nlink == 0) return std::nullopt;
  return folder;
}

// What the second process does, until the first one is gone. It is in a session of its own, so that
// no signal of a terminal or to the process group reaches it.
[[noreturn]] void guard(int alive, int folder, const std::string& path) {
  ::setsid();
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGQUIT}) ::signal(number, SIG_IGN);
  // Whoever reads our standard streams to their end does not wait for this process.
  const Descriptor nothing(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (nothing.ok()) ::dup2(nothing.get(), standard);
  }
  char byte = 0;
  while (::read(alive, &byte, 1) < 0 && errno == EINTR) {
  }
  remove_folder(folder, path);
  ::_exit(0);
}

}  // namespace

Result<std::unique_ptr<PrivateFolder>> PrivateFolder::create() {
  const auto place = place_in_memory();
  if (!place) {
    return fail(ErrorKind::kIo,
                "neither $XDG_RUNTIME_DIR nor /dev/shm is a folder in memory to write in");
  }
  remove_abandoned(*place);
  constexpr int kTries = 10;
  for (int i = 0; i < kTries; ++i) {
    std::string path = fmt::format("{}/{}XXXXXX", *place, kPrefix);
    if (::mkdtemp(path.data()) == nullptr) return failure("cannot make a folder for the tokens");
    auto folder = locked(path);
    if (!folder) continue;
    std::unique_ptr<PrivateFolder> made(new PrivateFolder(std::move(path), *std::move(folder)));
    ROTA_TRY(made->start_guard());
    return made;
  }
  return fail(ErrorKind::kIo, fmt::format("{}: others remove our folders", *place));
}

Result<void> PrivateFolder::start_guard() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return failure("cannot make a pipe");
  const Descriptor read(ends[0]);
  alive_ = Descriptor(ends[1]);
  guard_ = ::fork();
  if (guard_ < 0) return failure("cannot start a process");
  if (guard_ > 0) return {};
  alive_.close();
  guard(read.get(), folder_.get(), path_);
}

PrivateFolder::~PrivateFolder() {
  remove_folder(folder_.get(), path_);
  if (guard_ <= 0) return;
  alive_.close();
  while (::waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace rota::cli

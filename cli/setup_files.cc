#include "cli/setup_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>
#include <utility>

namespace rota::cli {
namespace {

constexpr mode_t kUsualFolder = 0755;
constexpr mode_t kOwnerAlone = 0600;

std::unexpected<Error> failure(const std::string& path, std::string_view what) {
  return fail(ErrorKind::kIo,
              fmt::format("{}: cannot {} it: {}", path, what, std::strerror(errno)));
}

std::unexpected<Error> is_a_link(const std::string& path) {
  return fail(ErrorKind::kInvalid,
              fmt::format("{} is a symbolic link, and rota setup follows none below --root", path));
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}
std::string name_in(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

}  // namespace

Places::Places(const std::string& under, const Community& community)
    : root(under.empty() ? "" : std::filesystem::absolute(under).lexically_normal().string()),
      etc(root + community.etc()),
      config(etc + "/rotad.toml"),
      roster(etc + "/roster.toml"),
      credentials(etc + "/credentials"),
      database(root + community.state() + "/rota.db"),
      state(root + community.state()),
      run(root + community.run()),
      drop_ins(root + "/etc/systemd/system/" + community.unit("rotad.service") + ".d"),
      drop_in(drop_ins + "/credentials.conf") {}

std::string Places::credential(std::string_view name, bool encrypted) const {
  return fmt::format("{}/{}{}", credentials, name, encrypted ? ".cred" : "");
}

bool exists(const std::string& path) {
  struct stat found{};
  return ::lstat(path.c_str(), &found) == 0;
}

std::string Tree::link_on_the_way_to(const std::string& path) const {
  if (root_.empty()) return {};
  std::filesystem::path at = root_;
  for (const auto& part : std::filesystem::path(path).lexically_relative(root_)) {
    at /= part;
    struct stat found{};
    if (::lstat(at.c_str(), &found) != 0) return {};
    if (S_ISLNK(found.st_mode)) return at.string();
  }
  return {};
}

// Opens each folder inside the one before it, so that nobody can put a link in between.
Result<Descriptor> Tree::walk(const std::string& path, std::optional<mode_t> make) const {
  const std::string base = root_.empty() ? "/" : root_;
  if (make && !root_.empty()) {
    std::error_code error;
    std::filesystem::create_directories(root_, error);
  }
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  Descriptor at(::open(base.c_str(), kFlags));
  if (at.get() < 0) return failure(base, "open");
  const std::filesystem::path relative = std::filesystem::path(path).lexically_relative(base);
  std::filesystem::path so_far = base;
  for (auto part = relative.begin(); part != relative.end(); ++part) {
    so_far /= *part;
    const int flags = kFlags | (root_.empty() ? 0 : O_NOFOLLOW);
    Descriptor next(::openat(at.get(), part->c_str(), flags));
    if (next.get() < 0 && errno == ENOENT && make) {
      const mode_t mode = std::next(part) == relative.end() ? *make : kUsualFolder;
      if (::mkdirat(at.get(), part->c_str(), mode) != 0) return failure(so_far, "create");
      next = Descriptor(::openat(at.get(), part->c_str(), flags | O_NOFOLLOW));
      if (next.get() < 0) return failure(so_far, "open");
      if (::fchmod(next.get(), mode) != 0) return failure(so_far, "set the mode of");
    }
    if (next.get() < 0) {
      if (!link_on_the_way_to(so_far).empty()) return is_a_link(so_far);
      return failure(so_far, "open");
    }
    at = std::move(next);
  }
  return at;
}

Result<Descriptor> Tree::open_folder(const std::string& path) const {
  return walk(path, std::nullopt);
}

Result<void> Tree::make_folder(const std::string& path, mode_t mode) const {
  ROTA_TRY(walk(path, mode));
  return {};
}

Result<void> Tree::put(const std::string& path, std::string_view bytes, Rights rights,
                       bool replaces) const {
  ROTA_ASSIGN(const Descriptor folder, open_folder(parent_of(path)));
  const std::string name = name_in(path);
  const std::string draft = fmt::format("{}.{:08x}", name, std::random_device{}());
  const Descriptor file(
      ::openat(folder.get(), draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerAlone));
  if (file.get() < 0) return failure(path, "create");
  const auto fill = [&]() -> Result<void> {
    while (!bytes.empty()) {
      const ssize_t sent = ::write(file.get(), bytes.data(), bytes.size());
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return failure(path, "write");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    constexpr auto kAsItIs = static_cast<uid_t>(-1);
    if (rights.group && ::fchown(file.get(), kAsItIs, *rights.group) != 0) {
      return failure(path, "set the group of");
    }
    if (rights.owner && ::fchown(file.get(), *rights.owner, kAsItIs) != 0) {
      return failure(path, "set the owner of");
    }
    if (::fchmod(file.get(), rights.mode) != 0) return failure(path, "set the mode of");
    if (::fsync(file.get()) != 0) return failure(path, "sync");
    if (replaces) {
      if (::renameat(folder.get(), draft.c_str(), folder.get(), name.c_str()) == 0) return {};
      return failure(path, "replace");
    }
    if (::linkat(folder.get(), draft.c_str(), folder.get(), name.c_str(), 0) == 0) return {};
    if (errno == EEXIST) return fail(ErrorKind::kBusy, path + " already exists");
    return failure(path, "create");
  };
  auto done = fill();
  if (!done || !replaces) ::unlinkat(folder.get(), draft.c_str(), 0);
  if (done) ::fsync(folder.get());
  return done;
}

Result<void> Tree::write_new(const std::string& path, std::string_view bytes, Rights rights) const {
  return put(path, bytes, rights, false);
}

Result<void> Tree::replace(const std::string& path, std::string_view bytes, Rights rights) const {
  return put(path, bytes, rights, true);
}

Result<void> Tree::restrict_to(const std::string& path, Rights rights) const {
  ROTA_ASSIGN(const Descriptor folder, open_folder(parent_of(path)));
  const Descriptor file(::openat(folder.get(), name_in(path).c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 && errno == ELOOP) return is_a_link(path);
  if (file.get() < 0) return failure(path, "open");
  struct stat found{};
  if (::fstat(file.get(), &found) != 0) return failure(path, "inspect");
  if (!S_ISREG(found.st_mode)) return fail(ErrorKind::kInvalid, path + " is not a regular file");
  if (found.st_nlink > 1) return fail(ErrorKind::kInvalid, path + " has more than one hard link");
  if (rights.group && ::fchown(file.get(), static_cast<uid_t>(-1), *rights.group) != 0) {
    return failure(path, "set the group of");
  }
  if (::fchmod(file.get(), rights.mode) != 0) return failure(path, "set the mode of");
  return {};
}

}  // namespace rota::cli

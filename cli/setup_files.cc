#include "cli/setup_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace rota::cli {
namespace {

std::unexpected<Error> failure(const std::string& path, std::string_view what) {
  return fail(ErrorKind::kIo,
              fmt::format("{}: cannot {} it: {}", path, what, std::strerror(errno)));
}

// Made beside the file that it is to become, and gone with this object unless it became that.
class Draft {
 public:
  static Result<Draft> write(const std::string& path, std::string_view bytes, mode_t mode) {
    Draft draft(path + ".XXXXXX");
    draft.fd_ = ::mkostemp(draft.path_.data(), O_CLOEXEC);
    if (draft.fd_ < 0) return failure(path, "create");
    while (!bytes.empty()) {
      const ssize_t sent = ::write(draft.fd_, bytes.data(), bytes.size());
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0) return failure(path, "write");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    if (::fchmod(draft.fd_, mode) != 0) return failure(path, "set the mode of");
    if (::fsync(draft.fd_) != 0) return failure(path, "sync");
    return draft;
  }
  Draft(Draft&& other) noexcept
      : path_(std::exchange(other.path_, {})), fd_(std::exchange(other.fd_, -1)) {}
  Draft& operator=(Draft&&) = delete;
  ~Draft() {
    if (fd_ >= 0) ::close(fd_);
    if (!path_.empty()) ::unlink(path_.c_str());
  }

  const std::string& path() const { return path_; }
  void became_it() { path_.clear(); }

 private:
  explicit Draft(std::string path) : path_(std::move(path)) {}

  std::string path_;
  int fd_ = -1;
};

void sync_folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

}  // namespace

Places::Places(const std::string& under)
    : root(under.empty() ? "" : std::filesystem::absolute(under).lexically_normal().string()),
      etc(root + "/etc/rota"),
      config(etc + "/rotad.toml"),
      roster(etc + "/roster.toml"),
      credentials(etc + "/credentials"),
      database(root + "/var/lib/rota/rota.db"),
      state(root + "/var/lib/rota"),
      run(root + "/run/rota"),
      drop_ins(root + "/etc/systemd/system/rotad.service.d"),
      drop_in(drop_ins + "/credentials.conf") {}

std::string Places::credential(std::string_view name, bool encrypted) const {
  return fmt::format("{}/{}{}", credentials, name, encrypted ? ".cred" : "");
}

bool exists(const std::string& path) {
  struct stat found{};
  return ::lstat(path.c_str(), &found) == 0;
}

Result<void> make_folder(const std::string& path, mode_t mode) {
  std::error_code error;
  const std::filesystem::path above = std::filesystem::path(path).parent_path();
  if (!above.empty() && !std::filesystem::exists(above, error)) {
    constexpr mode_t kUsual = 0755;
    ROTA_TRY(make_folder(above, kUsual));
  }
  if (::mkdir(path.c_str(), mode) == 0) {
    return ::chmod(path.c_str(), mode) == 0 ? Result<void>{} : failure(path, "set the mode of");
  }
  return errno == EEXIST ? Result<void>{} : failure(path, "create");
}

Result<void> write_new(const std::string& path, std::string_view bytes, mode_t mode) {
  ROTA_ASSIGN(const Draft draft, Draft::write(path, bytes, mode));
  if (::link(draft.path().c_str(), path.c_str()) != 0) {
    if (errno == EEXIST) return fail(ErrorKind::kBusy, path + " is there already");
    return failure(path, "create");
  }
  sync_folder_of(path);
  return {};
}

Result<void> replace(const std::string& path, std::string_view bytes, mode_t mode) {
  ROTA_ASSIGN(Draft draft, Draft::write(path, bytes, mode));
  if (::rename(draft.path().c_str(), path.c_str()) != 0) return failure(path, "replace");
  draft.became_it();
  sync_folder_of(path);
  return {};
}

}  // namespace rota::cli

#include "cli/doctor_credentials.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/text.h"
#include "settings/secret_files.h"

namespace rota::cli {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kModeBits = 07777;
constexpr mode_t kOthersBits = S_IRWXG | S_IRWXO;

// By --credentials, or by a --config of another place.
std::string folder_told(const Places& places, const std::string& config,
                        const std::string& folder) {
  if (!folder.empty() || config.empty()) return folder;
  const fs::path path = fs::absolute(config).lexically_normal();
  return path == places.config ? "" : (path.parent_path() / "credentials").string();
}

// Does not repeat a value that may be the secret itself.
std::string shown(const SecretSource& source, const std::string& path, std::string_view key) {
  return may_be_shown(source) ? path : what_names(source, key);
}

}  // namespace

Credentials::Credentials(const Places& places, const std::string& config, const std::string& folder)
    : places_(places), folder_(folder_told(places, config, folder)) {}

std::string Credentials::path(const std::string& name) const {
  return folder_.empty() ? places_.credential(name, false) : fmt::format("{}/{}", folder_, name);
}

Finding Credentials::look_at(const std::string& key, const SecretSource& source,
                             std::string& checked) const {
  checked.clear();
  const bool by_name = source.file.empty();
  std::string file = by_name ? path(source.credential) : source.file;
  if (by_name && folder_.empty()) {
    const std::string sealed = places_.credential(source.credential, true);
    const bool is_sealed = exists(places_.drop_in);
    if (!is_sealed && !exists(file) && exists(sealed)) {
      return wrong("credential",
                   fmt::format("{} exists, but {} does not, so systemd does not decrypt it", sealed,
                               places_.drop_in),
                   "rota setup --encrypted");
    }
    if (is_sealed) file = sealed;
  }
  struct stat found{};
  if (::stat(file.c_str(), &found) != 0) {
    const int error = errno;
    if (error == EACCES) {
      return note("credential", shown(source, file, key) + " cannot be accessed by this user",
                  "run as root");
    }
    return wrong(
        "credential", fmt::format("{}: {}", shown(source, file, key), std::strerror(error)),
        by_name && !folder_.empty() ? "if it is somewhere else: rota doctor --credentials DIR"
        : key == "key" ? "restore the store key; rota setup creates one for a new database"
                       : "run rota setup: it asks for the app token");
  }
  if ((found.st_mode & kOthersBits) != 0) {
    return wrong(
        "credential",
        fmt::format("{} can be read by others (mode {:04o})", file, found.st_mode & kModeBits),
        fmt::format("chmod 600 {}; whoever has read it knows the secret", shell_word(file)));
  }
  if (found.st_size == 0) return wrong("credential", file + " is empty", "rota setup");
  checked = file;
  return good("credential", fmt::format("{} (mode {:04o})", file, found.st_mode & kModeBits));
}

}  // namespace rota::cli

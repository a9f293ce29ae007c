#include "settings/store_key.h"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "settings/own_path.h"
#include "settings/secret_files.h"
#include "sqlite/sealer.h"

namespace rota {

void find_credentials(const std::string& config_path, const Settings& settings) {
  if (std::getenv("CREDENTIALS_DIRECTORY") != nullptr || settings.store.key.credential.empty()) {
    return;
  }
  const auto folder = std::filesystem::absolute(config_path).parent_path() / "credentials";
  if (::access((folder / settings.store.key.credential).c_str(), R_OK) != 0) return;
  ::setenv("CREDENTIALS_DIRECTORY", folder.c_str(), 1);
}

Result<void> check_place(const SecretSource& source, std::string_view key,
                         std::optional<uid_t> service) {
  std::string path = source.file;
  if (path.empty()) {
    const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
    if (folder == nullptr) return {};  // read_secret() says so
    path = fmt::format("{}/{}", folder, source.credential);
  }
  auto checked = check_only_ours(path, service);
  if (!checked && !may_be_shown(source)) {
    checked.error().message =
        what_names(source, key) + ": others can write to it or to a folder above it";
  }
  return checked;
}

Result<Secret> read_store_key(const Settings& settings, std::optional<uid_t> service) {
  ROTA_TRY(check_place(settings.store.key, "key", service));
  auto text = read_secret(settings.store.key, "key");
  if (!text) {
    text.error().message += "; `rotad keygen` prints a new key";
    return std::unexpected(std::move(text).error());
  }
  return parse_store_key(text->reveal());
}

namespace {

// Of the database, or else of its folder; false if there is neither.
bool look_at(const std::string& path, struct stat& found) {
  return ::stat(path.c_str(), &found) == 0 ||
         ::stat(std::filesystem::absolute(path).parent_path().c_str(), &found) == 0;
}

}  // namespace

std::optional<uid_t> owner_of_database(const std::string& path) {
  struct stat found{};
  if (!look_at(path, found)) return std::nullopt;
  return found.st_uid;
}

Result<AsOwner> AsOwner::of(const std::string& path) {
  if (::geteuid() != 0) return AsOwner(false);
  struct stat found{};
  if (!look_at(path, found)) {
    return fail(ErrorKind::kConfig,
                fmt::format("the folder of {}: {}", path, std::strerror(errno)));
  }
  if (found.st_uid == 0) return AsOwner(false);
  if (::setgroups(0, nullptr) != 0 || ::setegid(found.st_gid) != 0 ||
      ::seteuid(found.st_uid) != 0) {
    return fail(ErrorKind::kIo, fmt::format("{}: cannot act as the user that owns it: {}", path,
                                            std::strerror(errno)));
  }
  return AsOwner(true);
}

// The supplementary groups stay away: root needs none.
AsOwner::~AsOwner() {
  if (switched_) ROTA_CHECK(::seteuid(0) == 0 && ::setegid(0) == 0);
}

}  // namespace rota

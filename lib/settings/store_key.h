#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "base/secret.h"
#include "settings/settings.h"

namespace rota {

// The store key and the rights to the database: what the daemon and `rota` share to open it. All
// block on the disk.

// For a program outside the service: the credentials are where the unit loads them from, beside the
// configuration. Sets $CREDENTIALS_DIRECTORY, unless that is set or there is no such credential.
void find_credentials(const std::string& config_path, const Settings& settings);

// Checks that nobody else can replace the secret. `key` as for read_secret(), `service` as for
// check_only_ours().
Result<void> check_place(const SecretSource& source, std::string_view key,
                         std::optional<uid_t> service = {});

// The store key, from its credential or its file. kConfig: it cannot be read, or is none.
Result<Secret> read_store_key(const Settings& settings, std::optional<uid_t> service = {});

// The user that owns the database at `path`, or its folder if there is none; nullopt if there is
// neither.
std::optional<uid_t> owner_of_database(const std::string& path);

// While it lives, root acts as the user that owns a database, so that files that SQLite creates
// beside it belong to the daemon, and nobody but that user can be hurt by links in its folder. Not
// for a process with threads that need other rights meanwhile.
class AsOwner {
 public:
  // The owner of the database at `path`, or of its folder if there is none. Changes nothing unless
  // this process is root's. kConfig: there is no folder. kIo: the system refused.
  static Result<AsOwner> of(const std::string& path);
  AsOwner(AsOwner&& other) noexcept : switched_(std::exchange(other.switched_, false)) {}
  AsOwner& operator=(AsOwner&&) = delete;
  ~AsOwner();

 private:
  explicit AsOwner(bool switched) : switched_(switched) {}
  bool switched_;
};

}  // namespace rota

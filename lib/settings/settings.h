#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "model/audit.h"
#include "model/member_key.h"
#include "plan/policy.h"

namespace rota {

// Where a secret is read from: exactly one of the two is not empty.
struct SecretSource {
  std::string credential;  // a name in $CREDENTIALS_DIRECTORY
  std::string file;        // a path

  bool operator==(const SecretSource&) const = default;
};

struct UpstreamSettings {
  std::string base_url = "https://app.circle.so";  // without a slash at its end
  SecretSource app_token{.credential = "app-token", .file = {}};
  Duration connect_timeout = std::chrono::seconds{5};
  Duration request_timeout = std::chrono::seconds{15};
  std::string ca_file;  // empty: the system's store

  bool operator==(const UpstreamSettings&) const = default;
};

struct RosterSettings {
  std::string path = "/etc/rota/roster.toml";  // a file, or a directory of *.toml
  bool watch = true;

  bool operator==(const RosterSettings&) const = default;
};

struct StoreSettings {
  std::string path = "/var/lib/rota/rota.db";
  SecretSource key{.credential = "store-key", .file = {}};

  bool operator==(const StoreSettings&) const = default;
};

// A numeric address; names are not resolved.
struct ListenAddress {
  std::string host;  // IPv6 without its brackets
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

struct ServeSettings {
  std::string token_socket = "/run/rota/token.sock";
  std::string admin_socket = "/run/rota/admin.sock";  // always 0600
  std::uint32_t token_socket_mode = 0660;
  std::string token_socket_group;  // empty: the daemon's own
  std::size_t max_connections = 1'024;
  std::size_t max_connections_per_uid = 256;
  std::optional<ListenAddress> metrics_listen;  // none: no TCP at all

  bool operator==(const ServeSettings&) const = default;
};

// One [[grant]], as written: who may fetch the tokens of which members. accounts.h looks up the
// holder's id.
struct GrantSettings {
  enum class Holder { kUser, kGroup };

  Holder holder = Holder::kUser;
  std::string name;          // of the user or group; or its id, in decimal
  std::string where;         // "file:line:column: grant 1: user", for messages
  bool all_members = false;  // "*"
  std::vector<std::string> tags;
  std::vector<MemberKey> members;

  bool operator==(const GrantSettings&) const = default;
};

// In order of severity. A level lets through itself and those after it.
enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

// rotad.toml, with the documented defaults. A plain value. `policy` has everything that the
// rotation is planned by: the keys of [rotation], and some of [upstream] and [roster].
struct Settings {
  UpstreamSettings upstream;
  RosterSettings roster;
  StoreSettings store;
  AuditBounds audit;
  ServeSettings serve;
  std::vector<GrantSettings> grants;
  LogLevel log_level = LogLevel::kInfo;
  Policy policy;
};

// Reads the text of a configuration; messages call the file `name`. Pure. kConfig: the text is not
// TOML, or has an unknown key or a bad value. The message is one line with file, line, column and
// key, and never repeats a value that may be a secret.
Result<Settings> parse_settings(std::string_view name, std::string_view text);

// Reads the file (read_small_file() has the errors) and parses it. Blocks on the disk.
Result<Settings> load_settings(const std::string& path);

}  // namespace rota

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

// A numeric address: resolving a name is not a listener's business.
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

// One [[grant]]: whom a token may be given to. find_grantees() of accounts.h resolves the names.
struct GrantSettings {
  enum class Holder { kUser, kGroup };

  Holder holder = Holder::kUser;
  std::string name;          // or a number
  std::string where;         // "file:line:column: grant 1: user", for messages
  bool all_members = false;  // "*"
  std::vector<std::string> tags;
  std::vector<MemberKey> members;

  bool operator==(const GrantSettings&) const = default;
};

// In the order of severity.
enum class LogLevel { kDebug, kInfo, kWarn, kError, kOff };

// rotad.toml, with the documented defaults. What rotation runs by is in `policy`.
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

// Reads the text of a configuration; `name` is the file's, for messages. Pure. Every error is
// kConfig, one line with file, line, column and key; none repeats the value of a key that leads to
// a secret.
Result<Settings> parse_settings(std::string_view name, std::string_view text);

// Reads the file and parses it.
Result<Settings> load_settings(const std::string& path);

}  // namespace rota

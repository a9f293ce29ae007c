#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/rights.h"
#include "base/result.h"
#include "base/time.h"
#include "base/token_digest.h"
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

// Where a budget_group that is no path has its file. systemd makes it for each rotad.
inline constexpr const char* kBudgetFolder = "/var/lib/rota-budget";

struct UpstreamSettings {
  std::string base_url = "https://app.circle.so";  // without a slash at its end
  SecretSource app_token{.credential = "app-token", .file = {}};
  Duration connect_timeout = std::chrono::seconds{5};
  Duration request_timeout = std::chrono::seconds{15};
  std::string ca_file;  // empty: the system's store
  // budget_group as the path of the group's file; empty: the budget is this daemon's alone.
  std::string budget_file{};

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

// One [[client]]: a program that has no user of its own here, and shows a bearer token instead. In
// rotad.toml, or in a file of the folder clients.d beside it.
struct ClientSettings {
  std::string name;                 // see is_client_name()
  std::vector<TokenDigest> tokens;  // any of them will do: two during a rotation
  std::string where{};              // "file:line:column: client 1", for messages

  bool operator==(const ClientSettings&) const = default;
};
// 1 to 64 letters, digits, ".", "-" and "_", of which the first is a letter or digit. So a name can
// be a file's name and a metric's label. What looks like a client's token is no name.
bool is_client_name(std::string_view text);

// One [[listener]]: a socket for clients with a bearer token. Either `address` or `path` is given.
struct ListenerSettings {
  std::optional<ListenAddress> address;  // of the loopback interface
  std::string path;
  std::uint32_t mode = 0666;  // of the file at `path`

  bool operator==(const ListenerSettings&) const = default;
};

// One [[grant]], as written: who may do what with which members. accounts.h looks up the holder's
// id.
struct GrantSettings {
  enum class Holder { kUser, kGroup, kClient };

  Holder holder = Holder::kUser;
  std::string name;   // of the user, group or client; for the first two also a decimal id
  std::string where;  // "file:line:column: grant 1: user", for messages
  Rights may{Right::kFetch};
  std::vector<std::string> enrol_tags{};
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
  std::vector<ListenerSettings> listeners;
  std::vector<ClientSettings> clients;
  std::vector<GrantSettings> grants;
  LogLevel log_level = LogLevel::kInfo;
  Policy policy;
};

// Reads the text of a configuration; messages call the file `name`. Pure. kConfig: the text is not
// TOML, or has an unknown key or a bad value. The message is one line with file, line, column and
// key, and never repeats a value that may be a secret.
Result<Settings> parse_settings(std::string_view name, std::string_view text);

// Reads the file (read_small_file() has the errors) and parses it, and adds the clients of the
// folder clients.d beside it, if there is one. Blocks on the disk.
Result<Settings> load_settings(const std::string& path);

// The grants and clients of a file that is TOML but may have errors in it. A grant or client that
// has an error is left out. So they are good only for taking away what the file no longer has; two
// clients may have one name, or one token.
struct GoodRights {
  std::vector<GrantSettings> grants;
  std::vector<ClientSettings> clients;
};
// Of a configuration, or of a file of client_files(). Pure. kConfig: the text is not TOML.
Result<GoodRights> parse_good_rights(std::string_view name, std::string_view text);
// Reads the file first; read_small_file() has the errors. Blocks on the disk.
Result<GoodRights> load_good_rights(const std::string& path);

// The *.toml files of the folder clients.d beside the configuration, in the order of their names;
// none if there is no such folder. They have [[client]] sections only. kConfig: the folder cannot
// be read, or has too many files. Blocks on the disk.
Result<std::vector<std::string>> client_files(const std::string& config_path);
std::string client_folder(const std::string& config_path);

// One line for each grant to a client that does not exist. Such a grant is no error, since
// otherwise nobody could remove a client before its grants; but it has no effect.
std::vector<std::string> grants_without_client(const Settings& settings);

}  // namespace rota

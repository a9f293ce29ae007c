#pragma once

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/caller.h"
#include "e2e/process.h"
#include "e2e/wire.h"
#include "support/temp_directory.h"

namespace rota::e2e {

inline constexpr std::string_view kAppToken = "app-token-of-the-community";

// A rota-sandbox with five members or as many as its options say, and what its ledger says.
class Sandbox {
 public:
  explicit Sandbox(const std::filesystem::path& folder, std::vector<std::string> options = {});

  std::string url() const;
  Reply control(std::string_view request) const;
  boost::json::object stats() const;
  void faults(std::string_view json_list) const;
  std::string state_of(std::string_view token) const;  // "live", "expired", "revoked", "unknown"
  // Tokens of a member in one state; kind "" for both.
  std::vector<std::string> tokens(int member, std::string_view kind, std::string_view state) const;
  std::int64_t calls() const;
  std::vector<std::string> all_tokens() const;  // that it ever made
  Process& process() { return *process_; }

 private:
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
};

// A rotad in a folder of its own: configuration, roster, secrets, sockets and state.
class Daemon {
 public:
  explicit Daemon(const std::filesystem::path& folder);

  // What the configuration says; change it before start().
  std::string base_url;
  std::map<std::string, std::string> rotation{{"refresh_ahead", "\"4s\""}};
  std::map<std::string, std::string> upstream{{"request_timeout", "\"3s\""}};
  std::map<std::string, std::string> roster_options;  // "path" in the place of roster_path(), too
  std::map<std::string, std::string> serve;
  std::string log_level = "debug";
  std::string extra;  // more of the configuration, as it stands
  // A user without any capability in the place of the test's own; its files become that user's.
  std::optional<Caller> runs_as;
  std::string long_socket;              // a token socket in the place of the usual one
  std::filesystem::path database_path;  // in the place of the usual one
  std::filesystem::path database() const {
    return database_path.empty() ? folder_ / "state" / "rota.db" : database_path;
  }
  std::filesystem::path token_socket() const { return folder_ / "token.sock"; }
  std::filesystem::path admin_socket() const { return folder_ / "admin.sock"; }
  // Whether its log has the text, or comes to: a thread of its own writes it.
  bool comes_to_say(std::string_view text, int times = 1);
  std::filesystem::path roster_path() const { return folder_ / "roster.toml"; }
  std::filesystem::path config_path() const { return folder_ / "rotad.toml"; }
  const std::filesystem::path& folder() const { return folder_; }

  void write_config() const;
  void write_roster(std::string_view toml) const;
  void launch(const std::vector<int>& inherit = {}, std::string_view shell_prefix = {});
  bool start();  // launch, and wait for READY=1
  bool wait_for_notice(std::string_view text);
  void kill9();
  int stop();
  // The logs of all its lives at level debug, all files of its state, and, while it runs, what its
  // admin socket shows, the audit trail included.
  std::vector<std::string> all_that_it_wrote();
  std::vector<std::string> audit_trail();  // its pages; none when it does not run
  Process& process() { return *process_; }
  const std::string& notices() const { return notices_; }

  Reply fetch(std::string_view query) const;        // GET /v1/token?query
  std::string token(std::string_view query) const;  // "" unless 200
  Reply admin(std::string_view request) const;
  boost::json::object member(std::string_view key) const;
  Finished cli(std::vector<std::string> arguments) const;
  Finished daemon_command(std::vector<std::string> arguments) const;

 private:
  std::map<std::string, std::string> environment() const;
  void read_notices();
  std::vector<std::string> unprivileged(const std::vector<std::string>& command) const;

  std::filesystem::path folder_;
  std::unique_ptr<Process> process_;
  int notify_fd_ = -1;
  std::string notices_;
  int starts_ = 0;
  std::unique_ptr<int, void (*)(int*)> close_notify_;
};

// The usual pair: a sandbox, and a daemon with members 1 by id, 2 by email, 3 by SSO id.
inline constexpr std::string_view kThreeMembers = R"([[member]]
community_member_id = 1
name = "Ada"

[[member]]
email = "member2@example.com"

[[member]]
sso_user_id = "sso|3"
)";

class Box {
 public:
  explicit Box(std::vector<std::string> sandbox_options = {"--access-ttl", "8s", "--refresh-ttl",
                                                           "10m"})
      : sandbox(folder.path(), std::move(sandbox_options)), daemon(folder.path() / "d") {
    daemon.base_url = sandbox.url();
    daemon.write_roster(kThreeMembers);
  }
  ~Box();  // P10: whatever a test did, no token is in a log, a report or the state directory
  testing::TempDirectory folder;
  Sandbox sandbox;
  Daemon daemon;
};

}  // namespace rota::e2e

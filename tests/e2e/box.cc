#include "e2e/box.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/fingerprint.h"

namespace rota::e2e {
namespace {

void write(const std::filesystem::path& path, std::string_view text) {
  // Beside it first, so that a watcher never sees half of it.
  const std::string next = path.string() + ".next";
  std::ofstream(next, std::ios::binary) << text;
  ::chmod(next.c_str(), S_IRUSR | S_IWUSR);
  std::filesystem::rename(next, path);
}

std::string section(std::string_view name, const std::map<std::string, std::string>& keys) {
  std::string text = fmt::format("[{}]\n", name);
  for (const auto& [key, value] : keys) text += fmt::format("{} = {}\n", key, value);
  return text;
}

}  // namespace

Sandbox::Sandbox(const std::filesystem::path& folder, std::vector<std::string> options) {
  std::vector<std::string> command{ROTA_SANDBOX, "--port", "0", "--app-token",
                                   std::string(kAppToken)};
  if (std::ranges::find(options, "--members") == options.end()) {
    command.insert(command.end(), {"--members", "5"});
  }
  command.insert(command.end(), options.begin(), options.end());
  process_ = std::make_unique<Process>(command, folder / "sandbox.out");
  const std::string before = "http://127.0.0.1:";
  const bool listens = eventually([&] {
    const std::string said = process_->output();
    const auto at = said.find(before);
    if (at == std::string::npos || said.find('\n', at) == std::string::npos) return false;
    port_ = static_cast<std::uint16_t>(std::stoi(said.substr(at + before.size())));
    return true;
  });
  EXPECT_TRUE(listens) << process_->output();
}

std::string Sandbox::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

Reply Sandbox::control(std::string_view request) const {
  Connection connection = Connection::to_port(port_);
  connection.send(request);
  return connection.read_reply();
}

boost::json::object Sandbox::stats() const { return control(get("/_sandbox/stats")).json(); }

void Sandbox::faults(std::string_view json_list) const {
  EXPECT_EQ(control(post("/_sandbox/faults", json_list)).status, 200);
}

std::string Sandbox::state_of(std::string_view token) const {
  return control(get(fmt::format("/_sandbox/check?token={}", token))).text("state");
}

std::vector<std::string> Sandbox::tokens(int member, std::string_view kind,
                                         std::string_view state) const {
  const auto ledger =
      control(get(fmt::format("/_sandbox/ledger?community_member_id={}", member))).json();
  std::vector<std::string> found;
  for (const auto& each : ledger.at("tokens").as_array()) {
    const auto& token = each.as_object();
    if (!kind.empty() && token.at("kind").as_string() != kind) continue;
    if (token.at("state").as_string() == state) found.emplace_back(token.at("token").as_string());
  }
  return found;
}

std::int64_t Sandbox::calls() const { return stats().at("calls_total").to_number<std::int64_t>(); }

std::vector<std::string> Sandbox::all_tokens() const {
  std::vector<std::string> all;
  const auto ledger = control(get("/_sandbox/ledger")).json();
  for (const auto& token : ledger.at("tokens").as_array()) {
    all.emplace_back(token.as_object().at("token").as_string());
  }
  return all;
}

Box::~Box() {
  if (!sandbox.process().running()) return;  // and nobody knows what it made
  std::vector<std::string> secrets = sandbox.all_tokens();
  std::vector<std::string> hashes;
  for (const std::string& token : secrets) {
    hashes.push_back(format_fingerprint(fingerprint_of(token)));
  }
  for (const std::string& text : daemon.audit_trail()) {
    for (const std::string& hash : hashes) {
      if (text.find(hash) == std::string::npos) continue;
      ADD_FAILURE() << "P10: a token's own hash is on the audit trail: " << text.substr(0, 4'000);
      return;
    }
  }
  secrets.emplace_back(kAppToken);
  for (const std::string& text : daemon.all_that_it_wrote()) {
    for (const std::string& secret : secrets) {
      if (text.find(secret) == std::string::npos) continue;
      ADD_FAILURE() << "P10: a token is in clear in: " << text.substr(0, 4'000);
      return;
    }
  }
}

Daemon::Daemon(const std::filesystem::path& folder)
    : folder_(folder), close_notify_(&notify_fd_, [](int* fd) {
        if (*fd >= 0) ::close(*fd);
      }) {
  std::filesystem::create_directories(folder_ / "credentials");
  std::filesystem::create_directories(folder_ / "state");
  for (const auto* name : {"", "credentials", "state"}) {
    std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
  }
  write(folder_ / "credentials" / "app-token", std::string(kAppToken) + "\n");
  write(folder_ / "credentials" / "store-key", std::string(64, 'a') + "\n");

  notify_fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, (folder_ / "notify").c_str(), sizeof address.sun_path - 1);
  EXPECT_EQ(::bind(notify_fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
}

void Daemon::write_config() const {
  auto rotation_keys = rotation;
  auto upstream_keys = upstream;
  auto roster_keys = roster_options;
  auto serve_keys = serve;
  upstream_keys.emplace("base_url", fmt::format("\"{}\"", base_url));
  roster_keys.emplace("path", fmt::format("\"{}\"", roster_path().string()));
  serve_keys.emplace(
      "token_socket",
      fmt::format("\"{}\"", long_socket.empty() ? token_socket().string() : long_socket));
  serve_keys.emplace("admin_socket", fmt::format("\"{}\"", admin_socket().string()));
  write(config_path(),
        section("upstream", upstream_keys) + section("rotation", rotation_keys) +
            section("roster", roster_keys) +
            section("store", {{"path", fmt::format("\"{}\"", database().string())}}) +
            section("serve", serve_keys) +
            section("log", {{"level", fmt::format("\"{}\"", log_level)}}) + extra);
}

void Daemon::write_roster(std::string_view toml) const {
  write(roster_path(), toml);
  if (runs_as) EXPECT_EQ(::lchown(roster_path().c_str(), runs_as->uid, runs_as->gid), 0);
}

bool Daemon::comes_to_say(std::string_view text, int times) {
  return eventually([&] {
    const std::string log = process().output();
    int found = 0;
    for (auto at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++found;
    return found >= times;
  });
}

std::map<std::string, std::string> Daemon::environment() const {
  return {{"CREDENTIALS_DIRECTORY", (folder_ / "credentials").string()},
          {"NOTIFY_SOCKET", (folder_ / "notify").string()}};
}

void Daemon::launch(const std::vector<int>& inherit, std::string_view shell_prefix) {
  process_.reset();
  read_notices();
  notices_.clear();  // what the last life said
  std::vector<std::string> command{ROTAD, "--config", config_path().string()};
  if (!shell_prefix.empty()) {
    command = {"/bin/sh", "-c",
               fmt::format("{} exec {} --config {}", shell_prefix, ROTAD, config_path().string())};
  }
  if (runs_as) command = unprivileged(command);
  // Each life has a log of its own, so that none is lost.
  process_ = std::make_unique<Process>(
      std::move(command), folder_ / fmt::format("rotad.{}.log", ++starts_),
      Process::Options{.environment = environment(), .inherit = inherit});
}

std::vector<std::string> Daemon::unprivileged(const std::vector<std::string>& command) const {
  std::vector<std::filesystem::path> paths{folder_};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    paths.push_back(entry.path());
  }
  for (const auto& path : paths) {
    EXPECT_EQ(::lchown(path.c_str(), runs_as->uid, runs_as->gid), 0)
        << path << ": giving files to another user needs root";
  }
  std::vector<std::string> all{"--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"};
  all.insert(all.end(), command.begin(), command.end());
  return runs_as->command(all);
}

bool Daemon::start() {
  write_config();
  launch();
  const bool ready = wait_for_notice("READY=1");
  EXPECT_TRUE(ready) << process_->output();
  return ready;
}

void Daemon::read_notices() {
  std::array<char, 4'096> buffer{};
  pollfd readable{.fd = notify_fd_, .events = POLLIN, .revents = 0};
  while (::poll(&readable, 1, 0) > 0) {
    const auto got = ::recv(notify_fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    notices_.append(buffer.data(), static_cast<std::size_t>(got)).append("\n");
  }
}

bool Daemon::wait_for_notice(std::string_view text) {
  return eventually([&] {
           read_notices();
           return notices_.find(text) != std::string::npos || !process_->running();
         }) &&
         notices_.find(text) != std::string::npos;
}

void Daemon::kill9() { EXPECT_EQ(process_->kill_and_wait(SIGKILL), -SIGKILL); }

// A service manager reads what it is told: a daemon that has told much would wait for it.
int Daemon::stop() {
  process_->signal(SIGTERM);
  eventually([&] {
    read_notices();
    return !process_->running();
  });
  return process_->wait();
}

std::vector<std::string> Daemon::audit_trail() {
  std::vector<std::string> pages;
  if (!process_ || !process_->running() || !std::filesystem::exists(admin_socket())) return pages;
  for (std::string after = "0"; after != "null";) {
    const Reply page = admin(get(fmt::format("/v1/audit?limit=1000&after={}", after)));
    if (page.status != 200) break;
    pages.push_back(page.body);
    after = boost::json::serialize(page.json().at("next"));
  }
  return pages;
}

std::vector<std::string> Daemon::all_that_it_wrote() {
  std::vector<std::string> texts;
  if (process_ && process_->running() && std::filesystem::exists(admin_socket())) {
    for (const char* path : {"/metrics", "/readyz", "/v1/status", "/v1/members"}) {
      texts.push_back(admin(get(path)).body);
    }
    std::ranges::move(audit_trail(), std::back_inserter(texts));
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    const bool is_log = name.starts_with("rotad.") && name.ends_with(".log");
    const bool is_state = entry.path().parent_path().filename() == "state";
    if (entry.is_regular_file() && (is_log || is_state)) {
      texts.push_back(testing::read_bytes(entry.path()));
    }
  }
  return texts;
}

Reply Daemon::fetch(std::string_view query) const {
  Connection connection = Connection::to_unix(token_socket());
  connection.send(get(fmt::format("/v1/token?{}", query)));
  return connection.read_reply();
}

std::string Daemon::token(std::string_view query) const {
  const Reply reply = fetch(query);
  return reply.status == 200 ? reply.text("access_token") : std::string{};
}

Reply Daemon::admin(std::string_view request) const {
  Connection connection = Connection::to_unix(admin_socket());
  connection.send(request);
  return connection.read_reply();
}

boost::json::object Daemon::member(std::string_view key) const {
  return admin(get(fmt::format("/v1/members/{}", key))).json();
}

Finished Daemon::cli(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), ROTA_CLI);
  auto with = environment();
  with["ROTA_TOKEN_SOCKET"] = token_socket().string();
  with["ROTA_ADMIN_SOCKET"] = admin_socket().string();
  with["PATH"] = std::filesystem::path(ROTA_CLI).parent_path().string() + ":/usr/bin:/bin";
  return run(std::move(arguments), folder_, with);
}

Finished Daemon::daemon_command(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), ROTAD);
  return run(std::move(arguments), folder_, environment());
}

}  // namespace rota::e2e

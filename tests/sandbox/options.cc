#include "sandbox/options.h"

#include <fmt/format.h>
#include <sodium.h>

#include <CLI/CLI.hpp>
#include <array>
#include <fstream>
#include <optional>
#include <utility>

#include "base/result.h"

namespace rota::sandbox {
namespace {

// What set_option() takes: its names with dashes are the command line's.
struct Described {
  const char* name;
  const char* help;
};
constexpr std::array<Described, 15> kCircleOptions{{
    {"access_ttl", "lifetime of access tokens (1h; 0s: dead on arrival)"},
    {"refresh_ttl", "lifetime of refresh tokens (30d)"},
    {"expiry_skew", "of the ends that replies name, as in 90s or -2h (0s)"},
    {"removed_mode", "revoking a removed member's access token: 422 (default), 401 or not_found"},
    {"messages", "errors in the documented words (default) or in other ones"},
    {"issue_mode", "same: an issue returns the refresh token that is alive (default); new"},
    {"refresh_mode", "fresh: a refresh always makes a token (default); sticky"},
    {"refresh_rotation", "on: a refresh brings a new refresh token too; off (default)"},
    {"email_case", "exact: an address in another case is another (default); ignored"},
    {"rate_limit", "calls per window before 429 (2000; 0: no limit)"},
    {"rate_window", "length of the sliding window (5m)"},
    {"retry_after", "header of a 429: none (default), seconds or date"},
    {"latency", "time between carrying out a call and its answer (0s)"},
    {"clock_offset", "of the sandbox's clock, as in 90s or -90s (0s)"},
    {"community_id", "id of the community (1)"},
}};

struct Raw {
  std::uint16_t port = 0;
  bool log = false;
  std::string app_token_file;
  std::string app_token;
  MemberId numbered_members = 0;
  std::vector<std::string> members;
  std::vector<std::string> faults;
  std::optional<std::uint64_t> seed;
  std::array<std::string, kCircleOptions.size()> circle;
};

std::string dashed(std::string_view name) {
  std::string flag = fmt::format("--{}", name);
  for (char& c : flag) c = c == '_' ? '-' : c;
  return flag;
}

void declare(CLI::App& app, Raw& raw) {
  app.add_option("--port", raw.port, "port on 127.0.0.1; 0 picks one (0)");
  auto* token = app.add_option("--app-token", raw.app_token, "bearer (sandbox-app-token)");
  app.add_option("--app-token-file", raw.app_token_file, "file that holds it")->excludes(token);
  app.add_option("--members", raw.numbered_members,
                 "adds members 1..N, memberK@example.com, sso|K (0)")
      ->check(CLI::Range(MemberId{0}, MemberId{10'000'000}));
  app.add_option("--member", raw.members, "adds ID[,EMAIL[,SSO]]; repeatable")
      ->expected(1)
      ->take_all();
  app.add_option("--fault", raw.faults, "ENDPOINT:KIND:RATE; repeatable")->expected(1)->take_all();
  app.add_option("--seed", raw.seed, "makes the choice of faults repeatable");
  app.add_flag("--log", raw.log, "one line per call to stderr");
  for (std::size_t i = 0; i < kCircleOptions.size(); ++i) {
    app.add_option(dashed(kCircleOptions[i].name), raw.circle[i], kCircleOptions[i].help);
  }
}

Result<std::string> read_token(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (!file || !std::getline(file, token) || token.empty()) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: no app token can be read", path));
  }
  return token;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

Result<Settings> settings_of(const Raw& raw) {
  Settings settings;
  settings.server = {.port = raw.port, .log = raw.log};
  for (std::size_t i = 0; i < kCircleOptions.size(); ++i) {
    if (raw.circle[i].empty()) continue;
    ROTA_TRY(set_option(settings.circle, kCircleOptions[i].name, raw.circle[i]));
  }
  if (!raw.app_token.empty()) settings.circle.app_token = raw.app_token;
  if (!raw.app_token_file.empty()) {
    ROTA_ASSIGN(settings.circle.app_token, read_token(raw.app_token_file));
  }
  // Tokens never repeat from one run to the next, whatever the seed of the faults.
  settings.circle.token_seed = random_seed();
  settings.circle.fault_seed = raw.seed ? *raw.seed : random_seed();
  for (MemberId id = 1; id <= raw.numbered_members; ++id) {
    settings.members.push_back(numbered_member(id));
  }
  for (const std::string& text : raw.members) {
    ROTA_ASSIGN(Member member, parse_member(text));
    settings.members.push_back(std::move(member));
  }
  for (const std::string& text : raw.faults) {
    ROTA_ASSIGN(const FaultRule rule, parse_fault(text));
    settings.faults.push_back(rule);
  }
  return settings;
}

}  // namespace

std::expected<Settings, EarlyExit> parse_command_line(int argc, const char* const* argv) {
  CLI::App app("A strict stand-in for Circle's Headless Auth API", "rota-sandbox");
  Raw raw;
  declare(app, raw);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(EarlyExit{0, app.help()});
  } catch (const CLI::ParseError& error) {
    return std::unexpected(EarlyExit{2, fmt::format("rota-sandbox: {}\n", error.what())});
  }
  auto settings = settings_of(raw);
  if (!settings) {
    return std::unexpected(
        EarlyExit{2, fmt::format("rota-sandbox: {}\n", settings.error().message)});
  }
  return *std::move(settings);
}

}  // namespace rota::sandbox

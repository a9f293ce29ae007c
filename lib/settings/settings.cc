#include "settings/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "plan/budget_sheet.h"
#include "roster/roster_limits.h"
#include "settings/client_settings.h"
#include "settings/secret_files.h"
#include "settings/settings_values.h"
#include "settings/toml.h"

namespace rota {
namespace {

constexpr std::size_t kSettingsBytesMax = 1U << 20U;
constexpr std::size_t kGrantsMax = 1'024;
constexpr std::size_t kListenersMax = 16;

// Limits of durations. Zero is not allowed where nothing would work with it.
constexpr Duration kLeast{1};
constexpr Duration kTimeoutMax = std::chrono::minutes{10};
constexpr Duration kWindowMin = std::chrono::seconds{1};
constexpr Duration kWindowMax = std::chrono::days{1};
constexpr Duration kAheadMax = std::chrono::days{366};

constexpr Duration kIdleMin = std::chrono::days{1};
constexpr Duration kIdleMax = std::chrono::days{3660};
constexpr std::size_t kEnrolledMax = 10'000'000;

constexpr std::size_t kRequestsMin = 10;  // fewer cannot be shared among the lanes
constexpr std::size_t kRequestsMax = 1'000'000;
constexpr std::size_t kGroupRequestsMax = BudgetSheet::kSlotsMax;
constexpr std::size_t kInFlightMax = 1'000;
constexpr std::size_t kConnectionsMax = 100'000;

constexpr Duration kAuditKeepMin = std::chrono::hours{1};
constexpr Duration kAuditKeepMax = std::chrono::days{3660};
constexpr std::size_t kAuditRowsMin = 1'000;
constexpr std::size_t kAuditRowsMax = 100'000'000;

// Short names, so that a rule fits on one or two lines.
using Rule = TomlRule<Settings>;
using V = const TomlValue&;
using S = Settings&;

constexpr std::array<Rule, 10> kUpstreamRules{{
    {"base_url", [](V v, S s) { return read_base_url(v, s.upstream.base_url); }},
    {"app_token_credential",
     [](V v, S s) { return read_credential_name(v, s.upstream.app_token.credential); }},
    {"app_token_file", [](V v, S s) { return read_path(v, s.upstream.app_token.file); }},
    {"requests_per_window",
     [](V v, S s) {
       return read_count(v, kRequestsMin, kRequestsMax, s.policy.requests_per_window);
     }},
    {"window", [](V v, S s) { return read_duration(v, kWindowMin, kWindowMax, s.policy.window); }},
    {"connect_timeout",
     [](V v, S s) { return read_duration(v, kLeast, kTimeoutMax, s.upstream.connect_timeout); }},
    {"request_timeout",
     [](V v, S s) { return read_duration(v, kLeast, kTimeoutMax, s.upstream.request_timeout); }},
    {"max_in_flight",
     [](V v, S s) { return read_count(v, 1, kInFlightMax, s.policy.max_in_flight); }},
    {"ca_file", [](V v, S s) { return read_words(v, s.upstream.ca_file); }},
    {"budget_group", [](V v, S s) { return read_budget_group(v, s.upstream.budget_file); }},
}};

constexpr std::array<Rule, 5> kRotationRules{{
    {"refresh_ahead",
     [](V v, S s) { return read_duration(v, kLeast, kAheadMax, s.policy.refresh_ahead); }},
    {"renew_pair_ahead",
     [](V v, S s) { return read_duration(v, kLeast, kAheadMax, s.policy.renew_pair_ahead); }},
    {"jitter", [](V v, S s) { return read_fraction(v, s.policy.jitter); }},
    {"revoke_superseded_after",
     [](V v, S s) {
       return read_duration_or_never(v, Duration{0}, kAheadMax, s.policy.revoke_superseded_after);
     }},
    {"active_within",
     [](V v, S s) { return read_duration(v, kLeast, kAheadMax, s.policy.active_within); }},
}};

constexpr std::array<Rule, 4> kRosterRules{{
    {"path", [](V v, S s) { return read_path(v, s.roster.path); }},
    {"watch", [](V v, S s) { return read_flag(v, s.roster.watch); }},
    {"max_retire_count",
     [](V v, S s) { return read_count(v, 0, kRosterEntriesMax, s.policy.guard.max_retire_count); }},
    {"max_retire_fraction",
     [](V v, S s) { return read_fraction(v, s.policy.guard.max_retire_fraction); }},
}};

constexpr std::array<Rule, 3> kEnrolmentRules{{
    {"idle_after",
     [](V v, S s) {
       return read_duration_or_never(v, kIdleMin, kIdleMax, s.policy.enrolment.idle_after);
     }},
    {"max_members",
     [](V v, S s) { return read_count(v, 0, kEnrolledMax, s.policy.enrolment.max_members); }},
    {"budget_share", [](V v, S s) { return read_fraction(v, s.policy.enrolment.budget_share); }},
}};

constexpr std::array<Rule, 3> kStoreRules{{
    {"path", [](V v, S s) { return read_path(v, s.store.path); }},
    {"key_credential", [](V v, S s) { return read_credential_name(v, s.store.key.credential); }},
    {"key_file", [](V v, S s) { return read_path(v, s.store.key.file); }},
}};

constexpr std::array<Rule, 2> kAuditRules{{
    {"keep", [](V v, S s) { return read_duration(v, kAuditKeepMin, kAuditKeepMax, s.audit.keep); }},
    {"max_rows",
     [](V v, S s) { return read_count(v, kAuditRowsMin, kAuditRowsMax, s.audit.rows_max); }},
}};

constexpr std::array<Rule, 7> kServeRules{{
    {"token_socket", [](V v, S s) { return read_socket_path(v, s.serve.token_socket); }},
    {"admin_socket", [](V v, S s) { return read_socket_path(v, s.serve.admin_socket); }},
    {"token_socket_mode", [](V v, S s) { return read_socket_mode(v, s.serve.token_socket_mode); }},
    {"token_socket_group", [](V v, S s) { return read_words(v, s.serve.token_socket_group); }},
    {"max_connections",
     [](V v, S s) { return read_count(v, 1, kConnectionsMax, s.serve.max_connections); }},
    {"max_connections_per_uid",
     [](V v, S s) { return read_count(v, 1, kConnectionsMax, s.serve.max_connections_per_uid); }},
    {"metrics_listen", [](V v, S s) { return read_listen_address(v, s.serve.metrics_listen); }},
}};

constexpr std::array<Rule, 1> kLogRules{{
    {"level", [](V v, S s) { return read_log_level(v, s.log_level); }},
}};

// Either NAME_credential or NAME_file: a file replaces the default credential.
Result<void> settle_source(const TomlTable& table, std::string_view name, SecretSource& source) {
  if (source.file.empty()) return {};
  const std::string credential = fmt::format("{}_credential", name);
  if (table.has(credential)) {
    return table.error(fmt::format("{} and {}_file are both given; keep one", credential, name));
  }
  source.credential.clear();
  return {};
}

Result<void> read_upstream(const TomlValue& value, Settings& settings) {
  ROTA_ASSIGN(const TomlTable table, value.table());
  ROTA_TRY(read_table<Settings>(table, kUpstreamRules, settings));
  if (!settings.upstream.budget_file.empty() &&
      settings.policy.requests_per_window > kGroupRequestsMax) {
    return table.error(
        fmt::format("with a budget_group, requests_per_window is at most {}", kGroupRequestsMax));
  }
  return settle_source(table, "app_token", settings.upstream.app_token);
}

Result<void> read_store(const TomlValue& value, Settings& settings) {
  ROTA_ASSIGN(const TomlTable table, value.table());
  ROTA_TRY(read_table<Settings>(table, kStoreRules, settings));
  return settle_source(table, "key", settings.store.key);
}

Result<void> read_serve(const TomlValue& value, Settings& settings) {
  ROTA_ASSIGN(const TomlTable table, value.table());
  ROTA_TRY(read_table<Settings>(table, kServeRules, settings));
  if (settings.serve.token_socket == settings.serve.admin_socket) {
    return table.error("token_socket and admin_socket must be two different paths");
  }
  return {};
}

template <const auto& kRules>
Result<void> read_section(const TomlValue& value, Settings& settings) {
  ROTA_ASSIGN(const TomlTable table, value.table());
  return read_table<Settings>(table, kRules, settings);
}

Result<void> read_holder(const TomlValue& value, GrantSettings::Holder holder,
                         GrantSettings& grant) {
  if (!grant.name.empty()) {
    return value.error("a grant is for a user, for a group or for a client, not for two of them");
  }
  grant.holder = holder;
  grant.where = value.where();
  return holder == GrantSettings::Holder::kClient ? read_client_name(value, grant.name)
                                                  : read_user_or_group(value, grant.name);
}

constexpr std::array<TomlRule<GrantSettings>, 6> kGrantRules{{
    {"user", [](V v, GrantSettings& g) { return read_holder(v, GrantSettings::Holder::kUser, g); }},
    {"group",
     [](V v, GrantSettings& g) { return read_holder(v, GrantSettings::Holder::kGroup, g); }},
    {"client",
     [](V v, GrantSettings& g) { return read_holder(v, GrantSettings::Holder::kClient, g); }},
    {"members", read_grant_members},
    {"may", [](V v, GrantSettings& g) { return read_rights(v, g.may); }},
    {"enrol_tags", [](V v, GrantSettings& g) { return read_tags(v, g.enrol_tags); }},
}};

Result<GrantSettings> read_grant(const TomlTable& table) {
  GrantSettings grant;
  ROTA_TRY(read_table<GrantSettings>(table, kGrantRules, grant));
  if (grant.name.empty()) return table.error("needs a user, a group or a client");
  if (!grant.all_members && grant.tags.empty() && grant.members.empty()) {
    return table.error("needs members, such as members = [\"*\"]");
  }
  const bool may_enrol = grant.may.has(Right::kEnrol);
  if (may_enrol && !grant.all_members) {
    return table.error("enrol is the right to everybody's token, so it needs members = [\"*\"]");
  }
  if (!may_enrol && !grant.enrol_tags.empty()) {
    return table.error("enrol_tags needs the right enrol in may");
  }
  return grant;
}

Result<void> read_grants(const TomlValue& value, Settings& settings) {
  ROTA_ASSIGN(const std::vector<TomlTable> tables, value.tables());
  if (tables.size() > kGrantsMax)
    return value.error(fmt::format("more than {} grants", kGrantsMax));
  for (const TomlTable& table : tables) {
    ROTA_ASSIGN(GrantSettings grant, read_grant(table));
    settings.grants.push_back(std::move(grant));
  }
  return {};
}

constexpr std::array<TomlRule<ListenerSettings>, 3> kListenerRules{{
    {"address", [](V v, ListenerSettings& l) { return read_loopback_address(v, l.address); }},
    {"path", [](V v, ListenerSettings& l) { return read_socket_path(v, l.path); }},
    {"mode", [](V v, ListenerSettings& l) { return read_socket_mode(v, l.mode); }},
}};

Result<void> read_listeners(const TomlValue& value, Settings& settings) {
  ROTA_ASSIGN(const std::vector<TomlTable> tables, value.tables());
  if (tables.size() > kListenersMax) {
    return value.error(fmt::format("more than {} listeners", kListenersMax));
  }
  for (const TomlTable& table : tables) {
    ListenerSettings listener;
    ROTA_TRY(read_table<ListenerSettings>(table, kListenerRules, listener));
    if (listener.address.has_value() != listener.path.empty()) {
      return table.error("needs either an address or a path");
    }
    if (listener.address && table.has("mode")) return table.error("only a path has a mode");
    const bool twice = std::ranges::any_of(settings.listeners, [&](const ListenerSettings& other) {
      return other.address == listener.address && other.path == listener.path;
    });
    if (twice) return table.error("another listener has the same address or path");
    settings.listeners.push_back(std::move(listener));
  }
  return {};
}

// No listener's file may be one of the daemon's other sockets.
Result<void> check_listeners(const Settings& settings) {
  for (const ListenerSettings& listener : settings.listeners) {
    if (listener.path.empty()) continue;
    if (listener.path == settings.serve.token_socket ||
        listener.path == settings.serve.admin_socket) {
      return fail(ErrorKind::kConfig, "[[listener]] path must not be token_socket or admin_socket");
    }
  }
  return {};
}

constexpr std::array<Rule, 11> kRootRules{{
    {"upstream", read_upstream},
    {"rotation", read_section<kRotationRules>},
    {"roster", read_section<kRosterRules>},
    {"enrolment", read_section<kEnrolmentRules>},
    {"store", read_store},
    {"audit", read_section<kAuditRules>},
    {"serve", read_serve},
    {"listener", read_listeners},
    {"client", read_clients},
    {"grant", read_grants},
    {"log", read_section<kLogRules>},
}};

}  // namespace

Result<Settings> parse_settings(std::string_view name, std::string_view text) {
  ROTA_ASSIGN(const TomlDocument document,
              TomlDocument::parse({.file = std::string(name), .first_line = 1}, text));
  Settings settings;
  ROTA_TRY(read_table<Settings>(document.root(), kRootRules, settings));
  ROTA_TRY(check_listeners(settings));
  return settings;
}

Result<Settings> load_settings(const std::string& path) {
  ROTA_ASSIGN(const std::string text, read_small_file(path, kSettingsBytesMax));
  ROTA_ASSIGN(Settings settings, parse_settings(path, text));
  ROTA_ASSIGN(const std::vector<std::string> files, client_files(path));
  for (const std::string& file : files) ROTA_TRY(read_client_file(file, settings));
  return settings;
}

Result<GoodRights> parse_good_rights(std::string_view name, std::string_view text) {
  ROTA_ASSIGN(const TomlDocument document,
              TomlDocument::parse({.file = std::string(name), .first_line = 1}, text));
  GoodRights good;
  const TomlTable root = document.root();
  for (const TomlValue& value : root.values()) {
    if (value.key() == "client") good.clients = good_clients(value);
    if (value.key() != "grant") continue;
    const auto tables = value.tables();
    if (!tables || tables->size() > kGrantsMax) continue;
    for (const TomlTable& table : *tables) {
      if (auto grant = read_grant(table)) good.grants.push_back(*std::move(grant));
    }
  }
  return good;
}

Result<GoodRights> load_good_rights(const std::string& path) {
  ROTA_ASSIGN(const std::string text, read_small_file(path, kSettingsBytesMax));
  return parse_good_rights(path, text);
}

}  // namespace rota

// The configuration: whatever the text, one error that names the place, or settings within their
// bounds that read back as themselves.

#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "base/check.h"
#include "fuzz/target.h"
#include "fuzz/toml_text.h"
#include "settings/settings.h"

namespace rota::fuzz {
namespace {

constexpr std::size_t kInputBytesMax = 64 * 1024;
constexpr std::string_view kFile = "rotad.toml";
constexpr std::array<std::string_view, 5> kLevels{"debug", "info", "warn", "error", "off"};

constexpr std::array<std::string_view, 3> kHolders{"user", "group", "client"};
constexpr std::array<std::string_view, kRights.size()> kRightNames{"fetch", "enrol", "sign_out",
                                                                   "remove"};

// Minus zero is zero, and would be read back as that.
double plain(double fraction) { return fraction + 0.0; }

std::string written(std::string_view name, const SecretSource& source) {
  ROTA_CHECK(source.credential.empty() != source.file.empty());
  return source.file.empty()
             ? fmt::format("{}_credential = {}\n", name, toml_string(source.credential))
             : fmt::format("{}_file = {}\n", name, toml_string(source.file));
}

std::string written(const UpstreamSettings& s, const Policy& policy) {
  return fmt::format(
             "[upstream]\nbase_url = {}\nrequests_per_window = {}\nwindow = \"{}\"\n"
             "connect_timeout = \"{}\"\nrequest_timeout = \"{}\"\nmax_in_flight = {}\nca_file = "
             "{}\nbudget_group = {}\n",
             toml_string(s.base_url), policy.requests_per_window, format_duration(policy.window),
             format_duration(s.connect_timeout), format_duration(s.request_timeout),
             policy.max_in_flight, toml_string(s.ca_file), toml_string(s.budget_file)) +
         written("app_token", s.app_token);
}

std::string written(const Policy& policy) {
  const auto& superseded = policy.revoke_superseded_after;
  return fmt::format(
      "[rotation]\nrefresh_ahead = \"{}\"\nrenew_pair_ahead = \"{}\"\njitter = {}\n"
      "revoke_superseded_after = \"{}\"\nactive_within = \"{}\"\n",
      format_duration(policy.refresh_ahead), format_duration(policy.renew_pair_ahead),
      plain(policy.jitter), superseded ? format_duration(*superseded) : "never",
      format_duration(policy.active_within));
}

std::string written(const EnrolmentPolicy& s) {
  return fmt::format("[enrolment]\nidle_after = \"{}\"\nmax_members = {}\nbudget_share = {}\n",
                     s.idle_after ? format_duration(*s.idle_after) : "never", s.max_members,
                     plain(s.budget_share));
}

std::string written(const RosterSettings& s, const GuardPolicy& guard) {
  return fmt::format(
      "[roster]\npath = {}\nwatch = {}\nmax_retire_count = {}\nmax_retire_fraction = {}\n",
      toml_string(s.path), s.watch, guard.max_retire_count, plain(guard.max_retire_fraction));
}

std::string written(const ListenAddress& at) {
  const bool v6 = at.host.contains(':');
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", at.host, v6 ? "]" : "", at.port);
}

std::string written(const ServeSettings& s) {
  const std::string listen = s.metrics_listen ? written(*s.metrics_listen) : "";
  return fmt::format(
      "[serve]\ntoken_socket = {}\nadmin_socket = {}\ntoken_socket_mode = \"{:04o}\"\n"
      "token_socket_group = {}\nmax_connections = {}\nmax_connections_per_uid = {}\n"
      "metrics_listen = {}\n",
      toml_string(s.token_socket), toml_string(s.admin_socket), s.token_socket_mode,
      toml_string(s.token_socket_group), s.max_connections, s.max_connections_per_uid,
      toml_string(listen));
}

std::string written(const GrantSettings& grant) {
  std::string members = grant.all_members ? "\"*\",\n" : "";
  for (const std::string& tag : grant.tags) members += toml_string("tag:" + tag) + ",\n";
  for (const MemberKey& key : grant.members) members += toml_string(key.text()) + ",\n";
  ROTA_CHECK(!members.empty() && !grant.name.empty());
  std::string may;
  for (const Right right : kRights) {
    if (grant.may.has(right))
      may += fmt::format("\"{}\", ", kRightNames.at(static_cast<std::size_t>(right)));
  }
  std::string tags;
  for (const std::string& tag : grant.enrol_tags) tags += toml_string(tag) + ", ";
  return fmt::format("[[grant]]\n{} = {}\nmembers = [\n{}]\nmay = [{}]\nenrol_tags = [{}]\n",
                     kHolders.at(static_cast<std::size_t>(grant.holder)), toml_string(grant.name),
                     members, may, tags);
}

std::string written(const ClientSettings& client) {
  std::string tokens;
  for (const TokenDigest& token : client.tokens)
    tokens += fmt::format("\"{}\", ", format_digest(token));
  return fmt::format("[[client]]\nname = {}\ntoken_sha256 = [{}]\n", toml_string(client.name),
                     tokens);
}

std::string written(const ListenerSettings& listener) {
  if (!listener.address) {
    return fmt::format("[[listener]]\npath = {}\nmode = \"{:04o}\"\n", toml_string(listener.path),
                       listener.mode);
  }
  return fmt::format("[[listener]]\naddress = {}\n", toml_string(written(*listener.address)));
}

std::string written(const Settings& s) {
  std::string text = written(s.upstream, s.policy) + written(s.policy) +
                     written(s.roster, s.policy.guard) + written(s.policy.enrolment) +
                     fmt::format("[store]\npath = {}\n", toml_string(s.store.path)) +
                     written("key", s.store.key) + written(s.serve);
  for (const ListenerSettings& listener : s.listeners) text += written(listener);
  for (const ClientSettings& client : s.clients) text += written(client);
  for (const GrantSettings& grant : s.grants) text += written(grant);
  return text +
         fmt::format("[log]\nlevel = \"{}\"\n", kLevels.at(static_cast<std::size_t>(s.log_level)));
}

void check_bounds(const Settings& s) {
  const Policy& p = s.policy;
  ROTA_CHECK(p.window > Duration{0} && p.refresh_ahead > Duration{0});
  ROTA_CHECK(p.renew_pair_ahead > Duration{0} && p.active_within > Duration{0});
  ROTA_CHECK(s.upstream.connect_timeout > Duration{0} && s.upstream.request_timeout > Duration{0});
  ROTA_CHECK(p.requests_per_window >= 10 && p.max_in_flight >= 1);
  ROTA_CHECK(p.jitter >= 0 && p.jitter <= 1);
  ROTA_CHECK(p.guard.max_retire_fraction >= 0 && p.guard.max_retire_fraction <= 1);
  ROTA_CHECK(s.serve.max_connections >= 1 && s.serve.max_connections_per_uid >= 1);
  ROTA_CHECK((s.serve.token_socket_mode & ~0777U) == 0);
  ROTA_CHECK(s.serve.token_socket != s.serve.admin_socket);
  ROTA_CHECK(s.serve.token_socket.starts_with('/') && s.serve.admin_socket.starts_with('/'));
  ROTA_CHECK(s.upstream.base_url.starts_with("https://") ||
             s.upstream.base_url.starts_with("http://127.") ||
             s.upstream.base_url.starts_with("http://[::1]") ||
             s.upstream.base_url.starts_with("http://localhost"));
  ROTA_CHECK(!s.upstream.base_url.ends_with('/'));
}

void check(std::string_view input) {
  const auto settings = parse_settings(kFile, input);
  if (!settings) {
    const auto again = parse_settings(kFile, input);
    ROTA_CHECK(!again && again.error().message == settings.error().message);
    return check_file_error(settings.error(), kFile);
  }
  check_bounds(*settings);
  const std::string text = written(*settings);
  const auto reread = parse_settings(kFile, text);
  ROTA_CHECK(reread && written(*reread) == text);
}

}  // namespace
}  // namespace rota::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= rota::fuzz::kInputBytesMax) {
    rota::fuzz::check({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}

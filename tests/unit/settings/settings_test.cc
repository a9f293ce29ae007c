#include "settings/settings.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "settings_equal.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

Settings parse(std::string_view text) {
  auto settings = parse_settings("rotad.toml", text);
  if (!settings) {
    ADD_FAILURE() << text << ": " << settings.error().message;
    return {};
  }
  return *std::move(settings);
}

TEST(Settings, EveryDefaultIsTheDocumentedOne) {
  const Settings s = parse("");
  EXPECT_EQ(s.upstream.base_url, "https://app.circle.so");
  EXPECT_EQ(s.upstream.app_token.credential, "app-token");
  EXPECT_EQ(s.upstream.app_token.file, "");
  EXPECT_EQ(s.policy.requests_per_window, 1'200U);
  EXPECT_EQ(s.policy.window, 5min);
  EXPECT_EQ(s.upstream.connect_timeout, 5s);
  EXPECT_EQ(s.upstream.request_timeout, 15s);
  EXPECT_EQ(s.policy.max_in_flight, 16U);
  EXPECT_EQ(s.upstream.ca_file, "");
  EXPECT_EQ(s.upstream.budget_file, "");
  EXPECT_EQ(s.policy.refresh_ahead, 10min);
  EXPECT_EQ(s.policy.renew_pair_ahead, 72h);
  EXPECT_EQ(s.policy.jitter, 0.1);
  EXPECT_EQ(s.policy.revoke_superseded_after, std::nullopt);
  EXPECT_EQ(s.policy.active_within, 24h);
  EXPECT_EQ(s.roster.path, "/etc/rota/roster.toml");
  EXPECT_TRUE(s.roster.watch);
  EXPECT_EQ(s.policy.guard.max_retire_count, 5U);
  EXPECT_EQ(s.policy.guard.max_retire_fraction, 0.02);
  EXPECT_EQ(s.policy.enrolment.idle_after, 30 * 24h);
  EXPECT_EQ(s.policy.enrolment.max_members, 100'000U);
  EXPECT_EQ(s.policy.enrolment.budget_share, 0.25);
  EXPECT_EQ(s.store.path, "/var/lib/rota/rota.db");
  EXPECT_EQ(s.store.key.credential, "store-key");
  EXPECT_EQ(s.store.key.file, "");
  EXPECT_EQ(s.serve.token_socket, "/run/rota/token.sock");
  EXPECT_EQ(s.serve.admin_socket, "/run/rota/admin.sock");
  EXPECT_EQ(s.serve.token_socket_mode, 0660U);
  EXPECT_EQ(s.serve.token_socket_group, "");
  EXPECT_EQ(s.serve.max_connections, 1'024U);
  EXPECT_EQ(s.serve.max_connections_per_uid, 256U);
  EXPECT_EQ(s.serve.metrics_listen, std::nullopt);
  EXPECT_THAT(s.grants, testing::IsEmpty());
  EXPECT_EQ(s.log_level, LogLevel::kInfo);
}

TEST(Settings, EmptySectionsChangeNothing) {
  expect_equal(parse("[upstream]\n[rotation]\n[roster]\n[store]\n[audit]\n[serve]\n[log]\n"),
               Settings{});
}

// Each row sets one key to another value and says what alone must differ from the defaults.
TEST(Settings, EveryKeyReachesItsPlaceAndNoOther) {
  struct Row {
    std::string_view section;
    std::string_view line;
    void (*change)(Settings& settings);
  };
  using S = Settings&;
  const std::array rows{
      Row{"upstream", "base_url = 'http://127.0.0.1:8080'",
          [](S s) { s.upstream.base_url = "http://127.0.0.1:8080"; }},
      Row{"upstream", "app_token_credential = 'other'",
          [](S s) { s.upstream.app_token = {"other", ""}; }},
      Row{"upstream", "app_token_file = '/etc/t'",
          [](S s) { s.upstream.app_token = {"", "/etc/t"}; }},
      Row{"upstream", "requests_per_window = 10", [](S s) { s.policy.requests_per_window = 10; }},
      Row{"upstream", "requests_per_window = 1000000",
          [](S s) { s.policy.requests_per_window = 1'000'000; }},
      Row{"upstream", "window = '1s'", [](S s) { s.policy.window = 1s; }},
      Row{"upstream", "window = '1d'", [](S s) { s.policy.window = 24h; }},
      Row{"upstream", "connect_timeout = '1ms'", [](S s) { s.upstream.connect_timeout = 1ms; }},
      Row{"upstream", "connect_timeout = '10m'", [](S s) { s.upstream.connect_timeout = 10min; }},
      Row{"upstream", "request_timeout = '1ms'", [](S s) { s.upstream.request_timeout = 1ms; }},
      Row{"upstream", "max_in_flight = 1", [](S s) { s.policy.max_in_flight = 1; }},
      Row{"upstream", "max_in_flight = 1000", [](S s) { s.policy.max_in_flight = 1'000; }},
      Row{"upstream", "budget_group = 'my-group'",
          [](S s) { s.upstream.budget_file = "/var/lib/rota-budget/my-group"; }},
      Row{"upstream", "budget_group = '/srv/x/circle'",
          [](S s) { s.upstream.budget_file = "/srv/x/circle"; }},
      Row{"upstream", "ca_file = '/ca.pem'", [](S s) { s.upstream.ca_file = "/ca.pem"; }},
      Row{"rotation", "refresh_ahead = '1ms'", [](S s) { s.policy.refresh_ahead = 1ms; }},
      Row{"rotation", "renew_pair_ahead = '366d'",
          [](S s) { s.policy.renew_pair_ahead = 366 * 24h; }},
      Row{"rotation", "jitter = 0", [](S s) { s.policy.jitter = 0; }},
      Row{"rotation", "jitter = 1.0", [](S s) { s.policy.jitter = 1; }},
      Row{"rotation", "jitter = 0.25", [](S s) { s.policy.jitter = 0.25; }},
      Row{"rotation", "revoke_superseded_after = 'never'", [](S) {}},
      Row{"rotation", "revoke_superseded_after = '0s'",
          [](S s) { s.policy.revoke_superseded_after = 0s; }},
      Row{"rotation", "revoke_superseded_after = '90s'",
          [](S s) { s.policy.revoke_superseded_after = 90s; }},
      Row{"rotation", "active_within = '7d'", [](S s) { s.policy.active_within = 7 * 24h; }},
      Row{"roster", "path = 'roster.d'", [](S s) { s.roster.path = "roster.d"; }},
      Row{"roster", "watch = false", [](S s) { s.roster.watch = false; }},
      Row{"roster", "max_retire_count = 0", [](S s) { s.policy.guard.max_retire_count = 0; }},
      Row{"roster", "max_retire_fraction = 1", [](S s) { s.policy.guard.max_retire_fraction = 1; }},
      Row{"enrolment", "idle_after = '1d'", [](S s) { s.policy.enrolment.idle_after = 24h; }},
      Row{"enrolment", "idle_after = 'never'", [](S s) { s.policy.enrolment.idle_after.reset(); }},
      Row{"enrolment", "max_members = 0", [](S s) { s.policy.enrolment.max_members = 0; }},
      Row{"enrolment", "budget_share = 1", [](S s) { s.policy.enrolment.budget_share = 1; }},
      Row{"store", "path = '/x.db'", [](S s) { s.store.path = "/x.db"; }},
      Row{"store", "key_credential = 'k'", [](S s) { s.store.key = {"k", ""}; }},
      Row{"audit", "keep = '30d'", [](S s) { s.audit.keep = std::chrono::days{30}; }},
      Row{"audit", "max_rows = 1000", [](S s) { s.audit.rows_max = 1'000; }},
      Row{"store", "key_file = '/k'", [](S s) { s.store.key = {"", "/k"}; }},
      Row{"serve", "token_socket = '/t.sock'", [](S s) { s.serve.token_socket = "/t.sock"; }},
      Row{"serve", "admin_socket = '/a.sock'", [](S s) { s.serve.admin_socket = "/a.sock"; }},
      Row{"serve", "token_socket_mode = '0600'", [](S s) { s.serve.token_socket_mode = 0600; }},
      Row{"serve", "token_socket_mode = '0777'", [](S s) { s.serve.token_socket_mode = 0777; }},
      Row{"serve", "token_socket_group = 'www-data'",
          [](S s) { s.serve.token_socket_group = "www-data"; }},
      Row{"serve", "max_connections = 1", [](S s) { s.serve.max_connections = 1; }},
      Row{"serve", "max_connections_per_uid = 100000",
          [](S s) { s.serve.max_connections_per_uid = 100'000; }},
      Row{"serve", "metrics_listen = ''", [](S) {}},
      Row{"serve", "metrics_listen = '127.0.0.1:9468'",
          [](S s) { s.serve.metrics_listen = ListenAddress{"127.0.0.1", 9'468}; }},
      Row{"serve", "metrics_listen = '[::1]:65535'",
          [](S s) { s.serve.metrics_listen = ListenAddress{"::1", 65'535}; }},
      Row{"log", "level = 'trace'", [](S s) { s.log_level = LogLevel::kDebug; }},
      Row{"log", "level = 'debug'", [](S s) { s.log_level = LogLevel::kDebug; }},
      Row{"log", "level = 'info'", [](S) {}},
      Row{"log", "level = 'warn'", [](S s) { s.log_level = LogLevel::kWarn; }},
      Row{"log", "level = 'error'", [](S s) { s.log_level = LogLevel::kError; }},
      Row{"log", "level = 'critical'", [](S s) { s.log_level = LogLevel::kOff; }},
      Row{"log", "level = 'off'", [](S s) { s.log_level = LogLevel::kOff; }},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.line);
    Settings expected;
    row.change(expected);
    expect_equal(parse(fmt::format("[{}]\n{}\n", row.section, row.line)), expected);
  }
}

TEST(Settings, TakesOriginsAndCutsTheirLastSlash) {
  struct Row {
    std::string_view given;
    std::string_view kept;
  };
  constexpr std::array kRows{
      Row{"https://app.circle.so", "https://app.circle.so"},
      Row{"https://app.circle.so/", "https://app.circle.so"},
      Row{"https://app.circle.so:8443", "https://app.circle.so:8443"},
      Row{"https://proxy.example.com/circle/", "https://proxy.example.com/circle"},
      Row{"https://10.0.0.1", "https://10.0.0.1"},
      Row{"https://[2001:db8::1]:443", "https://[2001:db8::1]:443"},
      Row{"http://127.0.0.1", "http://127.0.0.1"},
      Row{"http://127.255.255.254:1", "http://127.255.255.254:1"},
      Row{"http://[::1]:65535/", "http://[::1]:65535"},
      Row{"http://localhost:3000", "http://localhost:3000"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(parse(fmt::format("[upstream]\nbase_url = '{}'\n", row.given)).upstream.base_url,
              row.kept);
  }
}

TEST(Settings, TakesASocketPathOfTheGreatestLength) {
  const std::string path = "/" + std::string(106, 's');
  EXPECT_EQ(parse(fmt::format("[serve]\ntoken_socket = '{}'\n", path)).serve.token_socket, path);
}

TEST(Settings, ReadsGrants) {
  const Settings s = parse(R"([[grant]]
group = "www-data"
members = ["*"]
[[grant]]
user = "helpdesk"
members = ["tag:support", "id:42", "email:grace@example.com", "sso:google|1", "tag:x"]
)");
  const GrantSettings all{.holder = GrantSettings::Holder::kGroup,
                          .name = "www-data",
                          .where = "rotad.toml:2:9: grant 1: group",
                          .all_members = true,
                          .tags = {},
                          .members = {}};
  const GrantSettings some{.holder = GrantSettings::Holder::kUser,
                           .name = "helpdesk",
                           .where = "rotad.toml:5:8: grant 2: user",
                           .all_members = false,
                           .tags = {"support", "x"},
                           .members = {MemberKey::from_id(42).value(),
                                       MemberKey::from_email("grace@example.com").value(),
                                       MemberKey::from_sso("google|1").value()}};
  EXPECT_EQ(s.grants, (std::vector{all, some}));
}

TEST(Settings, ReadsRightsClientsAndListeners) {
  const std::string digest(64, 'a');
  const Settings s = parse(fmt::format(R"([[grant]]
client = "web"
members = ["*"]
may = ["fetch", "enrol", "sign_out", "remove"]
enrol_tags = ["web", "shop"]
[[client]]
name = "web"
token_sha256 = ["{0}", "{1}"]
[[listener]]
address = "127.0.0.1:8465"
[[listener]]
path = "/run/rota/containers/token.sock"
[[listener]]
path = "/run/rota/other.sock"
mode = "0660"
)",
                                       digest, std::string(64, 'b')));
  ASSERT_EQ(s.grants.size(), 1U);
  EXPECT_EQ(s.grants[0].holder, GrantSettings::Holder::kClient);
  EXPECT_EQ(s.grants[0].name, "web");
  EXPECT_EQ(s.grants[0].may,
            (Rights{Right::kFetch, Right::kEnrol, Right::kSignOut, Right::kRemove}));
  EXPECT_THAT(s.grants[0].enrol_tags, ElementsAre("web", "shop"));
  ASSERT_EQ(s.clients.size(), 1U);
  EXPECT_EQ(s.clients[0].name, "web");
  EXPECT_THAT(s.clients[0].tokens, testing::SizeIs(2));
  EXPECT_EQ(format_digest(s.clients[0].tokens[0]), digest);
  EXPECT_THAT(
      s.listeners,
      ElementsAre(ListenerSettings{.address = ListenAddress{"127.0.0.1", 8'465}, .path = {}},
                  ListenerSettings{.address = {}, .path = "/run/rota/containers/token.sock"},
                  ListenerSettings{.address = {}, .path = "/run/rota/other.sock", .mode = 0660}));
  EXPECT_THAT(grants_without_client(s), testing::IsEmpty());
}

TEST(Settings, AGrantToAClientThatIsNotThereIsNoErrorAndIsNamed) {
  const Settings s = parse("[[grant]]\nclient = 'web'\nmembers = ['*']\n");
  EXPECT_THAT(grants_without_client(s),
              ElementsAre(testing::HasSubstr("grant 1: client: there is no [[client]] \"web\"")));
}

// A client's token in place of its name.
TEST(Settings, P10ATokenIsNoClientName) {
  const std::string token = "rota_wERt5" + std::string(38, 'q');
  EXPECT_FALSE(is_client_name(token));
  EXPECT_TRUE(is_client_name("rota_web-2"));
  EXPECT_TRUE(is_client_name("Shop2x"));
  const auto settings =
      parse_settings("rotad.toml", "[[grant]]\nclient = '" + token + "'\nmembers = ['*']\n");
  ASSERT_FALSE(settings);
  EXPECT_THAT(settings.error().message, testing::HasSubstr("a client's token is no name"));
  EXPECT_THAT(settings.error().message, testing::Not(testing::HasSubstr("wERt5")));
  // Another secret may well have the form of a name.
  const Settings named = parse("[[grant]]\nclient = 'qT7mZx2LpV9kRb4N'\nmembers = ['*']\n");
  EXPECT_THAT(grants_without_client(named),
              ElementsAre(testing::AllOf(testing::HasSubstr("there is no [[client]]"),
                                         testing::Not(testing::HasSubstr("qT7mZx")))));
}

// Of a file with errors, what has none counts for a withdrawal, whatever is wrong around it.
TEST(Settings, P11GrantsAndClientsWithoutAnErrorAreFoundAmongErrors) {
  const std::string digest(64, '1');
  const std::string client = "[[client]]\nname = 'web'\ntoken_sha256 = ['" + digest + "']\n";
  const std::string grant = "[[grant]]\nuser = 'u'\nmembers = ['*']\n";
  for (const std::string_view broken :
       {"nosuch = 1\n", "[nosuch]\n", "[serve]\nnosuch = 1\n", "[log]\nlevel = 5\n", "serve = 1\n",
        "[[listener]]\n", "[serve]\ntoken_socket = 'relative'\n",
        "[[grant]]\nuser = 'v'\nmembers = ['*']\nnosuch = 1\n", "[[grant]]\nuser = 'v'\n",
        "[[client]]\nname = 'b'\n", "[[client]]\nname = 'b'\ntoken_sha256 = ['short']\n"}) {
    const std::string text = std::string(broken) + client + grant;
    ASSERT_FALSE(parse_settings("rotad.toml", text)) << broken;
    const auto good = parse_good_rights("rotad.toml", text);
    ASSERT_TRUE(good) << broken;
    ASSERT_THAT(good->grants, testing::SizeIs(1)) << broken;
    EXPECT_EQ(good->grants[0].name, "u") << broken;
    ASSERT_THAT(good->clients, testing::SizeIs(1)) << broken;
    EXPECT_EQ(good->clients[0].name, "web") << broken;
  }
  for (const std::string_view none : {"grant = 1\nclient = 'x'\n", "[grant]\n[client]\n"}) {
    const auto good = parse_good_rights("rotad.toml", none);
    ASSERT_TRUE(good) << none;
    EXPECT_THAT(good->grants, testing::IsEmpty()) << none;
    EXPECT_THAT(good->clients, testing::IsEmpty()) << none;
  }
  EXPECT_FALSE(parse_good_rights("rotad.toml", grant + "[[client\n")) << "no TOML";
}

TEST(Settings, NoTwoClientsHaveANameOrATokenInCommon) {
  const std::string one =
      "[[client]]\nname = 'a'\ntoken_sha256 = ['" + std::string(64, '1') + "']\n";
  const std::string two =
      "[[client]]\nname = 'a'\ntoken_sha256 = ['" + std::string(64, '2') + "']\n";
  const std::string three =
      "[[client]]\nname = 'b'\ntoken_sha256 = ['" + std::string(64, '1') + "']\n";
  const auto same_name = parse_settings("rotad.toml", one + two);
  ASSERT_FALSE(same_name);
  EXPECT_THAT(same_name.error().message, testing::HasSubstr("a client of this name"));
  const auto same_token = parse_settings("rotad.toml", one + three);
  ASSERT_FALSE(same_token);
  EXPECT_THAT(same_token.error().message, testing::HasSubstr("has the same token"));
}

}  // namespace
}  // namespace rota

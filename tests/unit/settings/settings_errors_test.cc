#include <fmt/format.h>
#include <gmock/gmock.h>

#include "settings/settings.h"

namespace rota {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string error_of(std::string_view text) {
  const auto settings = parse_settings("rotad.toml", text);
  if (settings) {
    ADD_FAILURE() << "was taken: " << text;
    return {};
  }
  EXPECT_EQ(settings.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(settings.error().message, Not(HasSubstr("\n")));
  return settings.error().message;
}

// One line in a section: the message names line 2 of the file and `section: key`.
struct Bad {
  std::string_view section;
  std::string line;
  std::string_view why;
};

void expect_errors(const std::vector<Bad>& rows) {
  for (const Bad& row : rows) {
    SCOPED_TRACE(row.line);
    const std::string key = row.line.substr(0, row.line.find(' '));
    const std::string message = error_of(fmt::format("[{}]\n{}\n", row.section, row.line));
    EXPECT_THAT(message, StartsWith(fmt::format("rotad.toml:2:{}: [{}]: {}: ", key.size() + 4,
                                                row.section, key)));
    EXPECT_THAT(message, HasSubstr(row.why));
  }
}

TEST(BadSettings, Durations) {
  expect_errors({
      {"upstream", "window = 5", "must be a string, not a whole number"},
      {"upstream", "window = '5'", "a unit"},
      {"upstream", "window = ''", "not a duration"},
      {"upstream", "window = '-5m'", "not a duration"},
      {"upstream", "window = 'never'", "not a duration"},
      {"upstream", "window = \"5m\\n\"", "not a duration"},
      {"upstream", "window = '0s'", "from 1s to 1d"},
      {"upstream", "window = '999ms'", "from 1s to 1d"},
      {"upstream", "window = '86401s'", "from 1s to 1d"},
      {"upstream", "connect_timeout = '0ms'", "from 1ms to 10m"},
      {"upstream", "connect_timeout = '601s'", "from 1ms to 10m"},
      {"upstream", "request_timeout = '0s'", "from 1ms to 10m"},
      {"rotation", "refresh_ahead = '0s'", "from 1ms to 366d"},
      {"rotation", "refresh_ahead = '367d'", "from 1ms to 366d"},
      {"rotation", "renew_pair_ahead = '0d'", "from 1ms to 366d"},
      {"enrolment", "idle_after = '23h'", "from 1d to 3660d"},
      {"enrolment", "idle_after = '3661d'", "from 1d to 3660d"},
      {"rotation", "active_within = '0h'", "from 1ms to 366d"},
      {"rotation", "revoke_superseded_after = 'Never'", "not a duration"},
      {"rotation", "revoke_superseded_after = 'always'", "not a duration"},
      {"rotation", "revoke_superseded_after = '367d'", "from 0s to 366d"},
      {"rotation", "revoke_superseded_after = false", "must be a string"},
  });
}

TEST(BadSettings, Numbers) {
  expect_errors({
      {"upstream", "requests_per_window = 9", "from 10 to 1000000"},
      {"upstream", "requests_per_window = 1000001", "from 10 to 1000000"},
      {"upstream", "requests_per_window = -1", "from 10"},
      {"upstream", "requests_per_window = '1200'", "must be a whole number, not a string"},
      {"upstream", "requests_per_window = 1200.0", "must be a whole number, not a decimal"},
      {"upstream", "max_in_flight = 0", "from 1 to 1000"},
      {"upstream", "max_in_flight = 1001", "from 1 to 1000"},
      {"upstream", "max_in_flight = -9223372036854775808", "from 1 to 1000"},
      {"rotation", "jitter = -0.001", "from 0 to 1"},
      {"rotation", "jitter = 1.001", "from 0 to 1"},
      {"rotation", "jitter = nan", "from 0 to 1"},
      {"rotation", "jitter = inf", "from 0 to 1"},
      {"rotation", "jitter = '0.1'", "must be a number, not a string"},
      {"roster", "max_retire_count = -1", "from 0"},
      {"roster", "max_retire_fraction = 2", "from 0 to 1"},
      {"serve", "max_connections = 0", "from 1 to 100000"},
      {"serve", "max_connections_per_uid = 100001", "from 1 to 100000"},
      {"roster", "watch = 'yes'", "must be true or false, not a string"},
      {"roster", "watch = 1", "must be true or false, not a whole number"},
  });
}

TEST(BadSettings, Paths) {
  expect_errors({
      {"roster", "path = ''", "must not be empty"},
      {"roster", "path = [ '/a' ]", "must be a string, not a list"},
      {"roster", "path = \"/a\\u0000b\"", "control character"},
      {"store", "path = ''", "must not be empty"},
      {"store", "key_file = ''", "must not be empty"},
      {"upstream", "app_token_file = ''", "must not be empty"},
      {"upstream", "ca_file = \"/a\\n\"", "control character"},
      {"upstream", "ca_file = false", "must be a string"},
      {"upstream", "budget_group = '../x'", "absolute path"},
      {"upstream", "budget_group = '/srv/x.1'", "absolute path"},
      {"upstream", "budget_group = '/srv/'", "absolute path"},
      {"upstream", "budget_group = 'Circle'", "absolute path"},
      {"upstream", "budget_group = '" + std::string(33, 'g') + "'", "up to 32"},
      {"serve", "token_socket = ''", "must not be empty"},
      {"serve", "token_socket = 'token.sock'", "absolute"},
      {"serve", "token_socket = '@rota'", "absolute"},
      {"serve", "token_socket = '/" + std::string(107, 's') + "'", "107 bytes"},
      {"serve", "admin_socket = './a'", "absolute"},
      {"serve", "admin_socket = '/" + std::string(107, 's') + "'", "107 bytes"},
      {"upstream", "app_token_credential = ''", "must not be empty"},
      {"upstream", "app_token_credential = '/etc/token'", "not a path"},
      {"upstream", "app_token_credential = '..'", "not a path"},
      {"store", "key_credential = 'a/b'", "not a path"},
      {"store", "key_credential = '" + std::string(256, 'k') + "'", "name of a credential"},
  });
}

TEST(BadSettings, ABudgetForAGroupThatIsTooLarge) {
  EXPECT_THAT(error_of("[upstream]\nbudget_group = 'g'\nrequests_per_window = 20001\n"),
              HasSubstr("requests_per_window is at most 20000"));
}

TEST(BadSettings, ServeAndLog) {
  expect_errors({
      {"serve", "token_socket_mode = 660", "must be a string, not a whole number"},
      {"serve", "token_socket_mode = '660'", "four octal digits"},
      {"serve", "token_socket_mode = '0668'", "four octal digits"},
      {"serve", "token_socket_mode = '1660'", "four octal digits"},
      {"serve", "token_socket_mode = '00660'", "four octal digits"},
      {"serve", "token_socket_mode = ''", "four octal digits"},
      {"serve", "token_socket_mode = '0460'", "let the owner read and write"},
      {"serve", "token_socket_mode = '0000'", "let the owner read and write"},
      {"serve", "token_socket_group = 33", "must be a string"},
      {"serve", "metrics_listen = '9468'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = ':9468'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = '127.0.0.1'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = '127.0.0.1:'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = '127.0.0.1:0'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = '127.0.0.1:65536'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = '127.0.0.1:80x'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = 'localhost:9468'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = '::1:9468'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = '[::1]'", "ADDRESS:PORT"},
      {"serve", "metrics_listen = '[127.0.0.1]:9468'", "ADDRESS:PORT"},
      {"log", "level = 'verbose'", "must be debug, info"},
      {"log", "level = 'INFO'", "must be debug, info"},
      {"log", "level = 3", "must be a string"},
  });
}

TEST(BadSettings, BaseUrl) {
  // The rules are check_base_url()'s and tested with it; here they must reach file, line and key.
  const auto url = [](std::string_view value) {
    return Bad{"upstream", fmt::format("base_url = \"{}\"", value), "base_url: the base URL "};
  };
  expect_errors({
      url(""),
      url("app.circle.so"),
      url("ftp://app.circle.so"),
      url("HTTPS://app.circle.so"),
      url("https://"),
      url("https:///x"),
      url("https://:443"),
      url("https://h:"),
      url("https://h:0"),
      url("https://h:65536"),
      url("https://h:1:2"),
      url("https://h_x"),
      url("https://[::1"),
      url("https://[::1]x"),
      url("https://user:password@h"),
      url("https://@h"),
      url("https://h?x=1"),
      url("https://h/#x"),
      url("https://h/a b"),
      url("https://h\\\\x"),
      url("https://h\\n"),
      url("https://h\u00e9"),
      url("http://app.circle.so"),
      url("http://10.0.0.1"),
      url("http://128.0.0.1"),
      url("http://127.0.0.1.example.com"),
      url("http://127.1"),
      url("http://localhost.example.com"),
      url("http://[::2]"),
      url("http://[::ffff:10.0.0.1]"),
      url("http://127.0.0.1@h"),
      {"upstream", "base_url = 1", "must be a string"},
  });
}

// Errors that stand at a key, a section or the text itself.
TEST(BadSettings, Structure) {
  struct Row {
    std::string_view text;
    std::string_view at;
    std::string_view why;
  };
  constexpr std::array kRows{
      Row{"[upstream]\nwindw = '5m'\n",
          "2:1: [upstream]: ", "\"windw\" is not a known key (did you mean \"window\"?)"},
      Row{"[rotation]\n\n  refresh_ahed = '5m'\n", "3:3: [rotation]: ", "\"refresh_ahed\" is not"},
      Row{"[roster]\npaths = 'x'\n", "2:1: [roster]: ", "(did you mean \"path\"?)"},
      Row{"[store]\nx = 1\n", "2:1: [store]: ", "\"x\" is not a known key"},
      Row{"[serve]\nx = 1\n", "2:1: [serve]: ", "\"x\" is not a known key"},
      Row{"[log]\nx = 1\n", "2:1: [log]: ", "\"x\" is not a known key"},
      Row{"window = '5m'\n", "1:1: ", "\"window\" is not a known key"},
      Row{"[upstraem]\n", "1:", "\"upstraem\" is not a known key (did you mean \"upstream\"?)"},
      Row{"[[upstream]]\n", "1:", "upstream: must be a table: [upstream], not a list"},
      Row{"upstream = 1\n", "1:12: ", "upstream: must be a table"},
      Row{"log = 'info'\n", "1:7: ", "log: must be a table: [log], not a string"},
      Row{"[upstream]\napp_token_credential = 'a'\napp_token_file = '/b'\n",
          "1:", "[upstream]: app_token_credential and app_token_file are both given"},
      Row{"[store]\nkey_file = '/b'\nkey_credential = 'store-key'\n",
          "1:", "[store]: key_credential and key_file are both given"},
      Row{"[serve]\ntoken_socket = '/s'\nadmin_socket = '/s'\n",
          "1:", "[serve]: token_socket and admin_socket must be two different paths"},
      Row{"[serve]\ntoken_socket = '/run/rota/admin.sock'\n", "1:", "must be two different paths"},
      Row{"[upstream]\n[upstream]\n", "2:", "redefine"},
      Row{"[upstream]\nwindow = '5m'\nwindow = '5m'\n", "3:", "redefine"},
      Row{"[upstream\n", "1:", "']'"},
      Row{"[upstream]\nwindow = 5m\n", "2:", "expected"},
      Row{"[upstream]\nwindow = '\xff'\n", "2:", "utf-8"},
      Row{"[grant]\nuser = 'x'\n", "1:", "grant: must be a list of tables: [[grant]]"},
      Row{"[[grant]]\n", "1:", "grant 1: needs a user, a group or a client"},
      Row{"[[grant]]\nmembers = ['*']\n", "1:", "grant 1: needs a user, a group or a client"},
      Row{"[[grant]]\nuser = 'x'\n", "1:", "grant 1: needs members"},
      Row{"[[grant]]\nuser = 'x'\nmembers = []\n", "1:", "grant 1: needs members"},
      Row{"[[grant]]\nuser = 'x'\nmembers = '*'\n", "3:11: ", "grant 1: members: must be a list"},
      Row{"[[grant]]\nuser = 'x'\nmembers = [1]\n", "3:12: ", "grant 1: members: must be a string"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['*', '42']\n",
          "3:17: ", "grant 1: members: must be \"*\", \"tag:NAME\" or a member key"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['id:0']\n", "3:12: ", "members: must be"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['tag:']\n", "3:12: ", "names no tag"},
      Row{"[[grant]]\nuser = 'x'\nmembers = [\"tag:a\\nb\"]\n", "3:12: ", "control character"},
      Row{"[[grant]]\nuser = ''\nmembers = ['*']\n", "2:8: ", "grant 1: user: must not be empty"},
      Row{"[[grant]]\nuser = 33\nmembers = ['*']\n", "2:8: ", "grant 1: user: must be a string"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['*']\n[[grant]]\ngroup = 'y'\nuser = 'x'\n",
          "6:8: ", "grant 2: user: a grant is for a user, for a group or for a client"},
      Row{"[[grant]]\nclient = 'a b'\nmembers = ['*']\n", "2:10: ", "client: must have 1 to 64"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['*']\nmay = []\n", "4:7: ", "must have a right"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['*']\nmay = ['fetch', 'sign-out']\n",
          "4:17: ", "must be fetch, enrol, sign_out or remove"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['tag:a']\nmay = ['enrol']\n",
          "1:", "enrol is the right to everybody's token, so it needs members = [\"*\"]"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['*']\nenrol_tags = ['a']\n",
          "1:", "enrol_tags needs the right enrol"},
      Row{"[[grant]]\nuser = 'x'\nmembers = ['*']\nmay = ['enrol']\nenrol_tags = ['']\n",
          "5:15: ", "names no tag"},
      Row{"[[client]]\nname = 'web'\n", "1:", "client 1: needs token_sha256"},
      Row{"[[client]]\ntoken_sha256 = []\n", "2:16: ", "must have 1 to 8 digests"},
      Row{"[[client]]\nname = '-web'\n", "2:8: ", "must have 1 to 64"},
      Row{"[[client]]\nname = 'web'\ntoken_sha256 = ['rota_abc']\n",
          "3:17: ", "must be the SHA-256 of a client's token"},
      Row{"[[listener]]\n", "1:", "listener 1: needs either an address or a path"},
      Row{"[[listener]]\naddress = '127.0.0.1:1'\npath = '/x.sock'\n", "1:", "needs either"},
      Row{"[[listener]]\naddress = '10.0.0.1:8465'\n", "2:11: ", "of the loopback interface"},
      Row{"[[listener]]\naddress = '0.0.0.0:8465'\n", "2:11: ", "of the loopback interface"},
      Row{"[[listener]]\naddress = '[::]:8465'\n", "2:11: ", "of the loopback interface"},
      Row{"[[listener]]\naddress = ''\n", "2:11: ", "of the loopback interface"},
      Row{"[[listener]]\naddress = '127.0.0.1:1'\nmode = '0600'\n", "1:", "only a path has a mode"},
      Row{"[[listener]]\npath = 'x.sock'\n", "2:8: ", "must be an absolute path"},
      Row{"[[listener]]\npath = '/x'\n[[listener]]\npath = '/x'\n",
          "3:", "another listener has the same address or path"},
      Row{"[[grant]]\nuser = 'x'\nmember = ['*']\n",
          "3:1: ", "grant 1: \"member\" is not a known key (did you mean \"members\"?)"},
  };
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.text);
    const std::string message = error_of(row.text);
    EXPECT_THAT(message, StartsWith(fmt::format("rotad.toml:{}", row.at)));
    EXPECT_THAT(message, HasSubstr(row.why));
  }
}

// Somebody who puts the secret itself into the file must not find it in the journal.
TEST(BadSettings, NoMessageRepeatsASecret) {
  for (const std::string_view line : {
           "app_token_credential = 'dir/Zq7secret'",
           "app_token = 'Zq7secret'",
           "app_token_file = Zq7secret",
           "app_token_file = 'Zq7secret",
           "app_token_file = \"Zq7secret\n",
           "base_url = 'https://me:Zq7secret@h'",
           "base_url = 'Zq7secret'",
           "app_token_credential = 'a' Zq7secret",
           "app_token_file = 'x'\napp_token_credential = 'Zq7secret'",
       }) {
    EXPECT_THAT(error_of(fmt::format("[upstream]\n{}\n", line)), Not(HasSubstr("Zq7")));
  }
}

}  // namespace
}  // namespace rota

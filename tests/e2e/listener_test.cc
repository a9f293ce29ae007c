// Listeners: clients with a bearer token, and everybody else.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "e2e/box.h"
#include "e2e/free_port.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kFetch = "/v1/token?community_member_id=1";

class Listener : public ::testing::Test {
 protected:
  Listener() {
    box.daemon.extra = fmt::format(
        "\n[[listener]]\naddress = \"127.0.0.1:{}\"\n[[listener]]\npath = \"{}\"\n"
        "[[grant]]\nclient = \"web\"\nmembers = [\"*\"]\nmay = [\"fetch\", \"sign_out\"]\n",
        port, path().string());
    box.daemon.write_config();
  }
  std::filesystem::path path() const { return box.folder.path() / "clients.sock"; }
  // `rota client …`; what it prints, without the end of the line.
  std::string client(std::vector<std::string> words) {
    words.insert(words.begin(), "client");
    words.insert(words.end(), {"--config", box.daemon.config_path().string()});
    const Finished done = run_cli(words);
    EXPECT_EQ(done.code, 0) << done.output;
    return done.output.substr(0, done.output.find('\n'));
  }
  Finished run_cli(const std::vector<std::string>& words) const { return box.daemon.cli(words); }
  std::string add(const std::string& name) {
    const std::string said = client({"add", name});
    // Standard output and errors are in one file here.
    const auto at = said.find("rota_");
    EXPECT_NE(at, std::string::npos) << said;
    return at == std::string::npos ? "" : said.substr(at);
  }
  void reload() { EXPECT_EQ(box.daemon.admin(post("/v1/roster/reload")).status, 200); }
  static std::string request(std::string_view target, std::string_view fields) {
    return fmt::format("GET {} HTTP/1.1\r\n{}\r\n", target, fields);
  }
  static std::string bearer(std::string_view token) {
    return fmt::format("Host: localhost\r\nAuthorization: Bearer {}\r\n", token);
  }
  Reply ask(std::string_view bytes) const {
    Connection connection = Connection::to_port(port);
    connection.send(bytes);
    return connection.read_reply();
  }
  void start() {
    ASSERT_TRUE(box.daemon.start());
    ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  }

  const std::uint16_t port = free_port();
  Box box{{"--access-ttl", "1h"}};
};

TEST_F(Listener, P11OnlyABearerTokenOpensIt) {
  const std::string token = add("web");
  start();
  const Reply served = ask(request(kFetch, bearer(token)));
  EXPECT_EQ(served.status, 200);
  EXPECT_EQ(box.sandbox.state_of(served.text("access_token")), "live");
  for (const std::string& fields : {std::string("Host: localhost\r\n"), bearer("rota_wrong"),
                                    bearer(token.substr(0, token.size() - 1))}) {
    Connection connection = Connection::to_port(port);
    connection.send(request(kFetch, fields));
    const Reply refused = connection.read_reply();
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.text("message"), "Your account could not be authenticated.");
    EXPECT_TRUE(connection.at_end());
  }
  EXPECT_EQ(ask(request("/healthz", "Host: localhost\r\n")).status, 200);
  EXPECT_EQ(ask(request("/readyz", "Host: localhost\r\n")).status, 401);
  EXPECT_EQ(ask(request("/v1/status", bearer(token))).status, 404) << "no admin routes";
  EXPECT_TRUE(box.daemon.comes_to_say("a listener refused a request: it has no bearer token"));
  const std::string numbers = box.daemon.admin(get("/metrics")).body;
  EXPECT_THAT(numbers, HasSubstr("\nrota_client_fetches_total{client=\"web\"} 1\n"));
  EXPECT_THAT(numbers,
              HasSubstr("\nrota_listener_requests_refused_total{reason=\"no_bearer\"} 2\n"));
  EXPECT_THAT(numbers,
              HasSubstr("\nrota_listener_requests_refused_total{reason=\"unknown_bearer\"} 2\n"));
  EXPECT_THAT(box.daemon.admin(get("/v1/audit?limit=1000")).body,
              HasSubstr("\"event\":\"client_refused\""));
}

TEST_F(Listener, TheTrailNamesTheClientThatAskedForASignOut) {
  const std::string token = add("web");
  start();
  Connection connection = Connection::to_port(port);
  connection.send("POST /v1/members/id:1/sign-out HTTP/1.1\r\nContent-Length: 0\r\n" +
                  bearer(token) + "\r\n");
  EXPECT_EQ(connection.read_reply().status, 200);
  const auto trail = box.daemon.admin(get("/v1/audit?limit=1000")).json();
  std::size_t found = 0;
  for (const auto& each : trail.at("entries").as_array()) {
    if (each.at("event").as_string() != "sign_out_asked") continue;
    ++found;
    EXPECT_EQ(each.at("client").as_string(), "web");
    EXPECT_EQ(each.at("member").as_string(), "id:1");
    EXPECT_TRUE(each.at("uid").is_null());
  }
  EXPECT_EQ(found, 1U);
}

// A page in a browser cannot leave out these headers.
TEST_F(Listener, P11APageOrAReboundNameGetsNothing) {
  const std::string token = add("web");
  start();
  const std::string authorization = fmt::format("Authorization: Bearer {}\r\n", token);
  EXPECT_EQ(
      ask(request(kFetch, "Host: localhost\r\nOrigin: https://evil.example\r\n" + authorization))
          .status,
      403);
  EXPECT_EQ(
      ask(request(kFetch, fmt::format("Host: evil.example:{}\r\n", port) + authorization)).status,
      403);
  EXPECT_EQ(
      ask(request(kFetch, fmt::format("Host: 127.0.0.1:{}\r\n", port) + authorization)).status,
      200);
}

// The socket is mounted into a container: its users mean nothing here, root included.
TEST_F(Listener, P11TheKernelIsNotAskedWhoConnects) {
  const std::string token = add("web");
  box.daemon.serve["token_socket_mode"] = "\"0666\"";
  start();
  for (const auto& mode : {std::filesystem::perms::others_exec}) {
    std::filesystem::permissions(box.folder.path(), mode, std::filesystem::perm_options::add);
    std::filesystem::permissions(box.daemon.folder(), mode, std::filesystem::perm_options::add);
  }
  const auto as_container_root = [&](const std::filesystem::path& socket,
                                     const std::string& authorization) {
    return run({"setpriv", "--reuid=62003", "--regid=62003", "--clear-groups", "unshare", "--user",
                "--map-root-user", "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
                "--unix-socket", socket.string(), "-H", authorization,
                "http://localhost" + std::string(kFetch)},
               box.folder.path())
        .output;
  };
  EXPECT_EQ(as_container_root(path(), "X: y"), "401");
  EXPECT_EQ(as_container_root(path(), "Authorization: Bearer " + token), "200");
  EXPECT_EQ(as_container_root(box.daemon.token_socket(), "Authorization: Bearer " + token), "403")
      << "on the token socket a bearer token means nothing";
  Connection root = Connection::to_unix(path());
  root.send(get(kFetch));
  EXPECT_EQ(root.read_reply().status, 401) << "nor does the real root";
}

TEST_F(Listener, ATokenIsRotatedWithoutAGapAndTakenBackAtAReload) {
  const std::string first = add("web");
  start();
  Connection kept = Connection::to_port(port);
  kept.send(request(kFetch, bearer(first)));
  EXPECT_EQ(kept.read_reply().status, 200);
  const std::string second = add("web");
  EXPECT_NE(run_cli({"client", "add", "web", "--config", box.daemon.config_path()}).code, 0)
      << "two are enough";
  EXPECT_EQ(ask(request(kFetch, bearer(second))).status, 401) << "not before the reload";
  EXPECT_THAT(run_cli({"reload"}).output, HasSubstr("\nclients: 1 changed\n"));
  EXPECT_EQ(ask(request(kFetch, bearer(second))).status, 200);
  kept.send(request(kFetch, bearer(first)));
  EXPECT_EQ(kept.read_reply().status, 200);
  client({"remove", "web", "--old"});
  reload();
  EXPECT_TRUE(kept.at_end()) << "the open connection, too";
  EXPECT_EQ(ask(request(kFetch, bearer(first))).status, 401);
  EXPECT_EQ(ask(request(kFetch, bearer(second))).status, 200);
  EXPECT_THAT(client({"list"}), ::testing::StartsWith("web "));
  client({"remove", "web"});
  EXPECT_THAT(run_cli({"reload"}).output, HasSubstr("\nclients: 1 removed\n"));
  EXPECT_EQ(ask(request(kFetch, bearer(second))).status, 401);
  EXPECT_TRUE(box.daemon.comes_to_say("there is no [[client]] \"web\""));
}

TEST_F(Listener, P11AnErrorElsewhereKeepsNoRemovedClient) {
  const std::string gone = add("web");
  const std::string kept = add("other");
  box.daemon.extra += "[[grant]]\nclient = \"other\"\nmembers = [\"*\"]\n";
  box.daemon.write_config();
  start();
  EXPECT_EQ(ask(request(kFetch, bearer(gone))).status, 200);
  const auto folder = box.daemon.folder() / "clients.d";
  std::filesystem::rename(folder / "other.toml", folder / "other2.toml");
  std::filesystem::remove(folder / "web.toml");
  std::ofstream(folder / "bad.toml") << "[[client\n";
  const Finished failed = run_cli({"reload"});
  EXPECT_EQ(failed.code, 1) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("(clients: 1 removed)"));
  EXPECT_EQ(ask(request(kFetch, bearer(gone))).status, 401);
  EXPECT_EQ(ask(request(kFetch, bearer(kept))).status, 200);
  // A file that is no TOML takes nothing away of what it gave.
  std::ofstream(folder / "other2.toml") << "[[client\n";
  EXPECT_EQ(run_cli({"reload"}).code, 1);
  EXPECT_EQ(ask(request(kFetch, bearer(kept))).status, 200);
  std::filesystem::remove(folder / "other2.toml");
  EXPECT_EQ(run_cli({"reload"}).code, 1);
  EXPECT_EQ(ask(request(kFetch, bearer(kept))).status, 401);
}

// A listener that cannot be opened must not end the token socket: it is tried again.
TEST_F(Listener, APlaceThatIsTakenIsTriedAgain) {
  const std::string token = add("web");
  int taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(taken, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  address.sin_port = ::htons(port);
  ASSERT_EQ(::bind(taken, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(::listen(taken, 1), 0);
  const auto later = box.folder.path() / "later";
  box.daemon.extra += fmt::format("[[listener]]\npath = \"{}\"\n", (later / "s.sock").string());
  start();
  const auto ready = [&] { return box.daemon.admin(get("/readyz")).body; };
  EXPECT_THAT(ready(), HasSubstr("listener_not_listening"));
  EXPECT_THAT(run_cli({"status", "--all"}).output, HasSubstr("in use: another process"));
  Connection other = Connection::to_unix(path());
  other.send(request(kFetch, bearer(token)));
  EXPECT_EQ(other.read_reply().status, 200) << "the other listener is served";

  ::close(taken);
  std::filesystem::create_directory(later);
  EXPECT_TRUE(eventually([&] { return !ready().contains("listener_not_listening"); }));
  EXPECT_EQ(ask(request(kFetch, bearer(token))).status, 200);
  Connection folder = Connection::to_unix(later / "s.sock");
  folder.send(request(kFetch, bearer(token)));
  EXPECT_EQ(folder.read_reply().status, 200);
  EXPECT_TRUE(box.daemon.comes_to_say("listening on each [[listener]] now"));
  EXPECT_EQ(box.daemon.stop(), 0);
}

TEST_F(Listener, TheDoctorLooksAtThem) {
  box.daemon.extra += "[[grant]]\nuser = \"62001\"\nmembers = [\"*\"]\n";
  add("web");
  const auto doctor = [&] {
    return run_cli({"doctor", "--all", "--no-check", "--config", box.daemon.config_path().string()})
        .output;
  };
  start();
  const std::string well = doctor();
  const std::string place = fmt::format("127.0.0.1:{}", port);
  EXPECT_THAT(well, HasSubstr(place + " listens, and answers 401"));
  EXPECT_THAT(well, HasSubstr(path().string() + " listens, and answers 401"));
  EXPECT_THAT(well, HasSubstr("client:web may sign out members whose tokens others fetch"));
  box.daemon.kill9();
  EXPECT_THAT(doctor(), HasSubstr("nobody listens on " + place));
}

TEST_F(Listener, P10NoFileHasTheToken) {
  const std::string token = add("web");
  start();
  EXPECT_EQ(ask(request(kFetch, bearer(token))).status, 200);
  EXPECT_EQ(ask(request(kFetch, bearer(token + "x"))).status, 401);
  const auto file = box.daemon.folder() / "clients.d" / "web.toml";
  EXPECT_THAT(testing::read_bytes(file), HasSubstr("token_sha256"));
  EXPECT_THAT(testing::read_bytes(file), Not(HasSubstr(token)));
  for (const std::string& text : box.daemon.all_that_it_wrote()) {
    EXPECT_EQ(text.find(token), std::string::npos);
  }
}

TEST_F(Listener, P11StrangersCostTheUnixSocketAndKnownClientsNothing) {
  const std::string token = add("web");
  start();
  Connection known = Connection::to_port(port);
  known.send(request(kFetch, bearer(token)));
  EXPECT_EQ(known.read_reply().status, 200);
  std::vector<Connection> silent;
  for (int i = 0; i < 400; ++i) silent.push_back(Connection::to_port(port));
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(box.daemon.token("community_member_id=1").empty());
    known.send(request(kFetch, bearer(token)));
    EXPECT_EQ(known.read_reply().status, 200);
  }
  EXPECT_EQ(ask(request(kFetch, bearer(token))).status, 200) << "a new one gets in";
  // Whoever says nothing is let go by itself.
  EXPECT_TRUE(eventually([&] { return silent.back().at_end(); }));
}

}  // namespace
}  // namespace rota::e2e

// nginx in front of the token socket: Debian's, with its defaults for whatever a proxy decides.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "e2e/box.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;

// It passes requests on to `upstream`: at /, as a bare proxy_pass does, one connection for each
// request; below /kept/, over one connection that is kept, and with so small a buffer that it takes
// in no body together with the head.
std::string configuration(const std::filesystem::path& folder,
                          const std::filesystem::path& upstream) {
  constexpr std::string_view kConfiguration = R"(
daemon off;
master_process off;
pid {0}/nginx.pid;
error_log {0}/error.log info;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {0}/body;
  proxy_temp_path {0}/proxy;
  fastcgi_temp_path {0}/fastcgi;
  uwsgi_temp_path {0}/uwsgi;
  scgi_temp_path {0}/scgi;
  upstream kept {{ server unix:{1}; keepalive 1; }}
  server {{
    listen unix:{0}/nginx.sock;
    location / {{ proxy_pass http://unix:{1}; }}
    location /kept/ {{
      proxy_pass http://kept/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffer_size 512;
    }}
  }}
}}
)";
  return fmt::format(kConfiguration, folder.string(), upstream.string());
}

class Nginx : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(box.daemon.start());
    for (const char* query : {"community_member_id=1", "sso_user_id=sso%7C3"}) {
      ASSERT_TRUE(eventually([&] { return !box.daemon.token(query).empty(); }));
    }
    const auto file = folder.path() / "nginx.conf";
    testing::write_bytes(file, configuration(folder.path(), box.daemon.token_socket()));
    // One process, and so the user of this test, who may read tokens.
    process.emplace(std::vector<std::string>{"/usr/sbin/nginx", "-e", "stderr", "-p", folder.path(),
                                             "-c", file},
                    folder.path() / "nginx.out");
    // It writes that once it listens.
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder.path() / "nginx.pid"); }))
        << process->output();
  }
  // The daemon's, each by its inode.
  std::set<std::string> sockets() {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(
             fmt::format("/proc/{}/fd", box.daemon.process().pid()))) {
      std::error_code gone;
      const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
      if (target.starts_with("socket:")) found.insert(target);
    }
    return found;
  }
  Connection connect() const { return Connection::to_unix(folder.path() / "nginx.sock"); }
  Box box{{"--access-ttl", "1h"}};  // no event and no byte comes but what the test makes come
  testing::TempDirectory folder;
  std::optional<Process> process;
};

// nginx keeps a reply back until it has some KiB of it, unless the reply says otherwise. The events
// of a watch would come hours late.
TEST_F(Nginx, AWatchShowsItsEventsAtOnce) {
  for (const auto& [target, member] :
       {std::pair("/v1/watch?community_member_id=1", "id:1"),
        std::pair("/kept/v1/watch?sso_user_id=sso%7C3", "sso:sso|3")}) {
    SCOPED_TRACE(target);
    Connection watch = connect();
    watch.send(get(target));
    ASSERT_THAT(watch.read_until("\r\n\r\n"), HasSubstr("text/event-stream"));
    ASSERT_THAT(watch.read_until("\n\n"), HasSubstr("event: token"));
    ASSERT_EQ(box.daemon.cli({"revoke", member}).code, 0);
    ASSERT_THAT(watch.read_until("\n\n"), HasSubstr("event: retired"));
  }
}

TEST_F(Nginx, P10NoCacheMayKeepAToken) {
  for (const char* target :
       {"/v1/token?community_member_id=1", "/kept/v1/token?community_member_id=1"}) {
    SCOPED_TRACE(target);
    Connection connection = connect();
    connection.send(get(target));
    const Reply reply = connection.read_reply();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(box.sandbox.state_of(reply.text("access_token")), "live");
    EXPECT_THAT(reply.head, HasSubstr("Cache-Control: no-store\r\n"));
    EXPECT_THAT(reply.head, HasSubstr("Rota-Expires-In: "));
  }
}

// nginx gives up a connection on which more comes than the head of a reply to HEAD.
TEST_F(Nginx, AHeadLeavesTheKeptConnectionAsItWas) {
  for (const char* target : {"/v1/token?community_member_id=1", "/readyz", "/nowhere"}) {
    SCOPED_TRACE(target);
    Connection connection = connect();
    const auto head = [&] {
      connection.send(fmt::format("HEAD /kept{} HTTP/1.1\r\nHost: rota\r\n\r\n", target));
      return connection.read_until("\r\n\r\n");
    };
    EXPECT_THAT(head(), ::testing::ContainsRegex("Content-Length: [1-9]"));
    const std::set<std::string> before = sockets();
    for (int i = 0; i < 3; ++i) {
      EXPECT_THAT(head(), ::testing::ContainsRegex("Content-Length: [1-9]"));
      connection.send(get("/kept/healthz"));
      EXPECT_EQ(connection.read_reply().body, R"({"status":"ok"})");
    }
    EXPECT_THAT(sockets(), ::testing::IsSubsetOf(before)) << "no new connection";
  }
}

}  // namespace
}  // namespace rota::e2e

// Debian's nginx with auth_request before a stand-in for Circle's member API.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "e2e/box.h"
#include "e2e/free_port.h"

namespace rota::e2e {
namespace {

// The page below /community/ asks rotad for the authorization of the member in the header
// "X-Member", and passes it on to a server that says which one it got. Below /port/ it asks the
// listener.
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
  upstream rota {{ server unix:{1}; keepalive 4; }}
  upstream rota_port {{ server 127.0.0.1:{2}; keepalive 4; }}
  upstream circle {{ server unix:{0}/circle.sock; }}
  server {{
    listen unix:{0}/circle.sock;
    location /api/headless/v1/ {{ return 200 "$http_authorization"; }}
  }}
  server {{
    listen unix:{0}/nginx.sock;
    location /community/ {{
      auth_request /rota;
      auth_request_set $authorization $upstream_http_authorization;
      proxy_set_header Authorization $authorization;
      proxy_pass http://circle/api/headless/v1/;
    }}
    location = /rota {{
      internal;
      proxy_pass http://rota/v1/authorization?community_member_id=$http_x_member;
      proxy_http_version 1.1;
      proxy_pass_request_headers off;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Host localhost;
    }}
    location /port/ {{
      auth_request /rota_port;
      auth_request_set $authorization $upstream_http_authorization;
      proxy_set_header Authorization $authorization;
      proxy_pass http://circle/api/headless/v1/;
    }}
    location = /rota_port {{
      internal;
      proxy_pass http://rota_port/v1/authorization?community_member_id=$http_x_member;
      proxy_http_version 1.1;
      proxy_pass_request_headers off;
      proxy_pass_request_body off;
      proxy_set_header Connection "";
      proxy_set_header Host localhost;
      proxy_set_header Authorization "Bearer {3}";
    }}
  }}
}}
)";

class Authorization : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::uint16_t port = free_port();
    box.daemon.extra = fmt::format(
        "\n[[listener]]\naddress = \"127.0.0.1:{}\"\n"
        "[[grant]]\nclient = \"web\"\nmembers = [\"*\"]\n",
        port);
    box.daemon.write_config();
    const Finished added =
        box.daemon.cli({"client", "add", "web", "--config", box.daemon.config_path().string()});
    ASSERT_EQ(added.code, 0) << added.output;
    const auto at = added.output.find("rota_");
    ASSERT_NE(at, std::string::npos) << added.output;
    const std::string token = added.output.substr(at, added.output.find('\n', at) - at);
    ASSERT_TRUE(box.daemon.start());
    ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
    const auto file = folder.path() / "nginx.conf";
    testing::write_bytes(file, fmt::format(kConfiguration, folder.path().string(),
                                           box.daemon.token_socket().string(), port, token));
    process.emplace(std::vector<std::string>{"/usr/sbin/nginx", "-e", "stderr", "-p", folder.path(),
                                             "-c", file},
                    folder.path() / "nginx.out");
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder.path() / "nginx.pid"); }))
        << process->output();
  }
  Reply ask(std::string_view path, std::string_view fields) const {
    Connection connection = Connection::to_unix(folder.path() / "nginx.sock");
    connection.send(fmt::format("GET {} HTTP/1.1\r\nHost: app.example\r\n{}\r\n", path, fields));
    return connection.read_reply();
  }
  Box box{{"--access-ttl", "1h"}};
  testing::TempDirectory folder;
  std::optional<Process> process;
};

TEST_F(Authorization, APageReachesCircleWithTheRightBearer) {
  for (const char* path : {"/community/posts", "/port/posts"}) {
    const Reply reply = ask(path, "X-Member: 1\r\n");
    EXPECT_EQ(reply.status, 200) << path << process->output();
    ASSERT_TRUE(reply.body.starts_with("Bearer ")) << reply.body;
    EXPECT_EQ(box.sandbox.state_of(reply.body.substr(7)), "live");
    EXPECT_EQ(reply.body.substr(7), box.daemon.token("community_member_id=1"));
  }
}

// What a browser sends in its own name does not reach rotad, nor Circle.
TEST_F(Authorization, TheBrowsersOwnHeadersDoNotCount) {
  for (const char* path : {"/community/posts", "/port/posts"}) {
    const Reply reply = ask(path,
                            "X-Member: 1\r\nAuthorization: Bearer evil\r\n"
                            "Origin: https://app.example\r\nCookie: a=" +
                                std::string(6'000, 'b') + "\r\n");
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.body.substr(7), box.daemon.token("community_member_id=1"));
  }
}

TEST_F(Authorization, EverythingElseIs401Or403) {
  for (const char* path : {"/community/posts", "/port/posts"}) {
    EXPECT_EQ(ask(path, "").status, 401) << "nobody is logged in";
    EXPECT_EQ(ask(path, "X-Member: 99\r\n").status, 403) << "nobody's id";
    EXPECT_EQ(ask(path, "X-Member: none\r\n").status, 401);
  }
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  for (const char* path : {"/community/posts", "/port/posts"}) {
    EXPECT_EQ(ask(path, "X-Member: 1\r\n").status, 403) << "blocked";
  }
}

}  // namespace
}  // namespace rota::e2e

// A real browser (Debian's chromium, without a window) at a listener.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "e2e/box.h"
#include "e2e/free_port.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A page of somebody else's. It tries to read a token in three ways, and says what came of each.
constexpr std::string_view kPage =
    "<body>no script ran<script>(async () => {{"
    "  const got = [];"
    "  for (const init of [{{}}, {{mode: `no-cors`}}, {{headers: {{Authorization: `Bearer "
    "{1}`}}}}]) {{"
    "    try {{"
    "      const reply = await fetch(`http://127.0.0.1:{0}/v1/token?community_member_id=1`, init);"
    "      got.push(`status ${{reply.status}} [${{await reply.text()}}]`);"
    "    }} catch (error) {{ got.push(`refused`); }}"
    "  }}"
    "  document.body.textContent = `tried: ` + got.join(`, `);"
    "}})();</script>";

constexpr std::string_view kServer = R"(
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
  default_type text/html;
  server {{ listen 127.0.0.1:{1}; root {0}; }}
}}
)";

class Browser : public ::testing::Test {
 protected:
  void SetUp() override {
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
    token = added.output.substr(at, added.output.find('\n', at) - at);
    ASSERT_TRUE(box.daemon.start());
    ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  }
  // The text of the page after its script has ended.
  std::string visit(const std::string& url) const {
    return run({"/usr/bin/chromium", "--headless", "--no-sandbox", "--disable-gpu",
                "--disable-features=HttpsUpgrades",
                "--host-resolver-rules=MAP rebound.example 127.0.0.1",
                fmt::format("--user-data-dir={}", (folder.path() / "profile").string()),
                "--virtual-time-budget=20000", "--dump-dom", url},
               folder.path(), {{"HOME", folder.path().string()}}, Seconds{60})
        .output;
  }
  const std::uint16_t port = free_port();
  Box box{{"--access-ttl", "1h"}};
  testing::TempDirectory folder;
  std::string token;
};

TEST_F(Browser, P11AForeignPageReadsNothing) {
  const std::uint16_t elsewhere = free_port();
  testing::write_bytes(folder.path() / "page.html", fmt::format(kPage, port, token));
  const auto file = folder.path() / "nginx.conf";
  testing::write_bytes(file, fmt::format(kServer, folder.path().string(), elsewhere));
  Process server({"/usr/sbin/nginx", "-e", "stderr", "-p", folder.path(), "-c", file},
                 folder.path() / "nginx.out");
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder.path() / "nginx.pid"); }))
      << server.output();
  const std::string page = visit(fmt::format("http://127.0.0.1:{}/page.html", elsewhere));
  EXPECT_THAT(page, HasSubstr("tried: refused, status 0 [], refused"));
  EXPECT_TRUE(box.daemon.comes_to_say("it comes from a browser"))
      << "not the browser alone keeps the page out";
  EXPECT_THAT(page, Not(HasSubstr(box.daemon.token("community_member_id=1"))));
}

TEST_F(Browser, P11AReboundNameIsRefused) {
  EXPECT_THAT(visit(fmt::format("http://127.0.0.1:{}/healthz", port)), HasSubstr("\"ok\""))
      << "the browser gets there";
  const std::string page = visit(fmt::format("http://rebound.example:{}/healthz", port));
  EXPECT_THAT(page, HasSubstr("forbidden"));
  EXPECT_THAT(page, Not(HasSubstr("\"ok\"")));
}

}  // namespace
}  // namespace rota::e2e

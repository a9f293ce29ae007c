// Apps that were written for Circle, and cannot tell Rota that Circle refused a token: they log the
// member in again, refresh, or log in at each page view.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

#include "e2e/box.h"

namespace rota::e2e {
namespace {

class PageViews : public ::testing::Test {
 protected:
  Reply call(std::string_view method, std::string_view path, std::string_view body) const {
    Connection connection = Connection::to_unix(box.daemon.token_socket());
    connection.send(
        fmt::format("{} /api/v1/headless/{} HTTP/1.1\r\nHost: localhost\r\n"
                    "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                    method, path, body.size(), body));
    return connection.read_reply();
  }
  Reply log_in(std::string_view selector) const { return call("POST", "auth_token", selector); }
  Reply refresh(const Reply& pair) const {
    return call("PATCH", "access_token/refresh",
                fmt::format(R"({{"refresh_token":"{}"}})", pair.text("refresh_token")));
  }
  // What Circle says to whoever uses the token.
  int use(const Reply& reply) const {
    return box.sandbox.state_of(reply.text("access_token")) == "live" ? 200 : 401;
  }
  void make_circle_refuse(const Reply& reply) const {
    EXPECT_EQ(use(reply), 200);
    const auto body = fmt::format(R"({{"token":"{}"}})", reply.text("access_token"));
    EXPECT_EQ(box.sandbox.control(post("/_sandbox/revoke", body)).status, 200);
    EXPECT_EQ(use(reply), 401);
  }

  Box box{{"--access-ttl", "1h"}};
};

// eventually() gives up within less than the minute that the app may have to wait.
TEST_F(PageViews, AfterA401TheNextTokenComesWithinAMinuteAndCostsOneCall) {
  static_assert(kLimit <= std::chrono::minutes{1});
  constexpr std::string_view kDrops = R"({"community_member_id":1})";
  constexpr std::string_view kRefreshes = R"({"email":"member2@example.com"})";
  constexpr std::string_view kViews = R"({"sso_user_id":"sso|3"})";
  ASSERT_TRUE(box.daemon.start());
  const Reply dropped = log_in(kDrops);
  const Reply refreshed = log_in(kRefreshes);
  make_circle_refuse(dropped);
  make_circle_refuse(refreshed);
  ASSERT_EQ(box.sandbox.calls(), 2 + (use(log_in(kViews)) == 200 ? 1 : 0));

  int views = 0;
  Reply again;
  const auto each_serves_its_member = [&](const Reply& reply, int member) {
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(reply.json().at("community_member_id"), member);
  };
  EXPECT_TRUE(eventually([&] {
    again = log_in(kDrops);
    each_serves_its_member(again, 1);
    ++views;
    const Reply view = log_in(kViews);
    each_serves_its_member(view, 3);
    EXPECT_EQ(use(view), 200);
    return use(again) == 200;
  }));
  EXPECT_NE(again.text("access_token"), dropped.text("access_token"));
  EXPECT_TRUE(eventually([&] { return use(refresh(refreshed)) == 200; }));
  // One issue and at most one refresh a member, however often they log in.
  while (views++ < 300) EXPECT_EQ(use(log_in(kViews)), 200);
  EXPECT_EQ(use(log_in(kDrops)), 200);
  EXPECT_EQ(box.sandbox.calls(), 3 + 3);
  EXPECT_EQ(box.sandbox.stats().at("violations").at("total").as_int64(), 0);
}

}  // namespace
}  // namespace rota::e2e

#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <string_view>

#include "base/time.h"
#include "sandbox/circle.h"
#include "sandbox/control.h"

namespace rota::sandbox {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

inline constexpr std::string_view kIssuePath = "/api/v1/headless/auth_token";
inline constexpr std::string_view kRefreshPath = "/api/v1/headless/access_token/refresh";
inline constexpr std::string_view kRevokeAccessPath = "/api/v1/headless/access_token/revoke";
inline constexpr std::string_view kRevokeRefreshPath = "/api/v1/headless/refresh_token/revoke";
inline constexpr std::string_view kBearer = "Bearer sandbox-app-token";

struct Pair {
  std::string access;
  std::string refresh;
};

// A Circle with members 1 to 3 on a clock that stands still unless told to move.
class CircleTest : public testing::Test {
 protected:
  explicit CircleTest(CircleOptions options = {}) : circle_(std::move(options)) {
    for (MemberId id = 1; id <= 3; ++id) circle_.members().put(numbered_member(id));
  }

  void advance(Duration by) {
    now_.wall += by;
    now_.boot += by;
  }

  // Carries a call out to its end, its reply written.
  Exchange call(const Request& request) {
    Exchange exchange = circle_.begin(request, now_);
    circle_.end(exchange, true);
    return exchange;
  }
  Exchange exchange_of(std::string_view method, std::string_view path, std::string_view body) {
    return call({method, path, kBearer, "application/json", body});
  }
  Reply post(std::string_view path, std::string_view body) {
    return exchange_of("POST", path, body).reply;
  }
  Reply issue(std::string_view body = R"({"community_member_id":1})") {
    return post(kIssuePath, body);
  }
  Reply refresh(std::string_view token) {
    return exchange_of("PATCH", kRefreshPath, field("refresh_token", token)).reply;
  }
  Reply revoke_access(std::string_view token) {
    return post(kRevokeAccessPath, field("access_token", token));
  }
  Reply revoke_refresh(std::string_view token) {
    return post(kRevokeRefreshPath, field("refresh_token", token));
  }
  Pair issued_pair(std::string_view body = R"({"community_member_id":1})") {
    const boost::json::object reply = object_of(issue(body));
    return {text_of(reply, "access_token"), text_of(reply, "refresh_token")};
  }
  std::string refreshed(std::string_view token) {
    return text_of(object_of(refresh(token)), "access_token");
  }

  Reply ask(std::string_view method, std::string_view target, std::string_view body = {}) {
    return control(circle_, {method, target, {}, {}, body}, now_);
  }
  std::string state_of(std::string_view token) {
    return text_of(object_of(ask("GET", "/_sandbox/check?token=" + std::string(token))), "state");
  }
  boost::json::object stats() { return object_of(ask("GET", "/_sandbox/stats")); }
  void use_faults(std::string_view rules) {
    ASSERT_EQ(ask("POST", "/_sandbox/faults", rules).status, 200);
  }
  void set(std::string_view options) {
    ASSERT_EQ(ask("POST", "/_sandbox/options", options).status, 200);
  }

  static std::string field(std::string_view name, std::string_view value) {
    return boost::json::serialize(boost::json::object{{name, value}});
  }
  static boost::json::object object_of(const Reply& reply) {
    boost::json::error_code ec;
    const boost::json::value value = boost::json::parse(reply.body, ec);
    EXPECT_FALSE(ec) << reply.body;
    if (ec || !value.is_object()) return {};
    return value.get_object();
  }
  static std::string text_of(const boost::json::object& object, std::string_view name) {
    const boost::json::value* value = object.if_contains(name);
    EXPECT_TRUE(value != nullptr && value->is_string()) << name;
    if (value == nullptr || !value->is_string()) return {};
    return std::string(std::string_view(value->get_string()));
  }

  Circle circle_;
  // 2024-03-20T16:54:47.274Z
  Now now_{WallTime{Duration{1'710'953'687'274}}, BootTime{hours{5}}};
};

// `body` is compared as JSON text without spaces, in Circle's order of fields.
inline void expect_reply(const Reply& reply, int status, std::string_view body) {
  EXPECT_EQ(reply.status, status);
  EXPECT_EQ(reply.body, body);
  EXPECT_EQ(reply.content_type, "application/json; charset=utf-8");
}

}  // namespace rota::sandbox

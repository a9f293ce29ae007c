#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "auth/blocking_headless_auth_client.h"
#include "tests/unit/auth/transport_fixture.h"
#include "tests/unit/circle/replies.h"

namespace rota {
namespace {

using Client = BlockingHeadlessAuthClient;

struct Exchange {
  std::optional<WireRequest> request;
  std::string reply;
};

// Makes one call against a server that answers with `reply`, and returns what the server saw.
WireRequest wire_of(std::string reply, const std::function<void(Client&)>& call) {
  std::optional<WireRequest> seen;
  ScriptedServer server([&seen, &reply](ScriptedServer& s) {
    auto connection = s.accept();
    seen = connection.read_request();
    connection.write(reply);
  });
  auto client = Client::create(options_for(server.url())).value();
  call(*client);
  server.finish();
  return seen.value();
}

void expect_request(const WireRequest& seen, std::string_view method, std::string_view target,
                    std::string_view body) {
  EXPECT_EQ(seen.method, method);
  EXPECT_EQ(seen.target, target);
  EXPECT_EQ(seen.body, body);
  EXPECT_EQ(seen.headers.at("authorization"), "Bearer app-token-1");
  EXPECT_EQ(seen.headers.at("content-type"), "application/json");
  EXPECT_EQ(seen.headers.at("accept"), "application/json");
  EXPECT_EQ(seen.headers.at("accept-encoding"), "gzip");
  EXPECT_THAT(seen.headers.at("user-agent"), testing::MatchesRegex("rota/[0-9.]+"));
  EXPECT_THAT(seen.headers.at("host"), testing::StartsWith("127.0.0.1:"));
  EXPECT_EQ(seen.headers.at("content-length"), std::to_string(body.size()));
  EXPECT_EQ(seen.headers.size(), 7u) << seen.raw_head;
}

void expect_pair(const AuthResult<TokenPair>& pair) {
  ASSERT_TRUE(pair.has_value()) << pair.error().message;
  EXPECT_EQ(pair->access.value->reveal(), replies::kAccess);
  EXPECT_EQ(pair->refresh->reveal(), replies::kRefresh);
  EXPECT_EQ(pair->community_member_id, 7);
}

constexpr auto kIssuePath = "/api/v1/headless/auth_token";

TEST(ClientWire, PairFromCommunityMemberId) {
  const auto seen = wire_of(http_reply(200, replies::pair_json()), [](Client& client) {
    expect_pair(client.member_api_token_from_community_member_id(42));
  });
  expect_request(seen, "POST", kIssuePath, R"({"community_member_id":42})");
}

TEST(ClientWire, PairFromEmail) {
  const auto seen = wire_of(http_reply(200, replies::pair_json()), [](Client& client) {
    expect_pair(client.member_api_token_from_email("grace@example.com"));
  });
  expect_request(seen, "POST", kIssuePath, R"({"email":"grace@example.com"})");
}

TEST(ClientWire, PairFromSsoId) {
  const auto seen = wire_of(http_reply(200, replies::pair_json()), [](Client& client) {
    expect_pair(client.member_api_token_from_sso_id("google-oauth2|106"));
  });
  expect_request(seen, "POST", kIssuePath, R"({"sso_user_id":"google-oauth2|106"})");
}

TEST(ClientWire, AccessTokenFromRefreshToken) {
  const auto seen = wire_of(http_reply(200, replies::access_json()), [](Client& client) {
    const auto access = client.member_api_token_from_refresh_token(make_secret("r-1"));
    ASSERT_TRUE(access.has_value()) << access.error().message;
    EXPECT_EQ(access->value->reveal(), replies::kAccess);
    EXPECT_EQ(format_iso8601(access->expires_at), "2022-01-01T00:00:00.000Z");
  });
  expect_request(seen, "PATCH", "/api/v1/headless/access_token/refresh",
                 R"({"refresh_token":"r-1"})");
}

TEST(ClientWire, RevokeRefreshToken) {
  const auto seen = wire_of("HTTP/1.1 204 No Content\r\n\r\n", [](Client& client) {
    EXPECT_EQ(client.revoke_refresh_token(make_secret("r-1")), Revocation::kRevoked);
  });
  expect_request(seen, "POST", "/api/v1/headless/refresh_token/revoke",
                 R"({"refresh_token":"r-1"})");
}

TEST(ClientWire, RevokeMemberApiToken) {
  const auto seen = wire_of(
      http_reply(422, replies::error_json("The access token not found.")), [](Client& client) {
        EXPECT_EQ(client.revoke_member_api_token(make_secret("a-1")), Revocation::kAlreadyDead);
      });
  expect_request(seen, "POST", "/api/v1/headless/access_token/revoke", R"({"access_token":"a-1"})");
}

TEST(ClientWire, FailuresNameTheirKind) {
  struct Case {
    std::string reply;
    AuthFailureKind kind;
  };
  for (const Case& c : {
           Case{http_reply(404, replies::error_json("Community member not found. Please provide")),
                AuthFailureKind::kMemberUnknown},
           Case{http_reply(401, replies::error_json("Your account could not be authenticated.")),
                AuthFailureKind::kAppTokenRefused},
           Case{http_reply(403, replies::error_json("No.")), AuthFailureKind::kNotEligible},
           Case{http_reply(502, replies::kHtml502), AuthFailureKind::kUnclearReply},
           Case{http_reply(422, replies::error_json("There was an error.")),
                AuthFailureKind::kServerError},
           Case{http_reply(200, R"({"status":"unauthorized"})"), AuthFailureKind::kUnclearReply},
           Case{"", AuthFailureKind::kNoReply},
       }) {
    wire_of(c.reply, [&c](Client& client) {
      const auto pair = client.member_api_token_from_email("a@b.c");
      ASSERT_FALSE(pair.has_value());
      EXPECT_EQ(pair.error().kind, c.kind) << c.reply << name_of(pair.error().kind);
      EXPECT_FALSE(pair.error().message.empty());
    });
  }
}

TEST(ClientWire, AThrottledCallCarriesThePauseByTheServersClock) {
  const auto reply = http_reply(429, "",
                                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Retry-After: Sun, 06 Nov 1994 08:50:07 GMT\r\n");
  wire_of(reply, [](Client& client) {
    const auto access = client.member_api_token_from_refresh_token(make_secret("r"));
    ASSERT_FALSE(access.has_value());
    EXPECT_EQ(access.error().kind, AuthFailureKind::kThrottled);
    EXPECT_EQ(access.error().retry_after, std::chrono::seconds{30});
  });
}

TEST(ClientWire, ANewAppTokenIsUsedFromTheNextCallOn) {
  std::vector<std::string> bearers;
  ScriptedServer server([&bearers](ScriptedServer& s) {
    auto connection = s.accept();
    for (int i = 0; i < 2; ++i) {
      bearers.push_back(connection.read_request().value().headers.at("authorization"));
      connection.write(http_reply(204, ""));
    }
  });
  auto client = Client::create(options_for(server.url())).value();
  ASSERT_EQ(client->revoke_refresh_token(make_secret("r")), Revocation::kRevoked);
  EXPECT_FALSE(client->set_app_token(make_secret("bad\r\nX-Evil: 1")).has_value());
  EXPECT_FALSE(client->set_app_token(nullptr).has_value());
  ASSERT_TRUE(client->set_app_token(make_secret("app-token-2")).has_value());
  ASSERT_EQ(client->revoke_refresh_token(make_secret("r")), Revocation::kRevoked);
  server.finish();
  EXPECT_THAT(bearers, testing::ElementsAre("Bearer app-token-1", "Bearer app-token-2"));
}

TEST(ClientWire, ArgumentsThatCircleCannotKnowAreNotSent) {
  // Nobody listens there: a call that were sent would fail as kNotSent instead.
  auto client =
      Client::create(options_for("http://127.0.0.1:" + std::to_string(closed_port()))).value();
  const auto kind = [](const auto& result) { return result.error().kind; };
  EXPECT_EQ(kind(client->member_api_token_from_community_member_id(0)),
            AuthFailureKind::kInvalidArgument);
  EXPECT_EQ(kind(client->member_api_token_from_email("nobody")), AuthFailureKind::kInvalidArgument);
  EXPECT_EQ(kind(client->member_api_token_from_sso_id("")), AuthFailureKind::kInvalidArgument);
  EXPECT_EQ(kind(client->member_api_token_from_refresh_token(nullptr)),
            AuthFailureKind::kInvalidArgument);
  EXPECT_EQ(kind(client->revoke_refresh_token(make_secret(""))), AuthFailureKind::kInvalidArgument);
  EXPECT_EQ(kind(client->revoke_member_api_token(make_secret("a b"))),
            AuthFailureKind::kInvalidArgument);
  EXPECT_EQ(kind(client->revoke_member_api_token(make_secret("ab"))), AuthFailureKind::kNotSent);
}

TEST(ClientOptions, AreChecked) {
  const auto error_of = [](auto change) {
    HeadlessAuthOptions options = options_for("https://app.circle.so");
    change(options);
    const auto client = Client::create(options);
    return client ? std::optional<ErrorKind>() : std::optional(client.error().kind);
  };
  EXPECT_EQ(error_of([](HeadlessAuthOptions&) {}), std::nullopt);
  EXPECT_EQ(error_of([](HeadlessAuthOptions& o) { o.base_url = "http://app.circle.so"; }),
            ErrorKind::kInvalid);
  EXPECT_EQ(error_of([](HeadlessAuthOptions& o) { o.app_token = nullptr; }), ErrorKind::kInvalid);
  EXPECT_EQ(error_of([](HeadlessAuthOptions& o) { o.app_token = make_secret("a\n"); }),
            ErrorKind::kInvalid);
  EXPECT_EQ(error_of([](HeadlessAuthOptions& o) { o.request_timeout = Duration{0}; }),
            ErrorKind::kInvalid);
  EXPECT_EQ(error_of([](HeadlessAuthOptions& o) { o.connect_timeout = Duration{-1}; }),
            ErrorKind::kInvalid);
  EXPECT_EQ(error_of([](HeadlessAuthOptions& o) { o.connections_max = 0; }), ErrorKind::kInvalid);
  EXPECT_EQ(error_of([](HeadlessAuthOptions& o) { o.ca_file = "/nonexistent/ca.pem"; }),
            ErrorKind::kConfig);
}

}  // namespace
}  // namespace rota

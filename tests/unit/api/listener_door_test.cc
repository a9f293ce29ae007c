#include "api/listener_door.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>

namespace rota {
namespace {

TEST(ListenerDoor, P11OnlyTheLoopbackInterfaceIsNoForeignHost) {
  for (const char* host : {"", "localhost", "LocalHost", "localhost:8465", "localhost:",
                           "127.0.0.1", "127.0.0.1:8465", "127.255.0.9:1", "[::1]", "[::1]:8465"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host :
       {"rota", "evil.example", "evil.example:8465", "localhost.evil.example", "127.0.0.1.nip.io",
        "127.0.0.1.", "127.0.0", "127.0.0.256", "127..0.1", "128.0.0.1", "10.0.0.1", "0.0.0.0",
        "[::]", "[::2]:80", "[::1", "::1", "localhost:80x", "127.0.0.1@evil", "0127.0.0.1"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

RequestHead head_of(std::string_view path, std::string_view authorization) {
  RequestHead head;
  head.method = "GET";
  head.path = path;
  head.host = "localhost";
  head.authorization = authorization;
  return head;
}

ErrorCode code_of(const AtTheDoor& at) {
  const auto* error = std::get_if<ErrorReply>(&at);
  EXPECT_NE(error, nullptr);
  return error == nullptr ? ErrorCode::kInternal : error->code;
}

TEST(ListenerDoor, P11TakesTheBearerTokenAndNothingElse) {
  for (const char* shown : {"Bearer abc", "bearer abc", "BEARER   abc "}) {
    const AtTheDoor at = look_at(head_of("/v1/token", shown), ListenerHosts::kLoopback);
    ASSERT_TRUE(std::holds_alternative<ShownToken>(at)) << shown;
    EXPECT_EQ(std::get<ShownToken>(at).digest, digest_of("abc")) << shown;
  }
  for (const char* shown : {"", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc"}) {
    EXPECT_EQ(code_of(look_at(head_of("/v1/token", shown), ListenerHosts::kLoopback)),
              ErrorCode::kUnauthorized)
        << shown;
  }
}

TEST(ListenerDoor, P11OnlyHealthIsOpenToAll) {
  EXPECT_TRUE(std::holds_alternative<OpenToAll>(
      look_at(head_of("/healthz", ""), ListenerHosts::kLoopback)));
  for (const char* path : {"/readyz", "/v1/token", "/v1/watch", "/", "/healthz/", "/nothing"}) {
    EXPECT_EQ(code_of(look_at(head_of(path, ""), ListenerHosts::kLoopback)),
              ErrorCode::kUnauthorized)
        << path;
  }
}

// Whatever token it has.
TEST(ListenerDoor, P11RefusesBrowsersAndReboundNames) {
  RequestHead head = head_of("/v1/token", "Bearer abc");
  head.has_origin = true;
  EXPECT_EQ(code_of(look_at(head, ListenerHosts::kLoopback)), ErrorCode::kForbidden);
  EXPECT_EQ(code_of(look_at(head, ListenerHosts::kAny)), ErrorCode::kForbidden);
  head = head_of("/v1/token", "Bearer abc");
  head.host = "evil.example:8465";
  EXPECT_EQ(code_of(look_at(head, ListenerHosts::kLoopback)), ErrorCode::kForbidden);
  EXPECT_TRUE(std::holds_alternative<ShownToken>(look_at(head, ListenerHosts::kAny)));
  head.path = "/healthz";
  EXPECT_EQ(code_of(look_at(head, ListenerHosts::kLoopback)), ErrorCode::kForbidden);
}

TEST(BearerClients, FindsAClientByAnyOfItsTokens) {
  const BearerClients clients({{.name = "web", .tokens = {digest_of("a"), digest_of("b")}},
                               {.name = "shop", .tokens = {digest_of("c")}}});
  const auto name = [&](std::string_view token) {
    const std::string* found = clients.find(digest_of(token));
    return found == nullptr ? std::string("nobody") : *found;
  };
  EXPECT_EQ(name("a"), "web");
  EXPECT_EQ(name("b"), "web");
  EXPECT_EQ(name("c"), "shop");
  EXPECT_EQ(name("d"), "nobody");
  EXPECT_EQ(BearerClients().find(TokenDigest{}), nullptr);
}

}  // namespace
}  // namespace rota

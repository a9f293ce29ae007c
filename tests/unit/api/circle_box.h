#pragma once

// The frontend of a token socket with Circle's own routes, on fakes: what the tests of these routes
// share.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/circle_logins.h"
#include "api/frontend.h"
#include "unit/api/fakes.h"

namespace rota::test {

inline constexpr std::string_view kLogin = "POST /api/v1/headless/auth_token";
inline constexpr std::string_view kRefresh = "PATCH /api/v1/headless/access_token/refresh";
inline constexpr std::string_view kRevokeAccess = "POST /api/v1/headless/access_token/revoke";
inline constexpr std::string_view kRevokeRefresh = "POST /api/v1/headless/refresh_token/revoke";

inline const PeerIdentity kWeb{.uid = 33, .gid = 33, .pid = 1};
inline const PeerIdentity kCron{.uid = 44, .gid = 44, .pid = 2};
inline const PeerIdentity kStranger{.uid = 55, .gid = 55, .pid = 3};
inline const PeerIdentity kRoot{};

struct Reply {
  int status = 0;
  boost::json::object body{};
  std::string head{};

  std::string text(std::string_view name) const {
    const auto* value = body.if_contains(name);
    return value == nullptr ? "" : std::string(value->as_string());
  }
  // "404 member_unknown: Community member not found. …"
  std::string error() const {
    return std::to_string(status) + " " + text("code") + ": " + text("message");
  }
};

// A member 42, also known as ada@example.com, whose token is alive; two clients that may fetch it.
class CircleBox : public ::testing::Test {
 protected:
  CircleBox() { publish(42, "one"); }

  void publish(std::int64_t id, std::string_view token, Duration left = std::chrono::hours{1}) {
    Published row;
    if (const Published* old = tokens.table().find(MemberId{id})) row = *old;
    row.member = MemberId{id};
    row.keys = {MemberKey::from_id(id).value()};
    if (id == 42) row.keys.push_back(MemberKey::from_email("ada@example.com").value());
    row.community_member_id = id;
    row.community_id = 7;
    row.access_token = make_secret(token);
    row.fingerprint = fingerprint_of(token);
    row.issued_at = tokens.circle_now();
    row.expires_at = tokens.circle_now() + left;
    tokens.publish(std::move(row));
  }
  template <class Change>
  void change(Change change) {
    Published row = *tokens.table().find(MemberId{42});
    change(row);
    tokens.publish(std::move(row));
  }

  // A reply that waits is ended by `finish`.
  Reply ask(std::string_view what, std::string_view body, const PeerIdentity& peer = kWeb) {
    const auto space = what.find(' ');
    RequestHead head;
    head.method = what.substr(0, space);
    head.path = what.substr(space + 1);
    Answer answer = frontend.answer(head, body, peer);
    Buffer out;
    if (auto* later = std::get_if<LaterReply>(&answer)) {
      std::optional<PlainReply> plain;
      later->start([&](PlainReply reply) { plain = std::move(reply); });
      on_later();
      if (const auto* error = std::get_if<ErrorReply>(&*plain)) append_error(out, *error, {});
      if (std::holds_alternative<EmptyReply>(*plain)) append_empty(out, {});
    } else if (auto* wait = std::get_if<WaitReply>(&answer)) {
      waited.push_back(wait->request);
      const WaitAnswer ended = on_wait();
      render(frontend.settle(wait->asked, ended, peer), peer, out);
    } else if (auto* error = std::get_if<ErrorReply>(&answer)) {
      append_error(out, *error, {});
    } else {
      frontend.give(std::get<TokenReply>(answer), peer, {}, out);
    }
    return read(out.data());
  }
  std::string log_in(const PeerIdentity& peer = kWeb) {
    return ask(kLogin, R"({"community_member_id":42})", peer).text("refresh_token");
  }
  static std::string handle_body(std::string_view handle) {
    return R"({"refresh_token":")" + std::string(handle) + "\"}";
  }
  Reply refresh(std::string_view handle, const PeerIdentity& peer = kWeb) {
    return ask(kRefresh, handle_body(handle), peer);
  }

  // What a daemon with these logins says to a refresh.
  void expect_refresh(CircleLogins& other, std::string_view handle, int status) {
    const Frontend restarted = Frontend::token_socket(tokens, policy, health, &other);
    RequestHead head;
    head.method = "PATCH";
    head.path = kRefresh.substr(6);
    const Answer answer = restarted.answer(head, handle_body(handle), kWeb);
    const auto* error = std::get_if<ErrorReply>(&answer);
    EXPECT_EQ(error == nullptr ? 200 : error->circle->status, status);
  }

  FakeClock clock;
  FakeTokenService tokens{clock};
  FakeHealthService health;
  AccessPolicy policy{
      0,
      {{.holder = Grant::Holder::kUser, .id = 33, .all_members = true, .tags = {}, .members = {}},
       {.holder = Grant::Holder::kUser, .id = 44, .all_members = true, .tags = {}, .members = {}}}};
  CircleLogins logins{clock, Secret(std::string(kHandleKeyBytes, 'k'))};
  Frontend frontend = Frontend::token_socket(tokens, policy, health, &logins);
  std::vector<WaitRequest> waited;
  std::function<WaitAnswer()> on_wait = [] {
    return WaitAnswer{.result = WaitResult::kUnavailable, .retry_after = std::chrono::seconds{3}};
  };
  std::function<void()> on_later = [] {};

 private:
  void render(const TokenOutcome& outcome, const PeerIdentity& peer, Buffer& out) {
    if (const auto* error = std::get_if<ErrorReply>(&outcome)) return append_error(out, *error, {});
    frontend.give(std::get<TokenReply>(outcome), peer, {}, out);
  }
  static Reply read(std::string_view sent) {
    const auto end = sent.find("\r\n\r\n") + 4;
    Reply reply{.status = std::stoi(std::string(sent.substr(9, 3))),
                .head = std::string(sent.substr(0, end))};
    const std::string body(sent.substr(end));
    if (!body.empty()) reply.body = boost::json::parse(body).as_object();
    return reply;
  }
};

}  // namespace rota::test

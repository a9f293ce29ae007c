#include "api/circle_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>

#include <boost/json.hpp>
#include <string>

#include "api/circle_logins.h"
#include "api/frontend.h"
#include "unit/api/fakes.h"

namespace rota {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kLogin = "POST /api/v1/headless/auth_token";
constexpr std::string_view kRefresh = "PATCH /api/v1/headless/access_token/refresh";
constexpr std::string_view kRevokeAccess = "POST /api/v1/headless/access_token/revoke";
constexpr std::string_view kRevokeRefresh = "POST /api/v1/headless/refresh_token/revoke";

constexpr std::string_view kMemberNotFound =
    "Community member not found. Please provide a valid SSO User ID, community member ID, or "
    "email.";

const PeerIdentity kWeb{.uid = 33, .gid = 33, .pid = 1};
const PeerIdentity kCron{.uid = 44, .gid = 44, .pid = 2};
const PeerIdentity kStranger{.uid = 55, .gid = 55, .pid = 3};
const PeerIdentity kRoot{};

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

class CircleRoutesTest : public ::testing::Test {
 protected:
  CircleRoutesTest() { publish(42, "one"); }

  void publish(std::int64_t id, std::string_view token, Duration left = hours{1}) {
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
    return WaitAnswer{.result = WaitResult::kUnavailable, .retry_after = seconds{3}};
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

TEST_F(CircleRoutesTest, ALoginHasCirclesSixKeysInItsOrder) {
  const Reply reply = ask(kLogin, R"({"email":"Ada@example.com"})");
  EXPECT_EQ(reply.status, 200);
  std::vector<std::string> keys;
  for (const auto& [key, value] : reply.body) keys.emplace_back(key);
  EXPECT_THAT(keys, ElementsAre("access_token", "refresh_token", "access_token_expires_at",
                                "refresh_token_expires_at", "community_member_id", "community_id"));
  EXPECT_EQ(reply.text("access_token"), "one");
  EXPECT_EQ(reply.text("access_token_expires_at"), format_iso8601(clock.now().wall + hours{1}));
  EXPECT_EQ(reply.text("refresh_token_expires_at"), format_iso8601(clock.now().wall + days{30}));
  EXPECT_EQ(reply.body.at("community_member_id").as_int64(), 42);
  EXPECT_EQ(reply.body.at("community_id").as_int64(), 7);
  EXPECT_THAT(reply.head, HasSubstr("Cache-Control: no-store\r\n"));
}

TEST_F(CircleRoutesTest, ALoginOfALiveMemberIsNoCallAndNoWrite) {
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 200);
  EXPECT_THAT(waited, IsEmpty());
  EXPECT_THAT(tokens.operations, IsEmpty());
  EXPECT_THAT(tokens.raised, IsEmpty());
  EXPECT_EQ(tokens.used.size(), 1U);
  EXPECT_EQ(tokens.fetched.size(), 1U) << "for the audit trail";
}

TEST_F(CircleRoutesTest, AWaitEndsWithAPairToo) {
  publish(42, "stale", Duration{0});
  on_wait = [this] {
    publish(42, "fresh");
    return WaitAnswer{.result = WaitResult::kServe};
  };
  const Reply reply = ask(kLogin, R"({"community_member_id":42})");
  EXPECT_EQ(reply.text("access_token"), "fresh");
  EXPECT_EQ(refresh(reply.text("refresh_token")).text("access_token"), "fresh");
}

TEST_F(CircleRoutesTest, ALoginEnrolsIfTheClientMay) {
  policy = AccessPolicy{0,
                        {{.holder = Grant::Holder::kUser,
                          .id = 33,
                          .name = "www-data",
                          .may = {Right::kFetch, Right::kEnrol},
                          .enrol_tags = {"web"},
                          .all_members = true,
                          .tags = {},
                          .members = {}}}};
  on_wait = [this] {
    publish(43, "new");
    return WaitAnswer{.result = WaitResult::kServe};
  };
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":43})").text("access_token"), "new");
  ASSERT_EQ(waited.size(), 1U);
  ASSERT_NE(waited[0].enrol, nullptr);
  EXPECT_EQ(waited[0].enrol->client, "user:www-data");
  EXPECT_EQ(waited[0].enrol->key.text(), "id:43");
  EXPECT_THAT(waited[0].enrol->tags, ElementsAre("web"));
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 200);
  EXPECT_EQ(waited.size(), 1U) << "a member whose token lives needs no enrolment";
  on_wait = [] { return WaitAnswer{.result = WaitResult::kLimited, .retry_after = seconds{9}}; };
  const Reply limited = ask(kLogin, R"({"community_member_id":44})");
  EXPECT_EQ(limited.status, 503);
  EXPECT_THAT(limited.head, HasSubstr("Retry-After: 9\r\n"));
}

TEST_F(CircleRoutesTest, ErrorsOfALoginAreCirclesWords) {
  const std::string not_found(kMemberNotFound);
  EXPECT_EQ(ask(kLogin, R"({"email":"who@example.com"})").error(),
            "404 member_unknown: " + not_found);
  EXPECT_EQ(ask(kLogin, R"({"email":"no address"})").error(), "404 member_unknown: " + not_found);
  EXPECT_EQ(ask(kLogin, "{}").error(), "404 member_unknown: " + not_found);
  EXPECT_EQ(ask(kLogin, "").error(), "404 member_unknown: " + not_found);
  const std::pair<MemberState, std::string> states[] = {
      {MemberState::kRetiring, "member_retired"},
      {MemberState::kRetired, "member_retired"},
      {MemberState::kBlocked, "member_blocked"},
      {MemberState::kUnknown, "member_unknown"},
  };
  for (const auto& [state, code] : states) {
    tokens.set_state(42, state);
    const Reply reply = ask(kLogin, R"({"community_member_id":42})");
    EXPECT_EQ(reply.error(), "404 " + code + ": " + not_found);
    EXPECT_TRUE(reply.body.at("error_details").as_object().empty());
    EXPECT_FALSE(reply.body.at("success").as_bool());
  }
}

TEST_F(CircleRoutesTest, ALoginNamesExactlyOneMember) {
  const Reply reply = ask(kLogin, R"({"email":"ada@example.com","community_member_id":42})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(reply.text("code"), "bad_request");
  EXPECT_EQ(ask(kLogin, "[]").status, 400);
}

TEST_F(CircleRoutesTest, WhatCircleHasNoWordForIs503WithRetryAfter) {
  tokens.set_state(42, MemberState::kMismatched);
  const Reply mismatched = ask(kLogin, R"({"community_member_id":42})");
  EXPECT_EQ(mismatched.status, 503);
  EXPECT_EQ(mismatched.text("code"), "member_mismatched");
  EXPECT_THAT(mismatched.head, HasSubstr("Retry-After: "));
  tokens.set_state(42, MemberState::kActive);
  publish(42, "stale", Duration{0});
  const Reply none = ask(kLogin, R"({"community_member_id":42})");
  EXPECT_EQ(none.status, 503);
  EXPECT_THAT(none.head, HasSubstr("Retry-After: 3\r\n"));
}

TEST_F(CircleRoutesTest, P11WithoutAGrantThereIsNothing) {
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})", kStranger).status, 403);
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":43})", kStranger).status, 403);
  EXPECT_EQ(refresh(log_in(), kStranger).status, 404) << "the handle is another holder's";
}

TEST_F(CircleRoutesTest, ARefreshGivesTheTokenInForce) {
  const std::string handle = log_in();
  publish(42, "two");
  const Reply reply = refresh(handle);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text("access_token"), "two");
  EXPECT_EQ(reply.body.size(), 2U);
  EXPECT_EQ(reply.text("access_token_expires_at"), format_iso8601(clock.now().wall + hours{1}));
  EXPECT_THAT(waited, IsEmpty());
}

TEST_F(CircleRoutesTest, ARefreshOfThePresentTokenCountsAsRefused) {
  const std::string handle = log_in();
  on_wait = [this] {
    publish(42, "two");
    return WaitAnswer{.result = WaitResult::kServe};
  };
  EXPECT_EQ(refresh(handle).text("access_token"), "two");
  ASSERT_EQ(waited.size(), 1U);
  EXPECT_EQ(waited[0].refused, fingerprint_of("one"));
  EXPECT_EQ(refresh(handle).text("access_token"), "two") << "not twice a minute";
  EXPECT_EQ(waited.size(), 1U);
}

TEST_F(CircleRoutesTest, IfCircleHasNoOtherTokenThePresentOneIsBetterThanNone) {
  const std::string handle = log_in();
  EXPECT_EQ(refresh(handle).text("access_token"), "one");
  EXPECT_EQ(waited.size(), 1U);
}

TEST_F(CircleRoutesTest, TheThirdLoginWithinAMinuteIsADoubt) {
  log_in();
  log_in();
  EXPECT_THAT(waited, IsEmpty());
  on_wait = [this] {
    publish(42, "two");
    return WaitAnswer{.result = WaitResult::kServe};
  };
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").text("access_token"), "two");
  ASSERT_EQ(waited.size(), 1U);
  EXPECT_EQ(waited[0].refused, fingerprint_of("one"));
}

// An app that asks on every page view, for an hour, with tokens that live an hour.
TEST_F(CircleRoutesTest, AnAppThatLogsInAtEachPageViewCostsFourCallsAnHour) {
  for (int view = 0; view < 1'800; ++view) {
    EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 200);
    clock.advance(seconds{2});
    publish(42, "one");
  }
  EXPECT_EQ(waited.size(), 4U);
}

TEST_F(CircleRoutesTest, WhileTheBudgetIsShortThereIsNoDoubt) {
  tokens.short_budget = true;
  for (int time = 0; time < 5; ++time) log_in();
  EXPECT_THAT(waited, IsEmpty());
}

TEST_F(CircleRoutesTest, ErrorsOfARefreshAreCirclesWords) {
  EXPECT_EQ(ask(kRefresh, "{}").error(),
            "404 bad_request: Oops! Missing parameter. Please try again later.");
  const std::string not_found = "404 token_unknown: Refresh token not found.";
  EXPECT_EQ(refresh("rota1_nonsense").error(), not_found);
  EXPECT_EQ(refresh(log_in(kCron)).error(), not_found) << "another holder's";
  const std::string handle = log_in();
  clock.advance(days{30} - seconds{1});
  publish(42, "two");
  EXPECT_EQ(refresh(handle).status, 200);
  clock.advance(seconds{1});
  EXPECT_EQ(refresh(handle).error(),
            "401 token_expired: The refresh token is expired. Please generate/get new auth token.");
}

// --- What a client sees after …: the table in docs/circle-api.md ---

TEST_F(CircleRoutesTest, AfterASignOutTheHandlesAreDead) {
  const std::string handle = log_in();
  change([](Published& row) { row.login_epoch[0] ^= 1U; });
  EXPECT_EQ(refresh(handle).error(), "404 token_unknown: Refresh token not found.");
  EXPECT_EQ(refresh(log_in()).status, 200) << "the member stays";
}

TEST_F(CircleRoutesTest, AfterARetirementOrABlockTheHandlesAreDead) {
  const std::string handle = log_in();
  change([](Published& row) {
    row.state = MemberState::kRetired;
    row.login_epoch[0] ^= 1U;
  });
  EXPECT_EQ(refresh(handle).error(), "404 token_unknown: Refresh token not found.");
  tokens.forget(42);
  EXPECT_EQ(refresh(handle).error(), "404 token_unknown: Refresh token not found.");
}

TEST_F(CircleRoutesTest, ARetiredMemberIsNotServedEvenIfTheEpochIsTheSame) {
  const std::string handle = log_in();
  tokens.set_state(42, MemberState::kRetired);
  EXPECT_EQ(refresh(handle).error(), "404 member_retired: Refresh token not found.");
}

TEST_F(CircleRoutesTest, AfterAMergeTheHandlesOfTheMemberThatStaysLive) {
  publish(43, "other");
  const std::string stays = log_in();
  const std::string goes = ask(kLogin, R"({"community_member_id":43})").text("refresh_token");
  change([](Published& row) {
    row.keys.push_back(MemberKey::from_id(43).value());
    row.login_epoch = {1};
  });
  tokens.forget(43);
  EXPECT_EQ(refresh(goes).error(), "404 token_unknown: Refresh token not found.");
  EXPECT_EQ(refresh(stays).status, 404) << "if the merged record has another epoch";
  change([](Published& row) { row.login_epoch = {}; });
  EXPECT_EQ(refresh(stays).status, 200) << "if it has the same one";
}

TEST_F(CircleRoutesTest, AfterARestartHandlesLive) {
  const std::string handle = log_in();
  CircleLogins fresh(clock, Secret(std::string(kHandleKeyBytes, 'k')));
  expect_refresh(fresh, handle, 200);
}

TEST_F(CircleRoutesTest, AfterAKeyChangeTheHandlesAreDead) {
  const std::string handle = log_in();
  CircleLogins fresh(clock, Secret(std::string(kHandleKeyBytes, 'l')));
  expect_refresh(fresh, handle, 404);
}

TEST_F(CircleRoutesTest, GrantsAreJudgedAtEachUse) {
  const std::string handle = log_in();
  policy = AccessPolicy{0};
  EXPECT_EQ(refresh(handle).status, 404) << "it holds nothing any more";
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 403);
}

TEST_F(CircleRoutesTest, ARevokedHandleIsDeadAndTheOthersLive) {
  const std::string handle = log_in();
  const std::string again = log_in();
  const std::string others = log_in(kCron);
  on_later = [this] {
    ASSERT_EQ(tokens.raised.size(), 1U);
    EXPECT_EQ(tokens.raised[0].first, MemberId{42});
    change([this](Published& row) {
      row.handles = {{.holder = tokens.raised[0].second, .number = 1}};
    });
    tokens.raise_done({});
  };
  const Reply reply = ask(kRevokeRefresh, handle_body(handle));
  EXPECT_EQ(reply.status, 204);
  EXPECT_THAT(tokens.orders(), ElementsAre("handle_revoke_asked 42 [id:42] [" +
                                           tokens.raised[0].second + "] by 33"));
  EXPECT_EQ(ask(kRevokeRefresh, handle_body(handle)).error(),
            "404 token_unknown: Refresh token not found.");
  EXPECT_EQ(refresh(again).status, 404) << "one handle for each holder is valid";
  EXPECT_EQ(refresh(others, kCron).status, 200);
  EXPECT_EQ(refresh(log_in()).status, 200);
}

TEST_F(CircleRoutesTest, CountsWhatClientsAreAnswered) {
  const auto counts = [this] {
    const CircleLogins::Counts& now = logins.counts();
    return std::vector<std::uint64_t>{now.logins, now.refreshes, now.dead_handles};
  };
  const std::string handle = log_in();
  EXPECT_THAT(counts(), ElementsAre(1, 0, 0));
  refresh(handle);
  EXPECT_THAT(counts(), ElementsAre(1, 1, 0));
  refresh(handle, kCron);
  refresh("rota1_nonsense");
  ask(kRevokeRefresh, handle_body("rota1_nonsense"));
  EXPECT_THAT(counts(), ElementsAre(1, 1, 3));
  clock.advance(days{30});
  publish(42, "two");
  refresh(handle);
  EXPECT_THAT(counts(), ElementsAre(1, 1, 4)) << "it has expired";
  ask(kRefresh, "{}");
  ask(kLogin, R"({"email":"who@example.com"})");
  EXPECT_THAT(counts(), ElementsAre(1, 1, 4)) << "no handle, and no login";
}

TEST_F(CircleRoutesTest, ARevocationThatIsNotDurableSaysSo) {
  const std::string handle = log_in();
  on_later = [this] { tokens.raise_done(fail(ErrorKind::kIo, "no space left")); };
  const Reply reply = ask(kRevokeRefresh, handle_body(handle));
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.head, HasSubstr("Retry-After: "));
  EXPECT_EQ(ask(kRevokeRefresh, R"({"refresh_token":7.5})").error(),
            "404 bad_request: Invalid refresh token.");
}

class AccessRevocationTest : public CircleRoutesTest {
 protected:
  AccessRevocationTest() { publish(42, token); }
  std::string body_of(std::string_view access_token) const {
    return R"({"access_token":")" + std::string(access_token) + "\"}";
  }
  std::string token_of(std::int64_t id) {
    constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
    const std::string claims = R"({"community_member_id":)" + std::to_string(id) + R"(,"jti":")" +
                               std::to_string(++last_) + "\"}";
    std::string text(sodium_base64_encoded_len(claims.size(), kVariant), '\0');
    sodium_bin2base64(text.data(), text.size(),
                      reinterpret_cast<const unsigned char*>(claims.data()), claims.size(),
                      kVariant);
    text.pop_back();
    return "eyJhbGciOiJSUzI1NiJ9." + text + ".AAAA";
  }

  int last_ = 0;
  std::string token = token_of(42);
};

TEST_F(AccessRevocationTest, IsDoneAtCircle) {
  on_later = [this] {
    ASSERT_EQ(tokens.operations.size(), 1U);
    EXPECT_EQ(tokens.operations[0].member, MemberId{42});
    EXPECT_THAT(tokens.orders(), ElementsAre("sign_out_asked 42 [id:42] [] by 0"));
    tokens.operation_done(OperatorReport{.end = OperationEnd::kSignedOut, .revocations = {}});
  };
  EXPECT_EQ(ask(kRevokeAccess, body_of(token), kRoot).status, 204);
}

TEST_F(AccessRevocationTest, NeedsARightOfItsOwn) {
  EXPECT_EQ(ask(kRevokeAccess, body_of(token)).status, 403);
  EXPECT_THAT(tokens.operations, IsEmpty());
  EXPECT_THAT(tokens.orders(), IsEmpty());
}

TEST_F(AccessRevocationTest, AGrantMayHaveThatRight) {
  policy = AccessPolicy{0,
                        {{.holder = Grant::Holder::kUser,
                          .id = 33,
                          .name = "www-data",
                          .may = {Right::kFetch, Right::kSignOut},
                          .all_members = true,
                          .tags = {},
                          .members = {}}}};
  on_later = [this] {
    tokens.operation_done(OperatorReport{.end = OperationEnd::kSignedOut, .revocations = {}});
  };
  EXPECT_EQ(ask(kRevokeAccess, body_of(token)).status, 204);
}

TEST_F(AccessRevocationTest, AForeignOrDeadTokenIsNotFound) {
  const std::string not_found = "422 token_unknown: The access token not found.";
  EXPECT_EQ(ask(kRevokeAccess, body_of("nonsense"), kRoot).error(), not_found);
  EXPECT_EQ(ask(kRevokeAccess, body_of(token_of(42)), kRoot).error(), not_found) << "another one";
  EXPECT_EQ(ask(kRevokeAccess, body_of(token_of(43)), kRoot).error(), not_found);
  EXPECT_EQ(ask(kRevokeAccess, body_of(token), kStranger).error(), not_found);
  EXPECT_EQ(ask(kRevokeAccess, "{}", kRoot).error(),
            "404 bad_request: Oops! Missing parameter. Please try again later.");
  EXPECT_THAT(tokens.operations, IsEmpty());
}

TEST_F(AccessRevocationTest, ThatTakesTooLongIs503) {
  on_later = [this] {
    tokens.operation_done(OperatorReport{.end = OperationEnd::kTimedOut, .revocations = {}});
  };
  const Reply reply = ask(kRevokeAccess, body_of(token), kRoot);
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.head, HasSubstr("Retry-After: "));
}

}  // namespace
}  // namespace rota

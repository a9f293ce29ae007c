#include "api/member_routes.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <variant>

#include "api/frontend.h"
#include "unit/api/fakes.h"

namespace rota {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint32_t kOwnUid = 990;
const PeerIdentity kWeb{.uid = 33, .gid = 33, .pid = 1};     // may do everything
const PeerIdentity kReader{.uid = 34, .gid = 34, .pid = 1};  // may only fetch
const PeerIdentity kOut{.uid = 35, .gid = 35, .pid = 1};     // may sign out "support"
const PeerIdentity kNobody{.uid = 36, .gid = 36, .pid = 1};

Grant to(std::uint32_t uid, std::string name, Rights may) {
  return {.holder = Grant::Holder::kUser,
          .id = uid,
          .name = std::move(name),
          .may = may,
          .tags = {},
          .members = {}};
}
std::vector<Grant> grants() {
  Grant web = to(33, "www-data", {Right::kFetch, Right::kEnrol, Right::kSignOut, Right::kRemove});
  web.all_members = true;
  web.enrol_tags = {"web"};
  Grant reader = to(34, "reader", {Right::kFetch});
  reader.all_members = true;
  Grant out = to(35, "out", {Right::kSignOut, Right::kRemove});
  out.tags = {"support"};
  return {web, reader, out};
}

class MemberRoutes : public testing::Test {
 protected:
  MemberRoutes() {
    tokens.publish(1, "one", std::chrono::hours{1});
    Published row;
    row.member = MemberId{2};
    row.keys = {MemberKey::parse("email:ada@example.com").value()};
    row.tags = {"support"};
    row.named_by_roster = false;
    row.community_member_id = 42;
    tokens.publish(std::move(row));
  }
  Answer ask(std::string_view method, std::string_view path, const PeerIdentity& peer,
             std::string_view body = {}) {
    RequestHead head;
    head.method = method;
    const auto mark = path.find('?');
    head.path = path.substr(0, mark);
    if (mark != std::string_view::npos) head.query = path.substr(mark + 1);
    return frontend.answer(head, body, peer);
  }
  std::string code(std::string_view method, std::string_view path, const PeerIdentity& peer,
                   std::string_view body = {}) {
    const Answer answer = ask(method, path, peer, body);
    const auto* error = std::get_if<ErrorReply>(&answer);
    return error == nullptr ? "none" : std::string(row_of(error->code).code);
  }
  // The wait that an answer asks for.
  static const WaitReply& wait_of(const Answer& answer) {
    static const WaitReply kNone{};
    const auto* wait = std::get_if<WaitReply>(&answer);
    EXPECT_NE(wait, nullptr);
    return wait == nullptr ? kNone : *wait;
  }
  // Starts an order and ends it.
  std::string ended(std::string_view method, std::string_view path, const PeerIdentity& peer,
                    Result<OperatorReport> report) {
    Answer answer = ask(method, path, peer);
    auto* later = std::get_if<LaterReply>(&answer);
    EXPECT_NE(later, nullptr);
    if (later == nullptr) return "no order";
    std::string text;
    later->start([&text](const PlainReply& reply) {
      if (const auto* json = std::get_if<JsonReply>(&reply)) {
        text = json->status == JsonStatus::kOk ? "200" : "202";
      } else {
        text = row_of(std::get<ErrorReply>(reply).code).code;
      }
    });
    tokens.operation_done(std::move(report));
    return text;
  }

  FakeClock clock;
  FakeTokenService tokens{clock};
  FakeHealthService health;
  AccessPolicy policy{kOwnUid, grants()};
  const Frontend frontend = Frontend::token_socket(tokens, policy, health);
};

TEST_F(MemberRoutes, PutEnrolsInTheNameOfTheGrant) {
  const Answer answer =
      ask("PUT", "/v1/members/email:Grace@example.com?wait=3", kWeb, R"({"name":"Grace"})");
  const WaitReply& wait = wait_of(answer);
  ASSERT_NE(wait.request.enrol, nullptr);
  EXPECT_EQ(wait.request.enrol->key.text(), "email:Grace@example.com");
  EXPECT_EQ(wait.request.enrol->name, "Grace");
  EXPECT_EQ(wait.request.enrol->client, "user:www-data");
  EXPECT_THAT(wait.request.enrol->tags, ElementsAre("web"));
  EXPECT_TRUE(wait.request.enrol->ask_anyway);
  EXPECT_EQ(wait.request.wait_for, WaitFor::kIdentity);
  EXPECT_EQ(wait.request.wait, std::chrono::seconds{3});
  EXPECT_EQ(wait.request.member, MemberId{});
}

TEST_F(MemberRoutes, P11EnrolsOnlyForWhoMay) {
  EXPECT_EQ(code("PUT", "/v1/members/email:x@y", kReader), "forbidden");
  EXPECT_EQ(code("PUT", "/v1/members/id:1", kOut), "forbidden");
  EXPECT_EQ(code("PUT", "/v1/members/nonsense", kNobody), "forbidden");
  EXPECT_EQ(code("GET", "/v1/token?email=x@y&enrol=true", kReader), "forbidden");
  EXPECT_EQ(code("GET", "/v1/token?community_member_id=1&enrol=true", kReader), "forbidden");
  EXPECT_THAT(tokens.requests, IsEmpty());
}

TEST_F(MemberRoutes, PutRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(code("PUT", "/v1/members/nonsense", kWeb), "bad_request");
  EXPECT_EQ(code("PUT", "/v1/members/id:1?tag=x", kWeb), "bad_request");
  for (const char* body : {"x", "[]", R"({"name":1})", R"({"tags":["a"]})",
                           R"({"name":"a","tags":["b"]})", R"({"name":"a\nb"})"}) {
    EXPECT_EQ(code("PUT", "/v1/members/id:1", kWeb, body), "bad_request") << body;
  }
  for (const char* body : {"", " \r\n", "{}", R"({"name":""})"}) {
    EXPECT_EQ(code("PUT", "/v1/members/id:1", kWeb, body), "none") << body;
  }
}

TEST_F(MemberRoutes, AnEnrolmentSaysWhatTheMemberIs) {
  const Asked asked{.key = MemberKey::parse("email:ada@example.com").value(),
                    .shape = TokenShape::kMember};
  struct Row {
    WaitResult result;
    std::string_view said;
  };
  for (const Row& row :
       {Row{WaitResult::kEnrolled, "201"}, Row{WaitResult::kWasEnrolled, "200"},
        Row{WaitResult::kPending, "202"}, Row{WaitResult::kLimited, "enrolment_limited"},
        Row{WaitResult::kUnknown, "member_unknown"}, Row{WaitResult::kRetired, "member_retired"},
        Row{WaitResult::kBlocked, "member_blocked"},
        Row{WaitResult::kMismatched, "member_mismatched"},
        Row{WaitResult::kUnavailable, "token_unavailable"}}) {
    const TokenOutcome outcome = frontend.settle(asked, {.result = row.result}, kWeb);
    if (const auto* error = std::get_if<ErrorReply>(&outcome)) {
      EXPECT_EQ(row_of(error->code).code, row.said);
      continue;
    }
    const auto& json = std::get<JsonReply>(outcome);
    EXPECT_EQ(json.body, R"({"member":"email:ada@example.com","community_member_id":42,)"
                         R"("state":"active","source":"enrolled"})");
    EXPECT_EQ(json.status == JsonStatus::kOk        ? "200"
              : json.status == JsonStatus::kCreated ? "201"
                                                    : "202",
              row.said);
  }
}

// The name may have lost its member between the end of the wait and the reply.
TEST_F(MemberRoutes, NobodyIsConfirmedWithoutAnIdOfCircles) {
  const MemberKey key = MemberKey::parse("email:new@example.com").value();
  const Asked asked{.key = key, .shape = TokenShape::kMember};
  const auto said = [&]() -> std::string {
    const TokenOutcome outcome = frontend.settle(asked, {.result = WaitResult::kWasEnrolled}, kWeb);
    if (const auto* error = std::get_if<ErrorReply>(&outcome)) {
      return std::string(row_of(error->code).code);
    }
    const auto& json = std::get<JsonReply>(outcome);
    return json.status == JsonStatus::kAccepted ? "202 " + json.body : json.body;
  };
  EXPECT_EQ(said(), "member_unknown");
  Published row;
  row.member = MemberId{3};
  row.keys = {key};
  tokens.publish(row);
  EXPECT_THAT(said(),
              HasSubstr(R"(202 {"member":"email:new@example.com","community_member_id":null)"));
  row.community_member_id = 43;
  row.state = MemberState::kUnknown;
  tokens.publish(row);
  EXPECT_EQ(said(), "member_unknown");
}

TEST_F(MemberRoutes, P11AnEnrolmentWhoseGrantWentTellsNothing) {
  const Asked asked{.key = MemberKey::parse("email:ada@example.com").value(),
                    .shape = TokenShape::kMember};
  const TokenOutcome outcome = frontend.settle(asked, {.result = WaitResult::kEnrolled}, kReader);
  EXPECT_EQ(std::get<ErrorReply>(outcome).code, ErrorCode::kForbidden);
}

TEST_F(MemberRoutes, AFetchEnrolsOnlyWhoIsNoMember) {
  const Answer unknown = ask("GET", "/v1/token?email=new@example.com&enrol=true", kWeb);
  const WaitReply& wait = wait_of(unknown);
  ASSERT_NE(wait.request.enrol, nullptr);
  EXPECT_EQ(wait.request.enrol->client, "user:www-data");
  EXPECT_FALSE(wait.request.enrol->ask_anyway) << "a login form must not spend the budget";
  EXPECT_EQ(wait.request.wait_for, WaitFor::kToken);
  const Answer known = ask("GET", "/v1/token?community_member_id=1&enrol=true", kWeb);
  EXPECT_TRUE(std::holds_alternative<TokenReply>(known));
  EXPECT_EQ(code("GET", "/v1/token?email=new@example.com", kWeb), "member_unknown");
}

TEST_F(MemberRoutes, APlusInANameThatIsEnrolledMayBeASpace) {
  const auto other = MemberKey::from_sso("new user").value();
  EXPECT_EQ(wait_of(ask("GET", "/v1/token?sso_user_id=new+user&enrol=true", kWeb)).or_enrol, other);
  EXPECT_EQ(wait_of(ask("PUT", "/v1/members/sso:new+user", kWeb)).or_enrol, other);
  EXPECT_EQ(wait_of(ask("PUT", "/v1/members/sso:new%2Buser", kWeb)).or_enrol, std::nullopt);
}

TEST_F(MemberRoutes, DeleteEndsTheEnrolmentOfThePeersOwnGrant) {
  EXPECT_EQ(ended("DELETE", "/v1/members/email:ada@example.com", kWeb,
                  OperatorReport{.end = OperationEnd::kEnrolmentEnded, .revocations = {}}),
            "200");
  ASSERT_THAT(tokens.operations, SizeIs(1));
  EXPECT_EQ(tokens.operations[0].action, OperatorAction::kEndEnrolment);
  EXPECT_EQ(tokens.operations[0].member, MemberId{2});
  EXPECT_EQ(tokens.operations[0].client, "user:www-data");
  const auto end = [&](OperationEnd how) {
    return ended("DELETE", "/v1/members/email:ada@example.com", kWeb,
                 OperatorReport{.end = how, .revocations = {}});
  };
  EXPECT_EQ(end(OperationEnd::kTimedOut), "202") << "tokens may be alive";
  EXPECT_EQ(end(OperationEnd::kInRoster), "member_in_roster");
  EXPECT_EQ(end(OperationEnd::kNotEnrolled), "member_unknown");
  EXPECT_EQ(end(OperationEnd::kRemovalsLimited), "removals_limited");
}

// The right to enrol was withdrawn, and what it enrolled by it is still its own.
TEST_F(MemberRoutes, WhoMayRemoveAndNoLongerEnrolEndsWhatItHasEnrolled) {
  EXPECT_EQ(ended("DELETE", "/v1/members/email:ada@example.com", kOut,
                  OperatorReport{.end = OperationEnd::kEnrolmentEnded, .revocations = {}}),
            "200");
  ASSERT_THAT(tokens.operations, SizeIs(1));
  EXPECT_EQ(tokens.operations[0].action, OperatorAction::kEndEnrolment);
  EXPECT_EQ(tokens.operations[0].client, "user:out");
}

TEST_F(MemberRoutes, P11WhatIsNotGrantedIsNotRemoved) {
  EXPECT_EQ(code("DELETE", "/v1/members/id:1", kOut), "forbidden");
  EXPECT_EQ(code("DELETE", "/v1/members/email:ada@example.com", kReader), "forbidden");
  EXPECT_EQ(code("DELETE", "/v1/members/email:nobody@example.com", kReader), "forbidden");
  EXPECT_THAT(tokens.operations, IsEmpty());
}

TEST_F(MemberRoutes, SignOutIsForWhoMay) {
  EXPECT_EQ(code("POST", "/v1/members/email:ada@example.com/sign-out", kReader), "forbidden");
  EXPECT_EQ(code("POST", "/v1/members/id:1/sign-out", kOut), "forbidden");
  EXPECT_EQ(code("POST", "/v1/members/id:3/sign-out", kOut), "forbidden");
  EXPECT_EQ(code("POST", "/v1/members/id:3/sign-out", kWeb), "member_unknown");
  const std::string path = "/v1/members/email:ada@example.com/sign-out";
  EXPECT_EQ(
      ended("POST", path, kOut, OperatorReport{.end = OperationEnd::kSignedOut, .revocations = {}}),
      "200");
  EXPECT_EQ(
      ended("POST", path, kOut, OperatorReport{.end = OperationEnd::kTimedOut, .revocations = {}}),
      "202");
  EXPECT_EQ(ended("POST", path, kOut,
                  OperatorReport{.end = OperationEnd::kSignedOutLately, .revocations = {}}),
            "unavailable")
      << "the new token is still alive";
  EXPECT_EQ(ended("POST", path, kOut, fail(ErrorKind::kInvalid, "gone")), "member_unknown");
  EXPECT_EQ(ended("POST", path, kOut, fail(ErrorKind::kIo, "disk")), "unavailable");
  EXPECT_EQ(tokens.operations.at(0).action, OperatorAction::kSignOut);
}

TEST_F(MemberRoutes, TheTrailHasWhoAskedForWhat) {
  ask("PUT", "/v1/members/id:1", kWeb);
  ask("DELETE", "/v1/members/email:ADA@example.com", kWeb);
  ask("POST", "/v1/members/email:ada@example.com/sign-out", kOut);
  EXPECT_THAT(tokens.orders(), ElementsAre("enrol_asked 1 [id:1] [] by 33",
                                           "enrolment_end_asked 2 [email:ADA@example.com] [] by 33",
                                           "sign_out_asked 2 [email:ada@example.com] [] by 35"));
  // What was refused was not ordered.
  ask("PUT", "/v1/members/id:1", kReader);
  ask("PUT", "/v1/members/nonsense", kWeb);
  ask("DELETE", "/v1/members/id:1", kReader);
  ask("DELETE", "/v1/members/id:3", kWeb);
  ask("DELETE", "/v1/members/email:ada@example.com", kReader);
  ask("POST", "/v1/members/id:1/sign-out", kOut);
  EXPECT_THAT(tokens.orders(), IsEmpty());
}

TEST_F(MemberRoutes, TheTrailNamesTheClientOfAListener) {
  Grant shop{.holder = Grant::Holder::kClient,
             .name = "shop",
             .may = {Right::kFetch, Right::kEnrol, Right::kSignOut, Right::kRemove},
             .all_members = true,
             .tags = {},
             .members = {}};
  policy = AccessPolicy(kOwnUid, {shop});
  const PeerIdentity client = peer_of_client("shop");
  ask("POST", "/v1/members/id:1/sign-out", client);
  EXPECT_THAT(tokens.orders(), ElementsAre("sign_out_asked 1 [id:1] [] by shop"));
  for (const auto& [method, path] :
       {std::pair{"PUT", "/v1/members/email:x@y"}, std::pair{"GET", "/v1/token?email=x@y&enrol=1"},
        std::pair{"GET", "/v1/token?email=x@y&enrol=true"}}) {
    const Answer answer = ask(method, path, client);
    if (const auto* wait = std::get_if<WaitReply>(&answer)) {
      EXPECT_EQ(wait->request.enrol->caller.client, "shop") << "the entry of the enrolment has it";
    }
  }
}

// A flood of names must not push the rest off the trail, nor put a token there that somebody took
// for a name.
TEST_F(MemberRoutes, P10TheTrailHasNoNameThatIsNoMember) {
  ask("PUT", "/v1/members/sso:eyJhbGciOiJSUzI1NiJ9.made.up", kWeb);
  ask("PUT", "/v1/members/email:x@y", kWeb);
  const char* const line = "enrol_asked 0 [] [a name that is no member] by 33";
  EXPECT_THAT(tokens.orders(), ElementsAre(line, line));
}

TEST_F(MemberRoutes, APathWithTwoMethodsNamesBoth) {
  const Answer answer = ask("POST", "/v1/members/id:1", kWeb);
  EXPECT_EQ(std::get<ErrorReply>(answer).allow, "PUT, DELETE");
}

TEST_F(MemberRoutes, AnAuthorizationIsTheTokenInAHeader) {
  const Answer answer = ask("GET", "/v1/authorization?community_member_id=1", kReader);
  ASSERT_TRUE(std::holds_alternative<TokenReply>(answer));
  const auto& token = std::get<TokenReply>(answer);
  EXPECT_EQ(token.asked.shape, TokenShape::kAuthorization);
  Buffer out;
  append_authorization(out, *token.row, token.circle_now, {});
  const std::string reply(out.data());
  EXPECT_THAT(reply, testing::StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\nAuthorization: Bearer one\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\nRota-Expires-In: 3600\r\n"));
  EXPECT_THAT(reply, HasSubstr("\r\nCache-Control: no-store\r\n"));
  EXPECT_THAT(reply, testing::EndsWith("\r\n\r\n"));
}

// nginx's auth_request makes a 500 of anything but 2xx, 401 and 403.
TEST_F(MemberRoutes, AnAuthorizationIsRefusedWith401Or403) {
  EXPECT_EQ(code("GET", "/v1/authorization", kReader), "unauthorized");
  EXPECT_EQ(code("GET", "/v1/authorization?email=", kReader), "unauthorized");
  EXPECT_EQ(code("GET", "/v1/authorization?community_member_id=none", kReader), "unauthorized");
  EXPECT_EQ(code("GET", "/v1/authorization?email=&min_ttl=x", kReader), "unauthorized");
  for (const char* more : {"min_ttl=x", "wait=-1", "strict=1", "refused=1", "who=1", "email=a@b",
                           "community_member_id=2", "email="}) {
    const std::string query = "?community_member_id=1&" + std::string(more);
    EXPECT_EQ(code("GET", "/v1/authorization" + query, kReader), "forbidden") << more;
  }
  EXPECT_EQ(code("POST", "/v1/authorization?community_member_id=1", kReader), "forbidden");
  EXPECT_EQ(code("GET", "/v1/authorization?email=x@y", kReader), "forbidden");
  EXPECT_EQ(code("GET", "/v1/authorization?community_member_id=1", kNobody), "forbidden");
  EXPECT_EQ(code("GET", "/v1/authorization?email=ada@example.com&wait=0", kReader), "forbidden");
  const Asked asked{.key = MemberKey::from_id(1).value(), .shape = TokenShape::kAuthorization};
  for (const auto result : {WaitResult::kUnavailable, WaitResult::kRetired, WaitResult::kBlocked,
                            WaitResult::kUnknown, WaitResult::kMismatched, WaitResult::kLimited}) {
    const TokenOutcome outcome = frontend.settle(asked, {.result = result}, kReader);
    EXPECT_EQ(std::get<ErrorReply>(outcome).code, ErrorCode::kForbidden);
  }
  EXPECT_TRUE(std::holds_alternative<TokenReply>(
      frontend.settle(asked, {.result = WaitResult::kServe}, kReader)));
}

}  // namespace
}  // namespace rota

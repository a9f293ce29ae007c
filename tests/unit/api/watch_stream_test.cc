#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "api/frontend.h"
#include "http/limits.h"
#include "watch_stream_box.h"

namespace rota::watch_stream {
namespace {

using std::chrono::hours;
using testing::HasSubstr;

TEST_F(WatchStreamTest, NotesEachTokenThatItTells) {
  publish(1, "one");
  publish(2, "two");
  open({"id:1", "id:2", "id:9"});
  events();
  publish(2, "two-b");
  events();
  open({});
  events();
  std::vector<MemberId> given;
  for (const auto& [member, caller] : tokens.fetched) given.push_back(member);
  EXPECT_EQ(given, (std::vector{MemberId{1}, MemberId{2}, MemberId{2}, MemberId{1}, MemberId{2}}));
}

TEST_F(WatchStreamTest, TellsOfEachNamedMemberAtOnce) {
  publish(1, "one");
  publish(2, "two");
  tokens.set_state(2, MemberState::kBlocked);
  publish(3, "three");
  open({"id:1", "id:2", "id:9"});
  EXPECT_EQ(events(), (Events{"token id:1 one", "retired id:2 member_blocked",
                              "retired id:9 member_unknown"}));
  EXPECT_EQ(events(), Events{});
}

TEST_F(WatchStreamTest, TellsOfEveryRotationOnceAndOfNobodyElse) {
  publish(1, "one");
  open({"id:1"});
  events();
  EXPECT_EQ(wakes, 0U);
  publish(2, "other");
  EXPECT_EQ(wakes, 0U) << "who is not followed does not even wake it";
  publish(1, "one again");
  EXPECT_GT(wakes, 0U);
  EXPECT_EQ(events(), Events{"token id:1 one again"});
  publish(1, "one again");
  EXPECT_EQ(events(), Events{});
}

TEST_F(WatchStreamTest, TellsWhyAMemberWentAndThatItIsBack) {
  publish(1, "one");
  const std::pair<MemberState, std::string_view> states[] = {
      {MemberState::kRetiring, "member_retired"},
      {MemberState::kBlocked, "member_blocked"},
      {MemberState::kUnknown, "member_unknown"},
      {MemberState::kMismatched, "member_mismatched"},
  };
  for (const auto& [state, code] : states) {
    publish(1, "before " + std::string(code));
    open({"id:1"});
    events();
    tokens.set_state(1, state);
    EXPECT_EQ(events(), Events{"retired id:1 " + std::string(code)});
    publish(1, "after " + std::string(code));
    EXPECT_EQ(events(), Events{"token id:1 after " + std::string(code)});
  }
  tokens.set_state(1, MemberState::kRetiring);
  events();
  tokens.set_state(1, MemberState::kRetired);
  EXPECT_EQ(events(), Events{}) << "it went once";
  tokens.forget(1);
  EXPECT_EQ(events(), Events{"retired id:1 member_unknown"});
}

TEST_F(WatchStreamTest, FollowsANameToWhoeverHasIt) {
  open({"email:ada@example.com"});
  EXPECT_EQ(events(), Events{"retired email:ada@example.com member_unknown"});
  publish(1, "one");
  EXPECT_EQ(events(), Events{});
  Published row = *tokens.table().find("id:1");
  row.keys.push_back(key("email:ada@example.com"));
  tokens.publish(row);
  EXPECT_EQ(events(), Events{"token email:ada@example.com one"});
  row.keys.pop_back();
  tokens.publish(row);
  EXPECT_EQ(events(), Events{"retired email:ada@example.com member_unknown"});
}

TEST_F(WatchStreamTest, SaysNothingOfAMemberWithoutALiveToken) {
  publish(1, "one");
  clock.advance(hours{2});
  for (const bool all : {false, true}) {
    open(all ? std::vector<std::string_view>{} : std::vector<std::string_view>{"id:1"});
    EXPECT_EQ(events(), Events{});
  }
  publish(1, "two");
  EXPECT_EQ(events(), Events{"token id:1 two"});
}

TEST_F(WatchStreamTest, TellsOfASignOutBeforeTheNextToken) {
  for (const bool all : {false, true}) {
    publish(1, "one");
    publish(2, "two");
    open(all ? std::vector<std::string_view>{} : std::vector<std::string_view>{"id:1", "id:2"});
    events();
    sign_out(1);
    EXPECT_EQ(events(), Events{"out id:1 signed_out"}) << "at once";
    EXPECT_EQ(events(), Events{});
    renew(1, "one again");
    EXPECT_EQ(events(), Events{"token id:1 one again"});
    // A slow reader sees both at once.
    sign_out(1);
    renew(1, "one for the third time");
    EXPECT_EQ(events(), (Events{"out id:1 signed_out", "token id:1 one for the third time"}));
    tokens.set_state(1, MemberState::kRetiring);
    EXPECT_EQ(events(), Events{"retired id:1 member_retired"});
    tokens.forget(1);
    tokens.forget(2);
  }
}

TEST_F(WatchStreamTest, ASignOutEndsWithItsMember) {
  for (const bool all : {false, true}) {
    publish(1, "one");
    open(all ? std::vector<std::string_view>{} : std::vector<std::string_view>{"id:1"});
    events();
    sign_out(1);
    tokens.set_state(1, MemberState::kRetiring);
    EXPECT_EQ(events(), Events{"retired id:1 member_retired"}) << "which says more";
    sign_out(1);
    EXPECT_EQ(events(), Events{});
    tokens.set_state(1, MemberState::kActive);
    renew(1, "one is back");
    EXPECT_EQ(events(), Events{"token id:1 one is back"});
    tokens.forget(1);
  }
}

// Not even whether it is signed out.
TEST_F(WatchStreamTest, P11ASignOutIsToldToWhoMayReadOnly) {
  publish(1, "one");
  publish(2, "two", {"support"});
  policy = AccessPolicy(kOwnUid, {to_helpdesk({"support"}, {})});
  open({}, kHelpdesk);
  EXPECT_EQ(events(), Events{"token id:2 two"});
  sign_out(1);
  EXPECT_EQ(events(), Events{});
  sign_out(2);
  EXPECT_EQ(events(), Events{"out id:2 signed_out"});
}

// Of a member that had no token when the watch of all began, there is nothing to take back.
TEST_F(WatchStreamTest, OfAllTellsOfASignOutOnlyIfItHadToldOfTheToken) {
  publish(1, "one");
  sign_out(1);
  open({});
  EXPECT_EQ(events(), Events{});
  sign_out(1);
  EXPECT_EQ(events(), Events{});
  renew(1, "one again");
  EXPECT_EQ(events(), Events{"token id:1 one again"});
}

TEST_F(WatchStreamTest, ANameThatLeadsToAnotherMemberIsNoSignOut) {
  publish(1, "one");
  open({"id:1"});
  events();
  tokens.forget(1);
  Published other;
  other.member = MemberId{2};
  other.keys = {key("id:1")};
  other.login_epoch = {9};
  tokens.publish(std::move(other));
  EXPECT_EQ(events(), Events{});
}

// Where members are issued on demand, a watch by name is a demand, and one of all is not.
TEST_F(WatchStreamTest, AWatchByNameCountsAsUse) {
  publish(1, "one");
  open({});
  events();
  EXPECT_THAT(tokens.used, testing::IsEmpty());
  open({"id:1"});
  events();
  EXPECT_THAT(tokens.used, testing::ElementsAre(MemberId{1}));
  clock.advance(hours{2});
  tokens.used.clear();
  open({"id:1"});
  events();
  EXPECT_THAT(tokens.used, testing::ElementsAre(MemberId{1})) << "without a live token, too";
}

TEST_F(WatchStreamTest, OfAllTellsOfEverybodyAndOfLeaversItHadToldOf) {
  publish(1, "one");
  publish(2, "two");
  publish(3, "three");
  tokens.set_state(3, MemberState::kRetired);
  open({});
  EXPECT_EQ(events(), (Events{"token id:1 one", "token id:2 two"}));
  publish(2, "two again");
  publish(4, "four");
  tokens.set_state(1, MemberState::kRetiring);
  EXPECT_EQ(events(),
            (Events{"token id:2 two again", "token id:4 four", "retired id:1 member_retired"}));
  tokens.set_state(1, MemberState::kRetired);
  tokens.forget(1);
  EXPECT_EQ(events(), Events{});
}

// It holds no events: what changed twice is told once, as it is.
TEST_F(WatchStreamTest, ASlowReaderGetsTheLatestOfEach) {
  for (std::int64_t id = 1; id <= 3; ++id) publish(id, "old");
  open({});
  for (int round = 0; round < 100; ++round) {
    for (std::int64_t id = 1; id <= 3; ++id) {
      publish(id, std::to_string(id) + " of round " + std::to_string(round));
    }
  }
  tokens.set_state(2, MemberState::kRetiring);
  EXPECT_EQ(events(), (Events{"token id:1 1 of round 99", "token id:3 3 of round 99"}));
  open({"id:1", "id:2"});
  events();
  for (int round = 0; round < 100; ++round) publish(1, "round " + std::to_string(round));
  EXPECT_EQ(events(), Events{"token id:1 round 99"});
}

TEST_F(WatchStreamTest, FillsNoFurtherThanTheBufferMayGrow) {
  const std::string large(4'000, 'x');
  for (std::int64_t id = 1; id <= 64; ++id) publish(id, large + std::to_string(id));
  std::vector<std::string> names;
  for (std::int64_t id = 1; id <= 64; ++id) names.push_back("id:" + std::to_string(id));
  for (const bool all : {false, true}) {
    open(all ? std::vector<std::string_view>{}
             : std::vector<std::string_view>(names.begin(), names.end()));
    Buffer out;
    stream->fill(out);
    EXPECT_GE(out.size(), kOutputBytesMax);
    EXPECT_LT(out.size(), kOutputBytesMax + 5'000);
    const std::size_t size = out.size();
    stream->fill(out);
    EXPECT_EQ(out.size(), size);
    EXPECT_EQ(wakes, 0U) << "room is what it waits for";
    out.consume(size);
    EXPECT_GT(events().size(), 40U);
  }
}

TEST_F(WatchStreamTest, PausesAfterManyMembers) {
  for (std::int64_t id = 1; id <= 3 * 1'024; ++id) publish(id, "t", {"other"});
  policy = AccessPolicy(kOwnUid, {to_helpdesk({"support"}, {})});
  open({}, kHelpdesk);
  Buffer out;
  stream->fill(out);
  EXPECT_EQ(wakes, 1U);
  stream->fill(out);
  EXPECT_EQ(wakes, 2U);
  stream->fill(out);
  EXPECT_EQ(wakes, 2U);
  EXPECT_TRUE(out.empty());
}

TEST_F(WatchStreamTest, OfAllIsOfAllThatIsGranted) {
  publish(1, "one", {"support"});
  publish(2, "two", {"sales"});
  publish(3, "three");
  policy = AccessPolicy(kOwnUid, {to_helpdesk({"support"}, {key("id:3")})});
  open({}, kHelpdesk);
  EXPECT_EQ(events(), (Events{"token id:1 one", "token id:3 three"}));
  // A tag that is given or taken is a grant that is.
  publish(2, "two", {"sales", "support"});
  publish(1, "one", {});
  EXPECT_EQ(events(), (Events{"token id:2 two", "retired id:1 forbidden"}));
}

TEST_F(WatchStreamTest, GrantsThatChangeAreToldOf) {
  publish(1, "one");
  publish(2, "two");
  for (const bool all : {true, false}) {
    policy = AccessPolicy(kOwnUid, {to_helpdesk({}, {key("id:1")})});
    open(all ? std::vector<std::string_view>{} : std::vector<std::string_view>{"id:1", "id:2"},
         kHelpdesk);
    EXPECT_EQ(events(), (all ? Events{"token id:1 one"}
                             : Events{"token id:1 one", "retired id:2 forbidden"}));
    grant({to_helpdesk({}, {key("id:1")})});
    EXPECT_EQ(events(), Events{}) << "what is granted still is not told again";
    grant({to_helpdesk({}, {key("id:2")})});
    EXPECT_EQ(events(), (Events{"retired id:1 forbidden", "token id:2 two"}));
    tokens.set_state(1, MemberState::kRetiring);
    EXPECT_EQ(events(), Events{}) << "what becomes of the others is not its business";
    publish(1, "one");
    EXPECT_EQ(events(), Events{});
    grant({});
    EXPECT_EQ(events(), Events{"retired id:2 forbidden"});
    publish(2, "two again");
    EXPECT_EQ(events(), Events{});
    publish(2, "two");
  }
}

// A second look that new grants ask for, while a slow reader is in the midst of the first.
TEST_F(WatchStreamTest, ASecondLookRepeatsNothingAndMissesNothing) {
  const std::string large(30'000, 'x');
  for (std::int64_t id = 1; id <= 6; ++id) publish(id, large + std::to_string(id));
  const std::vector<MemberKey> all_but_six{key("id:1"), key("id:2"), key("id:3"), key("id:4"),
                                           key("id:5")};
  policy = AccessPolicy(kOwnUid, {to_helpdesk({}, all_but_six)});
  open({}, kHelpdesk);
  Buffer out;
  stream->fill(out);  // 1, 2 and 3
  const std::string first(out.data());
  out.consume(out.size());
  EXPECT_THAT(first, HasSubstr("\"id:3\""));
  EXPECT_THAT(first, testing::Not(HasSubstr("\"id:4\"")));
  publish(2, "two again");
  Grant everything = to_helpdesk({}, {});
  everything.all_members = true;
  grant({everything});
  std::vector<std::string> members;
  for (const std::string& event : events()) members.push_back(event.substr(0, event.find(' ', 7)));
  EXPECT_THAT(members, testing::UnorderedElementsAre("token id:2", "token id:4", "token id:5",
                                                     "token id:6"));
}

// What GET /v1/watch is answered before there is a stream.
TEST_F(WatchStreamTest, TheRouteRefusesWhatIsNotGrantedOrNotUnderstood) {
  publish(1, "one", {"support"});
  publish(2, "two");
  policy = AccessPolicy(kOwnUid, {to_helpdesk({"support"}, {key("id:9")})});
  const FakeHealthService health;
  const auto frontend = Frontend::token_socket(tokens, policy, health);
  const auto ask = [&](std::string_view query, const PeerIdentity& peer,
                       std::string_view method = "GET") -> std::string {
    RequestHead head;
    head.method = method;
    head.path = "/v1/watch";
    head.query = query;
    const Answer answer = frontend.answer(head, {}, peer);
    if (const auto* watch = std::get_if<WatchReply>(&answer)) {
      return "watch of " + std::to_string(watch->keys.size());
    }
    return std::string(row_of(std::get<ErrorReply>(answer).code).code);
  };
  EXPECT_EQ(ask("", kHelpdesk), "watch of 0");
  EXPECT_EQ(ask("", {.uid = 1, .gid = 1, .pid = 1}), "forbidden");
  EXPECT_EQ(ask("", kPeerUnknown), "forbidden");
  EXPECT_EQ(ask("community_member_id=1&community_member_id=9", kHelpdesk), "watch of 2");
  EXPECT_EQ(ask("community_member_id=1&community_member_id=2", kHelpdesk), "forbidden");
  EXPECT_EQ(ask("community_member_id=1&community_member_id=3", kHelpdesk), "forbidden");
  EXPECT_EQ(ask("email=a@b&sso_user_id=%C3%A9", kRoot), "watch of 2");
  EXPECT_EQ(ask("community_member_id=1&community_member_id=1", kRoot), "watch of 1");
  EXPECT_EQ(ask("sso_user_id=%C3", kRoot), "bad_request");
  EXPECT_EQ(ask("community_member_id=0", kRoot), "bad_request");
  EXPECT_EQ(ask("wait=1", kRoot), "bad_request");
  EXPECT_EQ(ask("", kRoot, "POST"), "method_not_allowed");
  std::string many;
  for (std::size_t id = 1; id <= kWatchKeysMax; ++id) {
    many += (many.empty() ? "" : "&") + std::string("community_member_id=") + std::to_string(id);
  }
  EXPECT_EQ(ask(many, kRoot), "watch of 64");
  EXPECT_EQ(ask(many + "&community_member_id=65", kRoot), "bad_request");
}

TEST_F(WatchStreamTest, IsToldNothingOnceItIsGone) {
  open({"id:1"});
  stream.reset();
  publish(1, "one");
  EXPECT_EQ(wakes, 0U);
  EXPECT_FALSE(tokens.subscriptions().follows_keys());
}

}  // namespace
}  // namespace rota::watch_stream

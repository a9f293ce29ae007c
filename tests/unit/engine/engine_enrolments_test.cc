#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "plan/lifecycle.h"
#include "tests/unit/engine/enrolment_boxes.h"

// Members that clients enrol: they come without a roster, and go without one.
namespace rota::test {
namespace {

using ::testing::ElementsAre;

TEST(EngineEnrolments, P2TheFirstTokenCostsOneCallAndTwoCommits) {
  EngineBox box = started();
  const WaitId wait = box.enrol(kAdaKey, {.wait_for = WaitFor::kToken});
  ASSERT_TRUE(box.commit_pending());
  EXPECT_TRUE(box.calls.empty()) << "the record and the row of the call come first";
  box.commit_ok();
  ASSERT_FALSE(box.commit_pending());
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_FALSE(box.commit_pending()) << "the second commit was the last one";
  EXPECT_EQ(box.calls.size(), 1U);
  EXPECT_EQ(box.served(kAdaKey), "access-1");
}

TEST(EngineEnrolments, P2TheAnswerComesOnceTheIdentityIsDurable) {
  EngineBox box = started();
  const WaitId wait = box.enrol(kAdaKey);
  box.commit_ok();
  box.reply(box.newest_call(), issued("access-1", "refresh-1", box.circle()));
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.commit_ok();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kEnrolled);
  EXPECT_EQ(box.answers.at(wait).member, box.slot(kAdaKey).record.id);
  const WaitId again = box.enrol(kAdaKey);
  box.settle();
  EXPECT_EQ(box.answer_of(again), WaitResult::kWasEnrolled);
}

TEST(EngineEnrolments, P2PendingIsSaidOfWhatIsDurableOnly) {
  EngineBox box = started();
  const WaitId wait = box.enrol(kAdaKey, {.longest = Duration{0}});
  EXPECT_EQ(box.answer_of(wait), std::nullopt) << "the enrolment is not durable yet";
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kPending);
  const WaitId stuck = box.enrol("email:grace@example.com", {.longest = Duration{0}});
  box.advance(Engine::kDurableMax);
  EXPECT_EQ(box.answer_of(stuck), WaitResult::kUnavailable);
}

// The client's time is over while a commit runs, and Circle's word comes before the next one.
TEST(EngineEnrolments, P2WhatCircleSaysBeforePendingIsSaidCounts) {
  struct Case {
    Outcome outcome;
    WaitResult expected;
  };
  const WallTime at = kT0;
  for (const Case& each : {Case{MemberUnknown{}, WaitResult::kUnknown},
                           Case{issued("access-1", "refresh-1", at), WaitResult::kEnrolled}}) {
    EngineBox box = started();
    const WaitId wait = box.enrol(kAdaKey, {.longest = Duration{5'000}});
    box.settle();
    const command::Call call = box.newest_call();
    box.enrol("email:grace@example.com");
    ASSERT_TRUE(box.commit_pending());
    box.advance(Duration{5'000});
    ASSERT_EQ(box.answer_of(wait), std::nullopt);
    box.reply(call, each.outcome, box.circle());
    box.settle();
    EXPECT_EQ(box.answer_of(wait), each.expected);
  }
}

TEST(EngineEnrolments, WhomCircleDoesNotKnowIsNotKept) {
  EngineBox box = started();
  const WaitId wait = box.enrol(kAdaKey);
  box.settle();
  box.reply(box.newest_call(), MemberUnknown{}, box.circle());
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnknown);
  EXPECT_EQ(box.find(kAdaKey), nullptr);
  const WaitId again = box.enrol(kAdaKey);
  EXPECT_EQ(box.answer_of(again), WaitResult::kUnknown);
  const WaitId anyway = box.enrol(kAdaKey, {.ask_anyway = true});
  EXPECT_EQ(box.answer_of(anyway), WaitResult::kUnknown) << "once in 10 s";
  EXPECT_EQ(box.calls.size(), 1U);
  box.run_for(10s);
  box.enrol(kAdaKey, {.ask_anyway = true});
  box.settle();
  EXPECT_EQ(box.calls.size(), 2U);
}

TEST(EngineEnrolments, TwoClientsEnrolOneMemberAndItLeavesWithTheLast) {
  EngineBox box = box_with_ada();
  box.enrol(kAdaKey, {.client = "user:shop"});
  box.settle();
  const OperatorId first = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  EXPECT_EQ(end_of(box, first), OperationEnd::kEnrolmentEnded);
  EXPECT_EQ(box.served(kAdaKey), "access-1");
  const OperatorId not_own = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  EXPECT_EQ(end_of(box, not_own), OperationEnd::kNotEnrolled);
  box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:shop");
  box.settle();
  EXPECT_EQ(box.served(kAdaKey), "");
  EXPECT_EQ(box.slot(kAdaKey).record.state, MemberState::kRetiring);
}

TEST(EngineEnrolments, P4ALeaverIsForgottenOnceNothingOfItIsAlive) {
  EngineBox box = box_with_ada();
  const MemberId ada = box.slot(kAdaKey).record.id;
  box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.settle();
  ASSERT_NE(box.find(kAdaKey), nullptr);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  EXPECT_EQ(box.find(kAdaKey), nullptr);
  EXPECT_EQ(box.durable.find_member(ada), nullptr);
}

TEST(EngineEnrolments, P3ALeaverInDoubtIsKept) {
  EngineBox box = box_with_ada();
  box.run_for(50min);
  box.reply_last(CallKind::kRefresh, transient(TransientReason::kNoReply));
  box.settle();
  box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.settle();
  ASSERT_NE(box.find(kAdaKey), nullptr) << "a lost reply may have brought a token";
  box.run_for(3h);
  EXPECT_EQ(box.find(kAdaKey), nullptr);
}

TEST(EngineEnrolments, TheRosterEndsAllEnrolmentsOfWhomItDrops) {
  EngineBox box = box_with_ada();
  box.roster({entry(kAdaKey), entry("id:7")});
  box.settle();
  const OperatorId named = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  EXPECT_EQ(end_of(box, named), OperationEnd::kInRoster);
  EXPECT_TRUE(is_enrolled(box.slot(kAdaKey).record));
  box.roster({entry("id:7")});
  box.settle();
  EXPECT_FALSE(is_enrolled(box.slot(kAdaKey).record));
  EXPECT_EQ(box.slot(kAdaKey).record.state, MemberState::kRetiring);
  box.run_for(2h);
  ASSERT_NE(box.find(kAdaKey), nullptr) << "a roster has named it: it leaves a tombstone";
  const WaitId back = box.enrol(kAdaKey, {.longest = Duration{0}});
  box.settle();
  EXPECT_EQ(box.answer_of(back), WaitResult::kPending) << "only retired = true keeps it out";
}

TEST(EngineEnrolments, RetiredByTheRosterAndBlockedStayOut) {
  EngineBox box = box_with_ada();
  box.operate(kAdaKey, OperatorAction::kRevoke);
  box.roster({entry("id:7", true), entry("id:8")});
  box.settle();
  const WaitId blocked = box.enrol(kAdaKey, {.ask_anyway = true});
  const WaitId retired = box.enrol("id:7", {.ask_anyway = true});
  box.settle();
  EXPECT_EQ(box.answer_of(blocked), WaitResult::kBlocked);
  EXPECT_EQ(box.answer_of(retired), WaitResult::kRetired);
  EXPECT_FALSE(is_enrolled(box.slot("id:7").record));
}

TEST(EngineEnrolments, P13AnotherNameOfAKnownMemberAddsNoTag) {
  EngineBox box = started();
  box.enrol(kAdaKey, {.tags = {"web"}});
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  box.settle();
  box.run_for(1min);
  box.enrol("sso:ada", {.client = "user:shop", .tags = {"shop"}});
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-1", box.circle()));
  box.settle();
  ASSERT_EQ(box.find("sso:ada"), box.find(kAdaKey));
  EXPECT_THAT(tags_of(box.slot(kAdaKey).record), ElementsAre("web"));
  box.operate("sso:ada", OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  EXPECT_THAT(tags_of(box.slot(kAdaKey).record), ElementsAre("shop"));
  EXPECT_EQ(box.slot(kAdaKey).record.state, MemberState::kActive);
}

TEST(EngineEnrolments, WhomTheRosterNamesByAnotherNameWasAMemberBefore) {
  EngineBox box = started();
  box.roster({entry("id:42")});
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  box.settle();
  const WaitId wait = box.enrol(kAdaKey);
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-1", box.circle()));
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kWasEnrolled) << "200, not 201";
  EXPECT_EQ(box.find(kAdaKey), box.find("id:42"));
  EXPECT_TRUE(named_by_roster(box.slot(kAdaKey).record));
  EXPECT_FALSE(only_enrolled(box.slot(kAdaKey).record));
  const OperatorId removal = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  EXPECT_EQ(end_of(box, removal), OperationEnd::kInRoster);
}

TEST(EngineEnrolments, P7FirstIssuesTakeTheirShareOfTheBudgetAndNoMore) {
  Policy policy = exact_policy();
  policy.requests_per_window = 40;
  policy.enrolment.budget_share = 0.25;
  policy.max_in_flight = 64;
  EngineBox box = started(policy);
  std::vector<WaitId> waits;
  for (int i = 0; i < 20; ++i) waits.push_back(box.enrol("sso:m" + std::to_string(i)));
  box.settle();
  EXPECT_EQ(box.calls.size(), 10U);
  EXPECT_EQ(box.engine.members().size(), 10U) << "the others are not enrolled";
  box.run_for(10s);
  EXPECT_EQ(box.answer_of(waits.back()), WaitResult::kLimited);
  EXPECT_EQ(box.answer_of(waits.front()), WaitResult::kPending);
}

TEST(EngineEnrolments, PastTheirNumberNobodyIsEnrolled) {
  Policy policy = exact_policy();
  policy.enrolment.max_members = 1;
  EngineBox box = box_with_ada(policy);
  const WaitId wait = box.enrol("sso:grace");
  EXPECT_EQ(box.answer_of(wait), WaitResult::kLimited);
  const WaitId known = box.enrol(kAdaKey, {.client = "user:shop"});
  box.settle();
  EXPECT_EQ(box.answer_of(known), WaitResult::kWasEnrolled);
}

// A turn every five seconds; "sso:grace" has the first one, and the other two wait for theirs.
class WaitForATurn {
 public:
  explicit WaitForATurn(std::size_t max_members) {
    Policy policy = exact_policy();
    policy.window = 5s;
    policy.enrolment.budget_share = 0;
    policy.enrolment.max_members = max_members;
    box_.emplace(started(policy));
    box_->enrol("sso:grace", {.longest = 1min});
    box_->settle();
  }
  EngineBox& box() { return *box_; }
  WaitId enrol(std::string_view key) {
    const WaitId wait = box_->enrol(key, {.longest = 1min});
    box_->settle();
    return wait;
  }
  void next_turn() {
    box_->advance(5s);
    box_->settle();
  }

 private:
  std::optional<EngineBox> box_;
};

TEST(EngineEnrolments, WhoseTurnComesWhenAllPlacesAreTakenIsRefused) {
  WaitForATurn line(2);
  const WaitId ada = line.enrol(kAdaKey);
  const WaitId alan = line.enrol("sso:alan");
  line.next_turn();
  EXPECT_NE(line.box().find(kAdaKey), nullptr);
  EXPECT_EQ(line.box().answer_of(ada), std::nullopt);
  line.next_turn();
  EXPECT_EQ(line.box().answer_of(alan), WaitResult::kLimited);
  EXPECT_EQ(line.box().find("sso:alan"), nullptr);
}

TEST(EngineEnrolments, WhoseTurnComesAfterCircleKnewNobodyOfTheNameCostsNoCall) {
  WaitForATurn line(10);
  const WaitId first = line.enrol(kAdaKey);
  const WaitId second = line.enrol(kAdaKey);
  line.next_turn();
  line.box().reply(line.box().newest_call(), MemberUnknown{}, line.box().circle());
  line.box().settle();
  EXPECT_EQ(line.box().answer_of(first), WaitResult::kUnknown);
  const std::size_t calls = line.box().calls.size();
  line.next_turn();
  EXPECT_EQ(line.box().answer_of(second), WaitResult::kUnknown);
  EXPECT_EQ(line.box().calls.size(), calls);
  EXPECT_EQ(line.box().find(kAdaKey), nullptr);
}

TEST(EngineEnrolments, NobodyAsksForAnIdleMemberAndItLeaves) {
  Policy policy = exact_policy();
  policy.enrolment.idle_after = std::chrono::days{1};
  EngineBox box = box_with_ada(policy);
  box.advance(std::chrono::days{1} - 1s);
  box.settle();
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  EXPECT_TRUE(is_enrolled(box.slot(kAdaKey).record));
  box.advance(2s);
  box.settle();
  EXPECT_EQ(box.told("idle"), 1U);
  ASSERT_NE(box.find(kAdaKey), nullptr);
  EXPECT_FALSE(is_enrolled(box.slot(kAdaKey).record));
}

TEST(EngineEnrolments, WhoCameWhileTheClockWasFarBehindIsNotIdle) {
  EngineBox box = started();
  box.enrol(kAdaKey);
  box.settle();
  box.reply(box.newest_call(), issued("access-1", "refresh-1", box.circle()),
            box.circle() + std::chrono::days{60});
  box.settle();
  box.advance(1s);
  box.settle();
  EXPECT_EQ(box.told("idle"), 0U);
  EXPECT_TRUE(is_enrolled(box.slot(kAdaKey).record));
}

TEST(EngineEnrolments, P12AClockThatJumpsMakesFewMembersLeave) {
  EngineBox box = started();
  for (int i = 0; i < 10; ++i) box.enrol("sso:m" + std::to_string(i));
  box.settle();
  box.reply(box.oldest_call(), issued("access-1", "refresh-1", box.circle(), 1),
            box.circle() + std::chrono::days{60});
  box.settle();
  box.advance(1s);
  box.settle();
  EXPECT_LE(box.told("idle"), 1U);
}

TEST(EngineEnrolments, TheTrailNamesWhoEnrolled) {
  EngineBox box = started();
  box.enrol(kAdaKey, {.client = "user:web", .caller = {.uid = 33, .gid = 33, .pid = 7}});
  box.settle();
  EXPECT_TRUE(box.audited.empty()) << "Circle has not said yet who that is";
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  box.enrol(kAdaKey, {.client = "client:shop", .caller = {.client = "shop"}});
  box.settle();
  std::erase_if(box.audited,
                [](const command::Note& note) { return note.key.event != AuditEvent::kEnrolled; });
  ASSERT_EQ(box.audited.size(), 2U);
  EXPECT_EQ(box.audited[0].key.event, AuditEvent::kEnrolled);
  EXPECT_EQ(box.audited[0].member, kAdaKey);
  EXPECT_EQ(box.audited[0].key.detail, "user:web");
  EXPECT_EQ(box.audited[0].key.caller, (AuditCaller{.uid = 33, .gid = 33, .pid = 7}));
  EXPECT_EQ(box.audited[1].key.caller, AuditCaller{.client = "shop"}) << "of a known member, too";
}

}  // namespace
}  // namespace rota::test

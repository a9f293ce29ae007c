#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "plan/lifecycle.h"
#include "tests/unit/engine/engine_box.h"

// What clients are told of members: only what Circle has said, and not taken back.
namespace rota::test {
namespace {

constexpr std::string_view kAdaKey = "email:ada@example.com";
constexpr std::string_view kId = "id:42";

EngineBox started() {
  EngineBox box;
  box.start();
  box.settle();
  return box;
}

WaitId put(EngineBox& box, std::string_view key) {
  const WaitId wait = box.enrol(key, {.ask_anyway = true});
  box.settle();
  return wait;
}

// user:web has enrolled `key`, which has "access-1" and "refresh-1".
EngineBox enrolled(std::string_view key) {
  EngineBox box = started();
  put(box, key);
  box.reply(box.newest_call(), issued("access-1", "refresh-1", box.circle()), box.circle());
  box.settle();
  return box;
}

// The roster names `key`, and Circle does not know it.
EngineBox unknown_by_roster(std::string_view key) {
  EngineBox box = started();
  box.roster({entry(key)});
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  box.run_for(50min);
  box.reply_last(CallKind::kRefresh, RefreshTokenDead{});
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  return box;
}

OperationEnd end_of(const EngineBox& box, OperatorId op) {
  const Result<OperatorReport>* report = box.report_of(op);
  return report == nullptr || !report->has_value() ? OperationEnd::kRunning : (*report)->end;
}

std::size_t enrolments_noted(const EngineBox& box) {
  return static_cast<std::size_t>(
      std::ranges::count(box.audited, AuditEvent::kEnrolled,
                         [](const command::Note& note) { return note.key.event; }));
}

class Identified : public testing::TestWithParam<std::string_view> {};
INSTANTIATE_TEST_SUITE_P(ByEachName, Identified, testing::Values(kAdaKey, kId));

TEST_P(Identified, AnUnknownOneIsAskedAboutAndStaysUnknownUntilCircleAnswers) {
  EngineBox box = unknown_by_roster(GetParam());
  const WaitId wait = put(box, GetParam());
  EXPECT_EQ(box.answer_of(wait), std::nullopt) << "Circle's last word is that there is nobody";
  EXPECT_EQ(box.slot(GetParam()).record.state, MemberState::kUnknown);
  EXPECT_EQ(box.served(GetParam()), "") << "though its token may be alive";
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnknown);
  EXPECT_FALSE(is_enrolled(box.slot(GetParam()).record));
  EXPECT_EQ(enrolments_noted(box), 0U);
  const std::size_t calls = box.calls.size();
  const WaitId again = put(box, GetParam());
  EXPECT_EQ(box.answer_of(again), WaitResult::kUnknown) << "once in 10 s";
  EXPECT_EQ(box.calls.size(), calls);
}

TEST_P(Identified, AnUnknownOneThatCircleKnowsAgainIsConfirmed) {
  EngineBox box = unknown_by_roster(GetParam());
  const WaitId wait = put(box, GetParam());
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-2", box.circle()));
  EXPECT_EQ(box.answer_of(wait), WaitResult::kWasEnrolled);
  EXPECT_EQ(box.table.find(GetParam())->community_member_id, 42);
  EXPECT_EQ(enrolments_noted(box), 1U);
}

TEST_P(Identified, AskingAnewWithoutWaitingAsksAtOnce) {
  EngineBox box = unknown_by_roster(GetParam());
  const std::size_t calls = box.calls.size();
  const WaitId wait = box.enrol(GetParam(), {.longest = Duration{0}, .ask_anyway = true});
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kPending);
  box.run_for(1s);
  EXPECT_EQ(box.calls.size(), calls + 1);
  const WaitId meanwhile = put(box, GetParam());
  EXPECT_EQ(box.answer_of(meanwhile), std::nullopt) << "it waits for the same call";
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  EXPECT_EQ(box.answer_of(meanwhile), WaitResult::kUnknown);
  EXPECT_EQ(box.calls.size(), calls + 1);
}

TEST_P(Identified, WhomCircleKnowsNoMoreIsNotKept) {
  EngineBox box = enrolled(GetParam());
  box.run_for(50min);
  box.reply_last(CallKind::kRefresh, RefreshTokenDead{});
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  EXPECT_FALSE(is_enrolled(box.slot(GetParam()).record));
  box.reply_last(CallKind::kRevokeAccess, MemberGone{});
  const WaitId wait = put(box, GetParam());
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnknown) << "once in 10 s";
  box.run_for(10s);
  const WaitId later = put(box, GetParam());
  EXPECT_EQ(box.answer_of(later), std::nullopt) << "what was known of it counts for nothing";
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  EXPECT_EQ(box.answer_of(later), WaitResult::kUnknown);
  box.run_for(2h);
  EXPECT_EQ(box.find(GetParam()), nullptr);
  EXPECT_EQ(enrolments_noted(box), 1U);
}

TEST_P(Identified, ARevocationThatFindsTheMemberGoneEndsTheEnrolment) {
  EngineBox box = enrolled(GetParam());
  box.run_for(1s);
  const OperatorId op = box.operate(GetParam(), OperatorAction::kSignOut);
  box.reply_last(CallKind::kRevokeAccess, MemberGone{});
  EXPECT_EQ(end_of(box, op), OperationEnd::kSignedOut);
  EXPECT_FALSE(is_enrolled(box.slot(GetParam()).record));
  box.reply_last(CallKind::kRevokeRefresh, AlreadyDead{});
  box.run_for(10s);
  const WaitId wait = put(box, GetParam());
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-2", box.circle()));
  EXPECT_EQ(box.answer_of(wait), WaitResult::kEnrolled) << "the person was restored";
}

TEST_P(Identified, ARevocationThatFindsTheMemberGoneTakesTheWordBack) {
  EngineBox box = started();
  box.roster({entry(GetParam())});
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  box.run_for(1s);
  box.operate(GetParam(), OperatorAction::kSignOut);
  box.reply_last(CallKind::kRevokeAccess, MemberGone{});
  const WaitId wait = put(box, GetParam());
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.reply_last(CallKind::kRefresh, RefreshTokenDead{});
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnknown);
}

TEST_P(Identified, ASignedOutMemberIsConfirmedWithoutACall) {
  EngineBox box = enrolled(GetParam());
  box.run_for(1s);
  box.operate(GetParam(), OperatorAction::kSignOut);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  const WaitId wait = put(box, GetParam());
  EXPECT_EQ(box.answer_of(wait), WaitResult::kWasEnrolled);
  EXPECT_EQ(box.table.find(GetParam())->community_member_id, 42) << "though it has no token";
}

TEST_P(Identified, AnEnrolmentThatASignOutOvertakesNeedsNoSecondToken) {
  EngineBox box = started();
  const WaitId wait = put(box, GetParam());
  const command::Call first = box.newest_call();
  box.operate(GetParam(), OperatorAction::kSignOut);
  box.settle();
  box.reply(first, issued("access-1", "refresh-1", box.circle()));
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kEnrolled);
  EXPECT_EQ(box.served(GetParam()), "") << "the token is of before the sign-out";
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  const std::size_t calls = box.calls.size();
  box.run_for(10min);
  EXPECT_EQ(box.calls.size(), calls) << "nobody asks for a token";
}

TEST(EngineIdentified, ATokenThatIsDeadOnArrivalSaysWhoItIs) {
  EngineBox box = started();
  const WaitId wait = put(box, kAdaKey);
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle() - 2h));
  EXPECT_EQ(box.answer_of(wait), WaitResult::kEnrolled);
}

TEST(EngineIdentified, ByTheRosterAloneNobodyIsConfirmed) {
  EngineBox box = started();
  box.roster({entry(kAdaKey)});
  box.settle();
  const WaitId wait = put(box, kAdaKey);
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnknown);
}

// The member is there, but not by the name that Circle did not know.
TEST(EngineIdentified, P13ANameThatCircleDidNotKnowIsAskedForBeforeAnythingIsServedByIt) {
  EngineBox box = unknown_by_roster(kAdaKey);
  put(box, "sso:ada");
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-2", box.circle()));
  ASSERT_EQ(box.find("sso:ada"), box.find(kAdaKey)) << "pinned to the same person";
  EXPECT_EQ(box.served(kAdaKey), "");
  ASSERT_EQ(box.newest_call().request.member.text(), kAdaKey);
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  EXPECT_EQ(box.slot(kAdaKey).record.state, MemberState::kUnknown);
  EXPECT_EQ(box.served("sso:ada"), "access-2");
}

TEST(EngineIdentified, AnEnrolmentIsNotedOnceCircleHasSaidWhoItIsOverARestartToo) {
  EngineBox box = started();
  put(box, kAdaKey);
  EXPECT_EQ(enrolments_noted(box), 0U);
  EngineBox again = box.restarted(1s);
  again.start();
  again.settle();
  again.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", again.circle()));
  ASSERT_EQ(enrolments_noted(again), 1U);
  EngineBox last = again.restarted(1s);
  last.start();
  last.run_for(50min);
  last.reply_last(CallKind::kRefresh, refreshed("access-2", last.circle() + 1h));
  EXPECT_EQ(enrolments_noted(last), 0U) << "it was noted before";
}

TEST(EngineIdentified, AnEnrolmentThatHasEndedIsNotNoted) {
  EngineBox box = started();
  put(box, kAdaKey);
  const command::Call first = box.newest_call();
  box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  box.reply(first, issued("access-1", "refresh-1", box.circle()));
  box.settle();
  EXPECT_EQ(enrolments_noted(box), 0U);
}

// What holds without a call for the retired entry.
TEST(EngineIdentified, WhomTheRosterRetiredAfterCircleNamedItStaysOutByAnyName) {
  EngineBox box = started();
  box.roster({entry("email:grace@example.com"), entry("id:7")});
  box.settle();
  for (const command::Call& call : box.open_calls()) {
    if (call.request.member.text() != "email:grace@example.com") continue;
    box.reply(call, issued("access-1", "refresh-1", box.circle()));
  }
  box.settle();
  box.roster({entry("email:grace@example.com", true), entry("id:7")});
  box.settle();
  for (const std::string_view other : {"sso:grace", "id:42"}) {
    const WaitId wait = put(box, other);
    for (const command::Call& call : box.open_calls()) {
      if (call.request.kind == CallKind::kIssue && call.request.member.text() == other) {
        box.reply(call, issued("access-2", "refresh-2", box.circle()));
      }
    }
    box.settle();
    EXPECT_EQ(box.answer_of(wait), WaitResult::kRetired) << other;
    EXPECT_EQ(box.served(other), "");
  }
  EXPECT_EQ(box.find("sso:grace"), box.find("email:grace@example.com"));
  EXPECT_FALSE(is_enrolled(box.slot("sso:grace").record));
  EXPECT_EQ(find_token(box.slot("sso:grace").record, "access-2")->status, TokenStatus::kRevoking);
  EXPECT_EQ(enrolments_noted(box), 0U);
}

TEST(EngineRemoval, ItIsDoneOnceNoTokenOfTheMemberIsAlive) {
  EngineBox box = enrolled(kAdaKey);
  const OperatorId op = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  EXPECT_EQ(box.report_of(op), nullptr);
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  EXPECT_EQ(box.report_of(op), nullptr);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  ASSERT_EQ(end_of(box, op), OperationEnd::kEnrolmentEnded);
  EXPECT_EQ((*box.report_of(op))->revocations.size(), 2U);
  EXPECT_EQ((*box.report_of(op))->state, MemberState::kRetired);
}

TEST(EngineRemoval, ItIsNotDoneWhileCircleDoesNotAnswer) {
  EngineBox box = enrolled(kAdaKey);
  const OperatorId op = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  box.run_for(kOperationMax);
  ASSERT_EQ(end_of(box, op), OperationEnd::kTimedOut);
  EXPECT_FALSE(is_success(end_of(box, op)));
  const OperatorId again = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  EXPECT_EQ(end_of(box, again), OperationEnd::kNotEnrolled);
}

TEST(EngineRemoval, AMemberThatOthersKeepLosesNoToken) {
  EngineBox box = enrolled(kAdaKey);
  box.enrol(kAdaKey, {.client = "user:shop"});
  box.settle();
  const OperatorId op = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  ASSERT_EQ(end_of(box, op), OperationEnd::kEnrolmentEnded) << "nothing is left to do";
  EXPECT_EQ((*box.report_of(op))->state, MemberState::kActive);
  EXPECT_TRUE((*box.report_of(op))->revocations.empty());
}

TEST(EngineRemoval, OneThatCameBackMeanwhileIsDoneOnceTheTokensOfBeforeAreDead) {
  EngineBox box = enrolled(kAdaKey);
  const OperatorId op = box.operate(kAdaKey, OperatorAction::kEndEnrolment, "user:web");
  box.settle();
  put(box, kAdaKey);
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  for (int call = 0; call < 2 && box.report_of(op) == nullptr; ++call) {
    ASSERT_FALSE(box.open_calls().empty());
    const command::Call next = box.oldest_call();
    if (next.request.kind == CallKind::kIssue) {
      box.reply(next, issued("access-2", "refresh-2", box.circle()));
    } else {
      box.reply(next, Revoked{});
    }
    box.settle();
  }
  EXPECT_EQ(end_of(box, op), OperationEnd::kEnrolmentEnded);
  EXPECT_EQ(find_token(box.slot(kAdaKey).record, "access-1"), nullptr);
}

TEST(EngineRemoval, NobodyIsHeldBackAndThereIsNothingToLift) {
  EngineBox box = started();
  const OperatorId op = box.lift_removals("user:web");
  ASSERT_NE(box.report_of(op), nullptr);
  ASSERT_FALSE(box.report_of(op)->has_value());
  EXPECT_EQ(box.report_of(op)->error().kind, ErrorKind::kInvalid);
  EXPECT_NE(box.report_of(op)->error().message.find("user:web is not held back"),
            std::string::npos);
}

}  // namespace
}  // namespace rota::test

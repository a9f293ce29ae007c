#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// The upstream as a whole: budget, throttling, breaker and clock.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

std::vector<RosterEntry> many(int count) {
  std::vector<RosterEntry> entries;
  for (int i = 1; i <= count; ++i) entries.push_back(entry(fmt::format("id:{}", i)));
  return entries;
}

EngineBox box_with_many(int count, const Policy& policy = exact_policy()) {
  EngineBox box({}, policy);
  box.start();
  box.roster(many(count));
  box.settle();
  return box;
}

std::int64_t member_of(const EngineBox& box, const command::Call& call) {
  return static_cast<std::int64_t>(box.durable.find_call(call.call)->member);
}

TEST(EngineUpstream, TheFlightIsBoundedAndLeavesRoomForClients) {
  EngineBox box = box_with_many(40);
  EXPECT_THAT(box.open_calls(), SizeIs(12)) << "a quarter of max_in_flight is kept from background";
  for (int i = 0; i < 10; ++i) box.wait(40 - i, 60s);
  box.settle();
  EXPECT_THAT(box.open_calls(), SizeIs(16));
  for (const auto& call : box.open_calls()) {
    const std::int64_t member = member_of(box, call);
    EXPECT_TRUE(member <= 12 || member > 30) << member;
  }
}

TEST(EngineUpstream, TheBudgetHoldsBackAndReleases) {
  Policy policy = exact_policy();
  policy.requests_per_window = 10;
  EngineBox box = box_with_many(20, policy);
  EXPECT_THAT(box.calls, SizeIs(2)) << "a small burst";
  box.run_for(kTestWindow - 1s);
  EXPECT_THAT(box.calls, SizeIs(9)) << "spread over the window, and one call is the reserve";
  while (!box.open_calls().empty()) {
    const auto call = box.oldest_call();
    const auto id = call.request.member.id();
    box.reply(call, issued(fmt::format("a{}", id), fmt::format("r{}", id), box.circle(), id));
    box.settle();
  }
  EXPECT_THAT(box.calls, SizeIs(9));
  box.wait(20, 60s);
  box.settle();
  EXPECT_THAT(box.calls, SizeIs(10)) << "a client may use the reserve";
  box.run_for(kTestWindow);
  EXPECT_THAT(box.calls, SizeIs(10));
  box.run_for(1ms);
  EXPECT_GT(box.calls.size(), 10U);
}

TEST(EngineUpstream, BackgroundIsServedWhileClientsFillTheFlight) {
  Policy policy = exact_policy();
  policy.max_in_flight = 4;
  EngineBox box = box_with_many(60, policy);
  for (std::int64_t member = 31; member <= 60; ++member) box.wait(member, 60s);
  box.settle();
  std::size_t background = 0, clients = 0;
  while (box.engine.waits() > 4) {
    const auto call = box.oldest_call();
    (member_of(box, call) > 30 ? clients : background) += 1;
    box.reply(call, MemberUnknown{});
    box.settle();
  }
  EXPECT_GE(background, 3 + clients / LanePicker::kLeastShare - 1) << "three were in flight before";
  EXPECT_GT(clients, 3 * background) << "and clients go first";
}

TEST(EngineUpstream, A429PausesEveryLaneWhatIsJournaledAlreadyIncluded) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("id:7"), entry("id:8")});
  box.settle();
  ASSERT_THAT(box.open_calls(), SizeIs(2));
  const auto calls = box.open_calls();
  box.roster({entry(kGraceKey), entry("id:7"), entry("id:8"), entry("id:9")});
  ASSERT_TRUE(box.commit_pending());  // with the journal row of member 9's call
  box.reply(calls[0], Throttled{.after = 90s});
  box.reply(calls[1], Throttled{.after = 20s});
  box.settle();
  EXPECT_THAT(box.open_calls(), IsEmpty()) << "not sent after the 429";
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.wait(2, 60s);
  box.run_for(90s - 1ms);
  EXPECT_THAT(box.open_calls(), IsEmpty())
      << "the longer pause holds for revocation and client too";
  EXPECT_EQ(box.slot("id:7").attempts.failures, 0) << "no member's failure";
  box.run_for(1ms);
  EXPECT_THAT(box.open_calls(), SizeIs(1)) << "which asks whether it is over";
  box.run_for(10s);
  ASSERT_THAT(box.open_calls(), SizeIs(1));
  EXPECT_EQ(box.oldest_call().request.kind, CallKind::kRevokeRefresh) << "the most urgent";
  box.reply(box.oldest_call(), Revoked{});
  box.settle();
  box.run_for(10s);
  EXPECT_THAT(box.open_calls(), SizeIs(4)) << "the next revocation, and three in the background";
}

TEST(EngineUpstream, P7A503WithRetryAfterPausesEveryLaneAsA429Does) {
  EngineBox box = box_with_many(2);
  ASSERT_THAT(box.open_calls(), SizeIs(2));
  Transient unavailable = transient(TransientReason::kUnclearReply);
  unavailable.after = 40s;
  const auto calls = box.open_calls();
  box.reply(calls[0], unavailable);
  box.reply(calls[1], issued("access-2", "refresh-2", box.circle(), 2));
  box.operate("id:2", OperatorAction::kRevoke);
  box.wait(1, 60s);
  box.run_for(40s - 1ms);
  EXPECT_THAT(box.open_calls(), IsEmpty()) << "a revocation and a client wait, too";
  EXPECT_EQ(box.slot("id:1").attempts.failures, 1) << "it is this member's failure all the same";
  box.run_for(1ms);
  EXPECT_THAT(box.open_calls(), SizeIs(1)) << "which asks whether it is over";
}

// P8: Circle may mean this member alone.
TEST(EngineUpstream, P8AMemberThatGetsA429GoesBehindTheOthersOfItsLane) {
  EngineBox box = box_with_many(2);
  ASSERT_THAT(box.open_calls(), SizeIs(2));
  const std::string second = box.calls[1].request.member.text();
  box.reply(box.calls[0], Throttled{.after = 5s});
  box.reply(box.calls[1], Transient{.reason = TransientReason::kNotSent, .why = "a test"});
  box.settle();
  std::vector<std::string> asked;
  for (int i = 0; i < 8; ++i) {
    box.run_for(6s);
    if (box.open_calls().empty()) continue;
    asked.push_back(box.oldest_call().request.member.text());
    if (asked.back() == second) break;
    box.reply(box.oldest_call(), Throttled{.after = 5s});
    box.settle();
  }
  EXPECT_LE(asked.size(), 2U) << "not the same one for ever";
  EXPECT_EQ(asked.back(), second);
}

TEST(EngineUpstream, P8AMemberWhoseServerAsksForAPauseGoesBehindTheOthersOfItsLane) {
  EngineBox box = box_with_many(2);
  ASSERT_THAT(box.open_calls(), SizeIs(2));
  Transient unavailable = transient(TransientReason::kServerError);
  unavailable.after = 5s;
  const std::string second = box.calls[1].request.member.text();
  box.reply(box.calls[0], unavailable);
  box.reply(box.calls[1], Transient{.reason = TransientReason::kNotSent, .why = "a test"});
  box.settle();
  std::vector<std::string> asked;
  while (asked.size() < 8 && (asked.empty() || asked.back() != second)) {
    box.run_for(6s);
    if (box.open_calls().empty()) continue;
    asked.push_back(box.oldest_call().request.member.text());
    if (asked.back() != second) box.reply(box.oldest_call(), unavailable);
    box.settle();
  }
  EXPECT_LE(asked.size(), 2U) << "not the same one for ever";
}

TEST(EngineUpstream, A429WithoutRetryAfterPausesEverLonger) {
  EngineBox box = box_with_many(1);
  for (const Duration pause : {Duration{2'000}, Duration{4'000}, Duration{8'000}}) {
    box.reply_last(CallKind::kIssue, Throttled{});
    EXPECT_THAT(box.open_calls(), IsEmpty());
    box.run_for(pause - 1ms);
    EXPECT_THAT(box.open_calls(), IsEmpty()) << pause.count();
    box.run_for(1ms);
    EXPECT_THAT(box.open_calls(), SizeIs(1)) << pause.count();
  }
}

// P7: whatever the wall clock shows after the reboot.
TEST(EngineUpstream, P7ARebootKeepsThePauseAndTheSlots) {
  Policy policy = exact_policy();
  policy.requests_per_window = 20;
  const Now start{.wall = kT0, .boot = BootTime{10'000s}};
  EngineBox box({}, policy, start, BootId{1});
  box.start();
  box.roster({entry("id:7"), entry("id:8")});
  box.settle();
  ASSERT_THAT(box.open_calls(), SizeIs(2));
  box.reply(box.oldest_call(), issued("access-7", "refresh-7", box.circle(), 7));
  box.reply(box.oldest_call(), Throttled{.after = 90s});
  box.settle();

  const Now after{.wall = kT0 + 9h, .boot = BootTime{20s}};
  EngineBox again(box.durable.snapshot(), policy, after, BootId{2});
  again.start();
  again.settle();
  EXPECT_EQ(again.engine.budget().used(again.now.boot), 2U);
  again.run_for(70s - 1ms);
  EXPECT_THAT(again.calls, IsEmpty()) << "90 s since this boot began, at the least";
  again.run_for(1ms);
  EXPECT_FALSE(again.calls.empty());
}

TEST(EngineUpstream, ABadAppTokenIsOneAlarmAndOneProbeAtATime) {
  EngineBox box = box_with_many(30);
  const WaitId wait = box.wait(30, 60s);
  box.settle();
  const auto in_flight = box.open_calls();
  ASSERT_THAT(in_flight, SizeIs(13));
  for (const auto& call : in_flight) box.reply(call, AppTokenRefused{});
  box.settle();
  EXPECT_EQ(box.told("breaker"), 1U);
  EXPECT_EQ(box.told("call_failed"), 0U);
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnavailable) << "no use in waiting";
  EXPECT_THAT(box.open_calls(), IsEmpty());
  for (int probe = 0; probe < 5; ++probe) {
    box.run_for(30s);
    ASSERT_THAT(box.open_calls(), SizeIs(1));
    box.run_for(10min);
    ASSERT_THAT(box.open_calls(), SizeIs(1));
    box.reply(box.oldest_call(), AppTokenRefused{});
    box.settle();
  }
  EXPECT_EQ(box.told("breaker"), 1U);
  box.new_app_token();
  box.settle();
  EXPECT_THAT(box.open_calls(), SizeIs(12));
}

// P12: what the last boot used up comes back as its window ends, and old doubts cost nothing.
TEST(EngineUpstream, P12AfterARebootTheBackgroundGoesOnAsTheWindowFreesIt) {
  std::vector<CallRow> rows;
  constexpr BootTime kLast{100h};
  for (int i = 0; i < 400; ++i) {
    CallRow row;
    row.id = CallId{i + 1};
    row.member = MemberId{i + 10};
    row.opened_at = kT0;
    row.closed_at = kT0;
    row.fate = CallFate::kUnknown;
    row.doubt_until = kT0 + 700h;
    row.closed_stamp = BootStamp{.boot = BootId{7}, .at = kLast - (i < 10 ? i * 1s : 48h)};
    rows.push_back(row);
  }
  Snapshot snapshot = snapshot_of({member_with_pair()}, rows);
  snapshot.meta.last_commit = {.boot = BootId{7}, .at = kLast};
  Policy policy = exact_policy();
  policy.requests_per_window = 100;
  const Now start{.wall = kT0, .boot = BootTime{20s}};
  EngineBox box(std::move(snapshot), policy, start, BootId{8});
  box.start();
  box.settle();
  EXPECT_EQ(box.engine.budget().used(box.now.boot), 11U) << "and the probe of the clock";
  const auto next = box.engine.budget().next_slot(Lane::kRefresh, box.now.boot);
  ASSERT_TRUE(next);
  EXPECT_LE(*next, box.now.boot + 30s);
}

// P8: one alarm for one refused token.
TEST(EngineUpstream, P8ARefusalOfACallWithTheOldAppTokenSaysNothingAboutTheNewOne) {
  EngineBox box = box_with_many(2);
  const auto calls = box.open_calls();
  ASSERT_THAT(calls, SizeIs(2));
  box.reply(calls[0], AppTokenRefused{});
  box.new_app_token();
  box.reply(calls[1], AppTokenRefused{});
  box.settle();
  EXPECT_EQ(box.told("breaker"), 2U) << "open, and closed";
  box.advance(1s);
  box.settle();
  ASSERT_THAT(box.open_calls(), SizeIs(2)) << "with the new one";
  box.reply(box.oldest_call(), AppTokenRefused{});
  box.settle();
  EXPECT_EQ(box.told("breaker"), 3U);
}

TEST(EngineUpstream, CallsJournaledWhenTheBreakerOpensAreNotSent) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("id:7")});
  box.settle();
  box.roster({entry(kGraceKey), entry("id:7"), entry("id:8"), entry("id:9")});
  box.reply(box.oldest_call(), AppTokenRefused{});
  box.settle();
  EXPECT_THAT(box.open_calls(), IsEmpty());
  EXPECT_EQ(box.durable.open_calls(), 0U);
  box.run_for(1s);
  EXPECT_THAT(box.open_calls(), SizeIs(1));
}

TEST(EngineUpstream, OneBadMemberDelaysNobody) {
  EngineBox box = box_with_many(2);
  const auto calls = box.open_calls();
  box.reply(calls[1], issued("a2", "r2", box.circle(), 2));
  box.reply(calls[0], transient(TransientReason::kServerError));
  for (int i = 0; i < 10; ++i) {
    box.run_for(6min);
    if (box.open_calls().empty()) continue;
    if (box.newest_call().request.kind == CallKind::kIssue) {
      box.reply_last(CallKind::kIssue, transient(TransientReason::kServerError));
    } else {
      box.reply_last(CallKind::kRefresh, refreshed(fmt::format("a2-{}", i), box.circle() + 1h));
    }
  }
  EXPECT_EQ(box.engine.gate().breaker().state(), BreakerState::kClosed);
  EXPECT_GT(box.slot("id:1").attempts.failures, 5);
  EXPECT_NE(box.served("id:2"), "");
}

TEST(EngineUpstream, AnUnclear401OnARefreshIsSettledByAnIssue) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  box.reply_last(CallKind::kRefresh, transient(TransientReason::kUnclear401));
  EXPECT_EQ(box.engine.journal().doubts(), 0U);
  box.run_for(1s);
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-1", box.circle()));
  EXPECT_FALSE(box.slot(kGraceKey).attempts.settle_by_issue);
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

TEST(EngineUpstream, AnEarlyRefreshThatBringsTheSameTokenIsLearnedForAll) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  box.reply_last(CallKind::kRefresh, refreshed("access-1", kT0 + 1h));
  EXPECT_TRUE(box.engine.facts().early_refresh_useless);
  box.run_for(10min + kEndSlack - 1ms);
  EXPECT_THAT(box.open_calls(), IsEmpty()) << "from now on at expiry";
  box.run_for(1ms);
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  EXPECT_TRUE(box.engine.facts().early_refresh_useless) << "at the end proves nothing";
  EngineBox again = box.restarted(1s);
  EXPECT_TRUE(again.engine.facts().early_refresh_useless);
}

}  // namespace
}  // namespace rota::test

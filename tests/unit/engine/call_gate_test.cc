#include "engine/call_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "tests/unit/engine/gate_box.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::GateBox;
using test::kGateWindow;
using test::no_reply;
using test::policy_with;

// --- A call's life ---

TEST(CallGateTest, ACallIsInFlightFromItsJournalRowUntilItsReply) {
  GateBox box;
  const CallId id = box.open(Lane::kRefresh, CallKind::kRefresh, 7);
  EXPECT_EQ(box.gate.in_flight(), 1U);
  EXPECT_TRUE(box.gate.calls().contains(id));
  EXPECT_FALSE(box.gate.at(id).sent_at) << "its journal row is not durable yet";
  box.now += 1s;
  box.gate.send(box.gate.at(id), box.now);
  EXPECT_EQ(box.gate.at(id).sent_at, box.now);
  const CallState closed = box.gate.close(id);
  EXPECT_EQ(closed.member, MemberId{7});
  EXPECT_EQ(closed.sent_at, box.now);
  EXPECT_EQ(box.gate.in_flight(), 0U);
  EXPECT_THROW(box.gate.at(id), std::out_of_range);
}

TEST(CallGateTest, ACallThatWasNeverSentGivesItsSlotBack) {
  GateBox box;
  const CallId id = box.open();
  EXPECT_EQ(box.gate.budget().used(box.now), 1U);
  box.gate.give_up(id);
  EXPECT_EQ(box.gate.in_flight(), 0U);
  EXPECT_EQ(box.gate.budget().used(box.now), 0U);
}

TEST(CallGateTest, OnlyASentCallIsClosedAndOnlyAnUnsentOneGivenUp) {
  GateBox box;
  const CallId opened = box.open();
  const CallId sent = box.send();
  EXPECT_DEATH(box.gate.close(opened), "check failed");
  EXPECT_DEATH(box.gate.give_up(sent), "check failed");
  EXPECT_DEATH(box.gate.close(CallId{99}), "check failed");
  EXPECT_DEATH(box.gate.give_up(CallId{99}), "check failed");
}

TEST(CallGateTest, RotationsAreTheCallsThatBringTokens) {
  GateBox box;
  box.open(Lane::kIssue, CallKind::kIssue);
  box.send(Lane::kRefresh, CallKind::kRefresh);
  box.send(Lane::kRevocation, CallKind::kRevokeRefresh);
  box.send(Lane::kSuperseded, CallKind::kRevokeAccess);
  EXPECT_EQ(box.gate.in_flight(), 4U);
  EXPECT_EQ(box.gate.rotations_in_flight(), 2U);
}

TEST(CallGateTest, OfTheLanesThatAreReadyTheMostUrgentIsNext) {
  GateBox box;
  EXPECT_FALSE(box.gate.pick({}));
  std::array<bool, kLaneCount> ready{};
  ready.at(index_of(Lane::kIssue)) = ready.at(index_of(Lane::kRevocation)) = true;
  EXPECT_EQ(box.gate.pick(ready), Lane::kRevocation);
}

// --- Room and budget ---

TEST(CallGateTest, BackgroundLanesLeaveAQuarterOfTheRoomToUrgentOnes) {
  GateBox box(policy_with(8));
  for (int i = 0; i < 6; ++i) {
    EXPECT_TRUE(box.may_send(Lane::kRefresh)) << i;
    box.open(Lane::kRefresh);
  }
  EXPECT_FALSE(box.may_send(Lane::kRefresh));
  EXPECT_TRUE(box.may_send(Lane::kWaiting));
  EXPECT_TRUE(box.may_send(Lane::kRevocation));
  box.open(Lane::kWaiting);
  box.open(Lane::kWaiting);
  EXPECT_FALSE(box.may_send(Lane::kWaiting)) << "there is no room at all";
}

TEST(CallGateTest, UrgentCallsTakeNothingOfTheBackgroundsPart) {
  GateBox box(policy_with(8));
  for (int i = 0; i < 3; ++i) box.open(Lane::kWaiting);
  for (int i = 0; i < 4; ++i) box.open(Lane::kRefresh);
  EXPECT_TRUE(box.may_send(Lane::kRefresh));
}

TEST(CallGateTest, WithLittleRoomOnePlaceIsLeftAndWithRoomForOneNone) {
  GateBox two(policy_with(2));
  two.open(Lane::kRefresh);
  EXPECT_FALSE(two.may_send(Lane::kRefresh));
  EXPECT_TRUE(two.may_send(Lane::kWaiting));
  GateBox one(policy_with(1));
  EXPECT_TRUE(one.may_send(Lane::kRefresh));
  one.open(Lane::kRefresh);
  EXPECT_FALSE(one.may_send(Lane::kWaiting));
}

TEST(CallGateTest, RowsAreWrittenAheadForTwiceTheRepliesOfACommitAndForFourTimesTheRoomAtMost) {
  GateBox box(policy_with(1));
  box.send(Lane::kRefresh);
  EXPECT_FALSE(box.may_send(Lane::kRefresh));
  box.gate.write_ahead(1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(box.may_send(Lane::kRefresh)) << i;
    EXPECT_FALSE(box.gate.has_room(box.gate.at(box.open(Lane::kRefresh)))) << i;
  }
  EXPECT_FALSE(box.may_send(Lane::kRefresh));
  box.gate.write_ahead(100);
  for (int i = 0; i < 2; ++i) box.open(Lane::kRefresh);
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
  box.gate.write_ahead(0);
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
}

TEST(CallGateTest, OfTheHeldCallsTheMostUrgentGoesFirstAndNoneWithoutRoom) {
  GateBox box(policy_with(2));
  const CallId sent = box.send(Lane::kRefresh);
  const CallId later = box.open(Lane::kRefresh);
  const CallId urgent = box.open(Lane::kWaiting);
  for (const CallId call : {later, urgent}) box.gate.hold(call);
  EXPECT_EQ(box.gate.take_held(false), urgent) << "a place is kept for it";
  box.gate.send(box.gate.at(urgent), box.now);
  EXPECT_EQ(box.gate.take_held(false), std::nullopt);
  box.reply(sent, Revoked{});
  EXPECT_EQ(box.gate.take_held(false), later);
  EXPECT_EQ(box.gate.take_held(false), std::nullopt);
}

TEST(CallGateTest, AHeldCallThatIsRecalledIsTakenWithoutRoom) {
  GateBox box(policy_with(1));
  box.send(Lane::kRefresh);
  const CallId refresh = box.open(Lane::kRefresh);
  const CallId revocation = box.open(Lane::kRevocation, CallKind::kRevokeRefresh);
  box.gate.recall(refresh);
  EXPECT_EQ(box.gate.take_held(false), std::nullopt) << "its row is not on record yet";
  box.gate.hold(refresh);
  box.gate.hold(revocation);
  box.gate.recall(refresh);
  box.gate.recall(revocation);
  EXPECT_EQ(box.gate.take_held(false), refresh);
  EXPECT_EQ(box.gate.take_held(false), std::nullopt) << "a revocation is wanted all the more";
  EXPECT_EQ(box.gate.take_held(true), revocation);
}

TEST(CallGateTest, P7ASlotIsFreeAWindowAfterTheReply) {
  GateBox box(policy_with(16, 10));
  std::vector<CallId> calls;
  for (int i = 0; i < 10; ++i) calls.push_back(box.send());
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
  EXPECT_FALSE(box.earliest(Lane::kWaiting)) << "not before a reply";
  box.now += 2s;
  box.reply(calls.front(), Revoked{});
  const BootTime free_at = box.now + kGateWindow + 1ms;
  EXPECT_EQ(box.earliest(Lane::kWaiting), free_at);
  box.now = free_at - 1ms;
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
  box.now = free_at;
  EXPECT_TRUE(box.may_send(Lane::kWaiting));
  EXPECT_EQ(box.earliest(Lane::kWaiting), box.now) << "never before now";
}

TEST(CallGateTest, P7ACallThatNeverReachedCircleTakesNoSlot) {
  GateBox box(policy_with(16, 10));
  for (int i = 0; i < 10; ++i) box.hear(test::transient(TransientReason::kNotSent));
  EXPECT_EQ(box.gate.budget().used(box.now), 0U);
  box.hear(no_reply());
  EXPECT_EQ(box.gate.budget().used(box.now), 1U) << "this one may have";
}

TEST(CallGateTest, P7CallsOfAnEarlierRunCount) {
  GateBox box(policy_with(16, 10));
  for (int i = 0; i < 10; ++i) box.gate.restore(box.now - 1min);
  EXPECT_FALSE(box.may_send(Lane::kRefresh));
  EXPECT_EQ(box.gate.budget().used(box.now), 10U);
  EXPECT_EQ(box.earliest(Lane::kWaiting), box.now - 1min + kGateWindow + 1ms);
}

TEST(CallGateTest, RoomThatIsTakenIsNotCountedInWhenACallIsDue) {
  GateBox box(policy_with(1));
  box.send();
  EXPECT_FALSE(box.may_send(Lane::kWaiting));
  EXPECT_EQ(box.earliest(Lane::kWaiting), box.now) << "the reply is the event to wait for";
}

// --- Whether an opened call may still go ---

TEST(CallGateTest, AnOpenedCallDoesNotGoIntoAPause) {
  GateBox box;
  const CallId id = box.open();
  EXPECT_TRUE(box.may_still_send(id));
  box.hear(Throttled{.after = 7s});
  EXPECT_FALSE(box.may_still_send(id));
  box.now += 7s;
  EXPECT_TRUE(box.may_still_send(id));
}

TEST(CallGateTest, P8AnOpenedCallGoesThroughAnOpenBreakerOnlyAsTheProbe) {
  GateBox box;
  const CallId id = box.open(Lane::kRefresh);
  box.hear(AppTokenRefused{});
  EXPECT_FALSE(box.may_still_send(id));
  box.now = box.gate.breaker().probe_at(false).value();
  EXPECT_TRUE(box.may_still_send(id)) << "it is not in its own way";
  box.open();
  EXPECT_FALSE(box.may_still_send(id)) << "there is another one";
}

TEST(CallGateTest, AnOpenedCallThatBringsTokensIsHeldBackByDeadArrivals) {
  GateBox box;
  const CallId refresh = box.open();
  const CallId revocation = box.open(Lane::kRevocation, CallKind::kRevokeRefresh);
  for (const int member : {1, 2, 3}) box.arrived(member, true);
  EXPECT_FALSE(box.may_still_send(refresh));
  EXPECT_TRUE(box.may_still_send(revocation));
  box.now = box.gate.dead_arrivals().probe_at();
  EXPECT_TRUE(box.may_still_send(refresh)) << "it is the probe";
}

}  // namespace
}  // namespace rota

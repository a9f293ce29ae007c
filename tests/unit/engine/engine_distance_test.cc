#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "plan/backoff.h"
#include "report/health.h"
#include "tests/unit/engine/engine_box.h"

// How far apart calls are when nothing works, or when Circle keeps giving what is of no use.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class Distances : public testing::Test {
 protected:
  // Lets time pass and answers each call as it is sent; notes when that was.
  template <class Answer>
  void run(Duration d, Answer answer, Duration step = 100ms) {
    for (const BootTime end = box.now.boot + d; box.now.boot < end;) {
      box.run_for(step);
      for (const auto& call : box.open_calls()) {
        sent.push_back(box.now.boot);
        box.reply(call, answer(call));
        box.settle();
      }
    }
  }
  Duration least() const {
    Duration least = Duration::max();
    for (std::size_t i = 1; i < sent.size(); ++i) least = std::min(least, sent[i] - sent[i - 1]);
    return least;
  }
  Duration most() const {
    Duration most{0};
    for (std::size_t i = 1; i < sent.size(); ++i) most = std::max(most, sent[i] - sent[i - 1]);
    return most;
  }
  static Outcome fails(const command::Call&) { return transient(TransientReason::kServerError); }

  EngineBox box = box_with_grace();
  std::vector<BootTime> sent;
};

TEST_F(Distances, P7ARenewalThatFailsIsRepeatedWithAGrowingDistance) {
  const WallTime renewal = kT0 + std::chrono::days{28};
  box.advance(renewal - box.circle());
  int refreshes = 0;
  run(30min, [&](const command::Call& call) -> Outcome {
    if (call.request.kind == CallKind::kRefresh) {
      sent.pop_back();  // these work
      return refreshed(fmt::format("a{}", ++refreshes), box.circle() + 1h);
    }
    return fails(call);
  });
  EXPECT_GE(sent.size(), 8U);
  EXPECT_LE(sent.size(), 40U) << "half an hour of full jitter up to five minutes";
  EXPECT_GT(most(), 1min);
  EXPECT_LE(most(), kBackoffCap + 200ms);
}

// Towards the end of its token a member is tried more often, and never all the time.
TEST_F(Distances, P12TheBackoffOfAMemberIsCappedByItsLifetimeAndByWhatIsLeft) {
  box.run_for(50min);
  run(10min - 2s, fails);
  const auto within = [this](Duration from, Duration to) {
    return std::ranges::count_if(sent, [&](BootTime at) {
      const Duration left = 1h - (at.time_since_epoch() - Duration{10'000'000});
      return left <= from && left > to;
    });
  };
  EXPECT_GE(within(64s, 2s), 6) << "half of what is left, at most";
  EXPECT_LE(sent.size(), 60U);
  sent.clear();
  run(3h, fails);
  EXPECT_LE(most(), kBackoffCap + 200ms) << "an eighth of the life, and five minutes";
  EXPECT_GT(most(), 2min);
  EXPECT_LE(sent.size(), 140U);
}

TEST_F(Distances, P4AFailedRevocationIsRepeatedWithACappedAndGrowingDistance) {
  box.roster({entry(kGraceKey, true)});
  box.settle();
  run(40min, fails);
  // Two tokens, each by itself.
  EXPECT_GE(sent.size(), 20U);
  EXPECT_LE(sent.size(), 90U);
  EXPECT_LE(most(), kBackoffCap + 200ms);
}

// A later spell of 429s is another one.
TEST_F(Distances, P7ThePauseOfALaterSpellOf429sBeginsSmall) {
  box.roster({entry(kGraceKey), entry("id:7")});
  box.settle();
  box.run_for(1s);
  for (int spell = 0; spell < 3; ++spell) {
    for (const Duration pause : {2'000ms, 4'000ms, 8'000ms}) {
      ASSERT_THAT(box.open_calls(), SizeIs(1));
      box.reply(box.oldest_call(), Throttled{});
      box.settle();
      EXPECT_EQ(box.engine.budget().paused_until(box.now.boot), box.now.boot + pause) << spell;
      box.run_for(pause + 1s);
    }
    ASSERT_THAT(box.open_calls(), SizeIs(1));
    box.reply(box.oldest_call(), issued(fmt::format("a7-{}", spell), "r7", box.circle(), 7));
    box.settle();
    box.run_for(11s);
    box.operate("id:7", OperatorAction::kRotate);
    box.settle();
  }
}

// P7: a client, or many of them, call refused what Circle keeps giving.
TEST_F(Distances, P7ATokenThatIsCalledRefusedAgainAndAgainIsAskedForTenSecondsApart) {
  box.run_for(1min);
  const auto same = [](const command::Call& call) -> Outcome {
    if (call.request.kind == CallKind::kIssue) {
      Issued pair = issued("access-1", "refresh-1", kT0);
      return pair;
    }
    return refreshed("access-1", kT0 + 1h);
  };
  for (int i = 0; i < 600; ++i) {  // a minute
    box.refused(1, "access-1");
    if (i % 10 == 0) box.wait(1, 100ms, fingerprint_of("access-1"));
    box.settle();
    run(100ms, same);
  }
  EXPECT_GE(sent.size(), 10U);
  EXPECT_LE(sent.size(), 14U) << "a refresh, and the issue that settles it, in ten seconds";
  for (std::size_t i = 2; i < sent.size(); ++i) {
    EXPECT_GE(sent[i] - sent[i - 2], 9'900ms) << i;
  }
}

TEST(DeadOnArrival, ATokenInItsLastSecondIsNotSaidToHaveEnded) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 400ms));
  ASSERT_EQ(box.told("dead_on_arrival"), 1U);
  EXPECT_THAT(box.notices.back().text,
              testing::HasSubstr("an access token that had only 400 ms left when it arrived"));
}

// A member whose tokens are dead when they arrive.
TEST_F(Distances, P7TokensThatAreDeadOnArrivalBurnNoBudget) {
  box.run_for(50min);
  const auto dead = [this, n = 0](const command::Call& call) mutable -> Outcome {
    if (call.request.kind == CallKind::kIssue) {
      Issued pair = issued(fmt::format("d{}", ++n), "refresh-1", box.circle() - 2h);
      return pair;
    }
    return refreshed(fmt::format("d{}", ++n), box.circle());  // a life of nothing
  };
  box.wait(1, 60s, std::nullopt, true, 30min);
  run(9min, dead);
  EXPECT_EQ(box.served(kGraceKey), "access-1") << "P12: which is alive still";
  run(51min, dead);
  EXPECT_GE(least(), kDeadArrivalGapMin - 100ms);
  EXPECT_LE(sent.size(), 3'600U / 25);
  EXPECT_GE(sent.size(), 3'600U / 60) << "a minute apart at most, and somebody waits for it";
  EXPECT_EQ(box.told("dead_on_arrival"), 1U) << "one line";
  const Health health = health_of(box.engine, {}, box.now);
  EXPECT_EQ(health.members.dead_on_arrival, 1U);
  EXPECT_EQ(health.members.overdue, 1U) << "once the older token has ended, too";
  EXPECT_EQ(health.breaker, BreakerState::kClosed);
  while (box.open_calls().empty()) box.run_for(1s);
  box.reply(box.oldest_call(), refreshed("alive", box.circle() + 1h));
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "alive");
  EXPECT_EQ(box.told("dead_on_arrival"), 2U);
  EXPECT_EQ(health_of(box.engine, {}, box.now).members.dead_on_arrival, 0U);
}

TEST(DistancesOfMany, P8TokensThatAreDeadOnArrivalAreOneAlarmAndOneCallAtATime) {
  EngineBox box;
  box.start();
  std::vector<RosterEntry> entries;
  for (int id = 1; id <= 200; ++id) entries.push_back(entry(fmt::format("id:{}", id)));
  box.roster(entries);
  box.settle();
  bool dead = true;
  std::size_t calls = 0;
  const auto answer = [&] {
    for (const auto& call : box.open_calls()) {
      ++calls;
      const std::int64_t id = call.request.member.id();
      const WallTime at = dead ? box.circle() - 90min : box.circle();
      box.reply(call, issued(fmt::format("a{}-{}", id, calls), fmt::format("r{}", id), at, id));
      box.settle();
    }
  };
  while (!box.open_calls().empty()) answer();
  // The same members on both counts, though nobody has asked for one.
  const Health::Members members = count_members(box.engine, box.now);
  EXPECT_GE(members.dead_on_arrival, 3U);
  EXPECT_EQ(members.overdue, members.dead_on_arrival);
  calls = 0;
  for (int second = 0; second < 600; ++second) {
    box.run_for(1s);
    EXPECT_LE(box.open_calls().size(), 1U);
    answer();
  }
  EXPECT_GE(calls, 18U);
  EXPECT_LE(calls, 50U) << "of 200 members that all want one; half a minute apart in the end";
  EXPECT_EQ(box.told("dead_on_arrival"), 2U) << "the first one, and the alarm";
  EXPECT_EQ(box.engine.gate().breaker().state(), BreakerState::kClosed);
  // A leaver's tokens are revoked meanwhile.
  box.operate("id:1", OperatorAction::kRevoke);
  box.settle();
  EXPECT_THAT(box.open_calls(), SizeIs(1));
  box.reply(box.oldest_call(), Revoked{});
  box.settle();
  // P12: and once one of them lives, the others follow at the budget's pace.
  dead = false;
  for (int second = 0; second < 180; ++second) {
    box.run_for(1s);
    answer();
  }
  EXPECT_GE(count_members(box.engine, box.now).fresh, 199U);
  EXPECT_EQ(box.told("dead_on_arrival"), 3U);
}

}  // namespace
}  // namespace rota::test

#include "plan/budget.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "base/random.h"

namespace rota {
namespace {

constexpr Duration kWindow{1'000};
constexpr BootTime kStart{Duration{50'000}};

BootTime at(std::int64_t ms) { return kStart + Duration{ms}; }

TEST(Budget, P7ASlotIsFreeOneTickAfterTheWindowThatBeganWithTheCompletion) {
  Budget budget(2, kWindow);
  for (int i = 0; i < 2; ++i) budget.sent(Lane::kWaiting, at(0));
  budget.completed(Lane::kWaiting, at(10));
  budget.completed(Lane::kWaiting, at(20));
  // Windows are closed intervals: a call completed at 10 and one sent at 1010 share one.
  EXPECT_FALSE(budget.may_send(Lane::kWaiting, at(1'009)));
  EXPECT_FALSE(budget.may_send(Lane::kWaiting, at(1'010)));
  EXPECT_EQ(budget.next_slot(Lane::kWaiting, at(20)), at(1'011));
  EXPECT_TRUE(budget.may_send(Lane::kWaiting, at(1'011)));
  EXPECT_EQ(budget.used(at(1'011)), 1U);
  EXPECT_EQ(budget.used(at(1'021)), 0U);
}

TEST(Budget, P7ACallInFlightHoldsItsSlotHoweverLongItTakes) {
  Budget budget(2, kWindow);
  budget.sent(Lane::kWaiting, at(0));
  budget.sent(Lane::kWaiting, at(0));
  EXPECT_FALSE(budget.may_send(Lane::kWaiting, at(1'000'000)));
  EXPECT_EQ(budget.next_slot(Lane::kWaiting, at(1'000'000)), std::nullopt);
  budget.never_sent(Lane::kWaiting);
  EXPECT_TRUE(budget.may_send(Lane::kWaiting, at(1'000'000)));
  EXPECT_EQ(budget.used(at(1'000'000)), 1U);
}

// How many calls of a lane go out within one window, each as soon as it may.
std::size_t calls_in_a_window(Budget& budget, Lane lane) {
  std::size_t sent = 0;
  for (BootTime now = at(0); now < at(0) + kWindow; now += Duration{1}) {
    while (budget.may_send(lane, now)) {
      budget.sent(lane, now);
      ++sent;
    }
  }
  return sent;
}

TEST(Budget, P7ATenthIsKeptFromTheBackgroundAndHalfOfThatFromRevocations) {
  struct Case {
    std::size_t limit, background, revocations;
  };
  for (const auto& [limit, background, revocations] :
       {Case{2, 1, 1}, Case{9, 8, 8}, Case{10, 9, 9}, Case{20, 18, 19}, Case{100, 90, 95}}) {
    for (const Lane lane : kLanes) {
      Budget budget(limit, kWindow);
      const std::size_t share = traits_of(lane).is_background ? background
                                : lane == Lane::kRevocation   ? revocations
                                                              : limit;
      EXPECT_EQ(calls_in_a_window(budget, lane), share) << limit << " " << name_of(lane);
    }
  }
}

TEST(Budget, P7BackgroundCallsAreSpreadEvenlyOverTheWindow) {
  Budget budget(100, kWindow);
  constexpr int kParts = 10;
  std::vector<int> sent_in(kParts * 3);
  for (int ms = 0; ms < 3'000; ++ms) {
    while (budget.may_send(Lane::kRefresh, at(ms))) {
      budget.sent(Lane::kRefresh, at(ms));
      budget.completed(Lane::kRefresh, at(ms));
      ++sent_in[static_cast<std::size_t>(ms) * kParts / 1'000];
    }
  }
  for (const int sent : sent_in) {
    EXPECT_GE(sent, 5);
    EXPECT_LE(sent, 13) << "a tenth of a window gets a tenth of the calls, and a small burst";
  }
}

TEST(Budget, P7AfterAPauseOneCallAtATimeUntilOneIsAnswered) {
  Budget budget(100, kWindow);
  budget.sent(Lane::kWaiting, at(400));
  budget.pause(at(500));
  budget.answered(at(400));  // by Circle as it was before the 429
  budget.completed(Lane::kWaiting, at(450));
  for (const int ms : {500, 510}) {
    ASSERT_EQ(budget.next_slot(Lane::kWaiting, at(ms)), at(ms));
    budget.sent(Lane::kWaiting, at(ms));
    for (const Lane lane : kLanes) EXPECT_EQ(budget.next_slot(lane, at(ms)), std::nullopt);
    budget.completed(Lane::kWaiting, at(ms + 5));  // and no usable answer
  }
  budget.sent(Lane::kWaiting, at(520));
  budget.answered(at(520));
  EXPECT_TRUE(budget.may_send(Lane::kWaiting, at(520)));
}

TEST(Budget, P7APauseIsNotFollowedByABurstOfTheBackground) {
  Budget budget(100, kWindow);
  budget.pause(at(500));
  budget.answered(at(500));
  budget.sent(Lane::kRefresh, at(500));
  EXPECT_FALSE(budget.may_send(Lane::kRefresh, at(505)));
  EXPECT_TRUE(budget.may_send(Lane::kWaiting, at(505)));
  EXPECT_TRUE(budget.may_send(Lane::kRefresh, at(511)));
}

TEST(Budget, P7WhatAFullWindowHeldBackIsNotMadeUpForInABurst) {
  Budget budget(100, kWindow);
  for (int i = 0; i < 100; ++i) {
    budget.sent(Lane::kWaiting, at(0));
    budget.completed(Lane::kWaiting, at(0));
  }
  for (int ms = 0; ms <= 1'000; ms += 100) ASSERT_FALSE(budget.may_send(Lane::kRefresh, at(ms)));
  int sent = 0;
  for (int ms = 1'001; ms < 1'031; ++ms) {  // the whole window is free again
    while (budget.may_send(Lane::kRefresh, at(ms))) {
      budget.sent(Lane::kRefresh, at(ms));
      ++sent;
    }
  }
  EXPECT_GE(sent, 2);
  EXPECT_LE(sent, 4) << "one in 11 ms, and no burst before";
}

TEST(Budget, P7UrgentLanesThatUseItUpDoNotShutTheBackgroundOut) {
  Budget budget(10, kWindow);
  for (int i = 0; i < 10; ++i) {
    budget.sent(Lane::kWaiting, at(0));
    budget.completed(Lane::kWaiting, at(i * 100));
  }
  EXPECT_FALSE(budget.may_send(Lane::kRefresh, at(1'000)));
  EXPECT_EQ(budget.next_slot(Lane::kRefresh, at(1'000)), at(1'001));
  EXPECT_TRUE(budget.may_send(Lane::kRefresh, at(1'001)))
      << "the first free slot, if it is its turn";
}

TEST(Budget, P7RestoredCallsCountInAnyOrder) {
  Budget budget(4, kWindow);
  for (const int ms : {300, 100, 200}) budget.restore(at(ms));
  EXPECT_EQ(budget.used(at(400)), 3U);
  EXPECT_TRUE(budget.may_send(Lane::kWaiting, at(400)));
  EXPECT_FALSE(budget.may_send(Lane::kRefresh, at(400))) << "as background, to be safe";
  EXPECT_EQ(budget.next_slot(Lane::kRefresh, at(400)), at(1'101));
  EXPECT_EQ(budget.used(at(1'100)), 3U);
  EXPECT_EQ(budget.used(at(1'101)), 2U);
}

TEST(Budget, P7APauseHoldsAllLanesUntilItsEndAndIsNeverShortened) {
  Budget budget(10, kWindow);
  budget.pause(at(500));
  budget.pause(at(200));
  for (const Lane lane : kLanes) {
    EXPECT_FALSE(budget.may_send(lane, at(499))) << name_of(lane);
    EXPECT_EQ(budget.next_slot(lane, at(0)), at(500)) << name_of(lane);
    EXPECT_TRUE(budget.may_send(lane, at(500))) << name_of(lane);
  }
  EXPECT_EQ(budget.paused_until(at(499)), at(500));
  EXPECT_EQ(budget.paused_until(at(500)), std::nullopt);
}

// One call as the world saw it.
struct Seen {
  BootTime sent, completed;
};

struct Sent {
  Lane lane;
  BootTime at;
};

// The most calls that any closed window of that length touches; a call counts from sent to
// completed.
std::size_t busiest_window(const std::vector<Seen>& calls) {
  std::size_t most = 0;
  for (const Seen& first : calls) {
    // A window can be moved right until it begins at some call's completion without losing a call.
    const BootTime begin = first.completed;
    const BootTime end = begin + kWindow;
    std::size_t count = 0;
    for (const Seen& call : calls) count += call.sent <= end && call.completed >= begin ? 1 : 0;
    most = std::max(most, count);
  }
  return most;
}

TEST(Budget, P7NoWindowEverSeesMoreThanTheLimitAndNextSlotAgreesWithMaySend) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Random random(seed);
    const std::size_t limit = 2 + random.below(8);
    Budget budget(limit, kWindow);
    std::deque<Sent> in_flight;
    std::vector<Seen> seen;
    BootTime now = kStart;
    for (int i = 0; i < static_cast<int>(random.below(limit)); ++i) {
      const BootTime completed = now - random.up_to(kWindow);
      budget.restore(completed);
      seen.push_back({completed, completed});
    }
    for (int step = 0; step < 400; ++step) {
      now += random.up_to(Duration{150});
      const Lane lane = kLanes[random.below(kLaneCount)];
      if (budget.may_send(lane, now)) {
        ASSERT_EQ(budget.next_slot(lane, now), now) << "seed " << seed;
        budget.sent(lane, now);
        in_flight.push_back({lane, now});
      } else if (const auto slot = budget.next_slot(lane, now)) {
        ASSERT_GT(*slot, now) << "seed " << seed;
        Budget copy = budget;
        ASSERT_FALSE(copy.may_send(lane, *slot - Duration{1})) << "seed " << seed;
        ASSERT_TRUE(copy.may_send(lane, *slot)) << "seed " << seed;
      } else {
        ASSERT_FALSE(in_flight.empty()) << "seed " << seed;
      }
      switch (in_flight.empty() ? 9 : random.below(4)) {
        case 0:
        case 1:
          budget.completed(in_flight.front().lane, now);
          seen.push_back({in_flight.front().at, now});
          in_flight.pop_front();
          break;
        case 2:
          if (random.below(4) == 0) {
            budget.never_sent(in_flight.front().lane);
            in_flight.pop_front();
          }
          break;
        default:
          if (random.below(40) == 0) budget.pause(now + random.up_to(Duration{400}));
      }
    }
    for (const Sent& sent : in_flight) seen.push_back({sent.at, now});
    EXPECT_LE(busiest_window(seen), limit) << "seed " << seed;
    EXPECT_GT(seen.size(), 3 * limit) << "seed " << seed << " hardly sent anything";
  }
}

}  // namespace
}  // namespace rota

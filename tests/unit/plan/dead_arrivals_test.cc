#include "plan/dead_arrivals.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

using namespace std::chrono_literals;
using News = DeadArrivals::News;

constexpr BootTime kNow{1'000s};

class DeadArrivalsTest : public testing::Test {
 protected:
  News take(std::int64_t member, bool dead, BootTime now = kNow) {
    return arrivals.on_arrival(MemberId{member}, dead, now, random);
  }
  DeadArrivals arrivals;
  Random random{1};
};

TEST_F(DeadArrivalsTest, SeveralMembersAreOneAlarm) {
  EXPECT_EQ(take(1, true), News::kFirst);
  EXPECT_EQ(take(1, true), News::kNone);
  EXPECT_EQ(take(2, true), News::kNone);
  EXPECT_FALSE(arrivals.holds_back());
  EXPECT_EQ(take(3, true), News::kAlarm);
  EXPECT_TRUE(arrivals.holds_back());
  for (int member = 4; member < 20; ++member) EXPECT_EQ(take(member, true), News::kNone);
  EXPECT_EQ(arrivals.members(), 19U);
}

TEST_F(DeadArrivalsTest, OneThatLivesLetsCallsThroughAndTheLastEndsTheAlarm) {
  for (int member = 1; member <= 3; ++member) take(member, true);
  EXPECT_EQ(take(9, false), News::kNone);
  EXPECT_FALSE(arrivals.holds_back());
  EXPECT_EQ(take(4, true), News::kNone) << "the alarm was told";
  for (int member = 1; member <= 3; ++member) EXPECT_EQ(take(member, false), News::kNone);
  EXPECT_EQ(take(4, false), News::kOver);
  EXPECT_EQ(take(4, false), News::kNone);
  EXPECT_EQ(take(1, true), News::kFirst);
}

TEST_F(DeadArrivalsTest, ProbesAreOneAtATimeAndGrowApart) {
  for (int member = 1; member <= 3; ++member) take(member, true);
  BootTime now = kNow;
  for (int probe = 0; probe < 12; ++probe) {
    const Duration gap =
        std::min<Duration>(DeadArrivals::kProbeGapMax, 1s * (1 << std::min(probe, 10)));
    EXPECT_GE(arrivals.probe_at(), now + gap / 2) << probe;
    EXPECT_LE(arrivals.probe_at(), now + gap) << probe;
    EXPECT_FALSE(arrivals.may_send(arrivals.probe_at() - 1ms, 0));
    EXPECT_TRUE(arrivals.may_send(arrivals.probe_at(), 0));
    EXPECT_FALSE(arrivals.may_send(arrivals.probe_at(), 1));
    EXPECT_EQ(take(7, true, arrivals.probe_at() - 1ms), News::kNone) << "no probe";
    now = arrivals.probe_at();
    take(7, true, now);
  }
}

TEST_F(DeadArrivalsTest, WhoHasLeftCountsNoMore) {
  take(1, true);
  arrivals.forget(MemberId{1});
  EXPECT_EQ(arrivals.members(), 0U);
}

}  // namespace
}  // namespace rota

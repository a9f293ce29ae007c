#include "engine/waits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace rota {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

BootTime at(Duration since_boot) { return BootTime{since_boot}; }

class WaitsTest : public testing::Test {
 protected:
  void add(std::uint64_t id, Duration longest, std::int64_t member = 1, BootTime now = at(100s)) {
    WaitRequest request;
    request.member = MemberId{member};
    request.wait = longest;
    waits.add(WaitId{id}, request, now);
  }
  MemberId member_of(std::uint64_t id) const { return waits.at(WaitId{id}).request.member; }

  Waits waits;
};

TEST_F(WaitsTest, NobodyWaitsAtFirst) {
  EXPECT_EQ(waits.size(), 0U);
  EXPECT_THAT(waits.open(), IsEmpty());
  EXPECT_FALSE(waits.first_deadline());
  EXPECT_FALSE(waits.remove(WaitId{1}));
}

TEST_F(WaitsTest, ANewWaitIsOpenAndKeepsItsMemberAndItsDeadline) {
  add(1, 10s, 7);
  EXPECT_EQ(waits.size(), 1U);
  EXPECT_THAT(waits.open(), ElementsAre(WaitId{1}));
  EXPECT_EQ(member_of(1), MemberId{7});
  EXPECT_EQ(waits.at(WaitId{1}).deadline, at(110s));
  EXPECT_FALSE(waits.at(WaitId{1}).answered);
}

TEST_F(WaitsTest, NobodyWaitsLongerThanAMinuteNorLessThanNothing) {
  EXPECT_EQ(kWaitMax, 60s);
  add(1, 60s);
  add(2, 61s);
  add(3, -5s);
  EXPECT_EQ(waits.at(WaitId{1}).deadline, at(160s));
  EXPECT_EQ(waits.at(WaitId{2}).deadline, at(160s));
  EXPECT_EQ(waits.at(WaitId{3}).deadline, at(100s));
}

TEST_F(WaitsTest, TheFirstDeadlineIsOfTheWaitThatEndsFirst) {
  add(1, 30s);
  add(2, 10s);
  add(3, 20s);
  EXPECT_EQ(waits.first_deadline(), std::pair(at(110s), WaitId{2}));
  waits.remove(WaitId{2});
  EXPECT_EQ(waits.first_deadline(), std::pair(at(120s), WaitId{3}));
}

TEST_F(WaitsTest, AWaitThatIsOverIsHandedBackOnce) {
  add(1, 10s, 7);
  add(2, 10s);
  waits.mark_answered(WaitId{1});
  const auto removed = waits.remove(WaitId{1});
  ASSERT_TRUE(removed);
  EXPECT_EQ(removed->request.member, MemberId{7});
  EXPECT_EQ(removed->deadline, at(110s));
  EXPECT_TRUE(removed->answered);
  EXPECT_FALSE(waits.remove(WaitId{1}));
  EXPECT_EQ(waits.size(), 1U);
  EXPECT_EQ(waits.first_deadline()->second, WaitId{2});
}

TEST_F(WaitsTest, AnAnsweredWaitKeepsItsDeadlineForItsCommitMayTakeLonger) {
  add(1, 10s);
  add(2, 20s);
  waits.mark_answered(WaitId{1});
  EXPECT_THAT(waits.open(), ElementsAre(WaitId{2}));
  EXPECT_EQ(waits.first_deadline(), std::pair(at(110s), WaitId{1}));
  EXPECT_EQ(waits.size(), 2U);
}

TEST_F(WaitsTest, AReopenedWaitWaitsOnUntilItsOldDeadline) {
  add(1, 10s);
  waits.mark_answered(WaitId{1});
  waits.reopen(WaitId{1});
  EXPECT_THAT(waits.open(), ElementsAre(WaitId{1}));
  EXPECT_FALSE(waits.at(WaitId{1}).answered);
  EXPECT_EQ(waits.at(WaitId{1}).deadline, at(110s));
}

TEST_F(WaitsTest, WaitsFollowAMergeTheAnsweredOnesToo) {
  add(1, 10s, 1);
  add(2, 10s, 1);
  add(3, 10s, 3);
  waits.mark_answered(WaitId{2});
  waits.rename(MemberId{1}, MemberId{2}, true);
  EXPECT_EQ(member_of(1), MemberId{2});
  EXPECT_EQ(member_of(2), MemberId{2});
  EXPECT_EQ(member_of(3), MemberId{3}) << "another member's";
}

TEST_F(WaitsTest, AWaitThatIsNotThereCannotBeMarked) {
  EXPECT_THROW(waits.at(WaitId{1}), std::out_of_range);
  EXPECT_THROW(waits.mark_answered(WaitId{1}), std::out_of_range);
  EXPECT_THROW(waits.reopen(WaitId{1}), std::out_of_range);
}

}  // namespace
}  // namespace rota

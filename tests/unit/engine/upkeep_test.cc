#include "engine/upkeep.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/random.h"

namespace rota {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

WallTime at(std::int64_t ms) { return WallTime{Duration{ms}}; }

class UpkeepTest : public testing::Test {
 protected:
  void put(std::int64_t id, std::int64_t used) {
    upkeep.put(MemberId{id}, at(used), ranked_uses[MemberId{id}]);
  }
  void remove(std::int64_t id) { upkeep.remove(MemberId{id}, ranked_uses[MemberId{id}]); }
  std::vector<std::int64_t> kept() const {
    std::vector<std::int64_t> ids;
    for (const auto& [member, use] : ranked_uses) {
      if (use && upkeep.keeps({.last_used = *use, .member = member}))
        ids.push_back(static_cast<std::int64_t>(member));
    }
    return ids;
  }

  Upkeep upkeep;
  std::map<MemberId, SmallOptional<WallTime>> ranked_uses;
};

TEST_F(UpkeepTest, KeepsEverybodyWhereThereIsRoom) {
  upkeep.set_capacity(3);
  for (const int id : {1, 2, 3}) put(id, 0);
  EXPECT_THAT(kept(), UnorderedElementsAre(1, 2, 3));
  EXPECT_THAT(upkeep.take_moved(), IsEmpty());
  EXPECT_EQ(upkeep.left_out(), 0U);
}

TEST_F(UpkeepTest, TheLastUsedPushTheOthersOutAndSaySo) {
  upkeep.set_capacity(2);
  for (const int id : {1, 2, 3}) put(id, 0);
  EXPECT_THAT(kept(), UnorderedElementsAre(1, 2)) << "who came first, where nobody was used";
  upkeep.take_moved();
  put(3, 500);
  EXPECT_THAT(kept(), UnorderedElementsAre(1, 3));
  EXPECT_THAT(upkeep.take_moved(), UnorderedElementsAre(MemberId{2}, MemberId{3}));
  put(3, 600);
  EXPECT_THAT(upkeep.take_moved(), IsEmpty()) << "used again, nobody moves";
  remove(3);
  EXPECT_THAT(kept(), UnorderedElementsAre(1, 2));
  EXPECT_THAT(upkeep.take_moved(), UnorderedElementsAre(MemberId{2}));
  upkeep.set_capacity(0);
  EXPECT_THAT(kept(), IsEmpty());
  EXPECT_EQ(upkeep.left_out(), 2U);
}

TEST_F(UpkeepTest, AgreesWithSortingWhateverHappens) {
  Random random(7);
  std::map<std::int64_t, std::int64_t> used;
  std::size_t capacity = 0;
  for (int step = 0; step < 3'000; ++step) {
    const auto id = static_cast<std::int64_t>(1 + random.below(30));
    switch (random.below(5)) {
      case 0:
        remove(id);
        used.erase(id);
        break;
      case 1:
        capacity = random.below(40);
        upkeep.set_capacity(capacity);
        break;
      default: {  // plain
        const auto when = static_cast<std::int64_t>(random.below(50));
        put(id, when);
        used[id] = when;
      }
    }
    std::vector<std::pair<std::int64_t, std::int64_t>> order;
    for (const auto& [member, when] : used) order.emplace_back(-when, member);
    std::ranges::sort(order);
    std::vector<std::int64_t> expected;
    for (std::size_t i = 0; i < std::min(capacity, order.size()); ++i) {
      expected.push_back(order[i].second);
    }
    std::ranges::sort(expected);
    ASSERT_EQ(kept(), expected) << "step " << step;
    ASSERT_EQ(upkeep.kept(), expected.size());
    ASSERT_EQ(upkeep.left_out(), used.size() - expected.size());
  }
}

}  // namespace
}  // namespace rota

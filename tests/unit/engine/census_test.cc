#include "engine/census.h"

#include <gtest/gtest.h>

#include <array>
#include <map>

namespace rota {
namespace {

WallTime at(std::int64_t ms) { return WallTime{Duration{ms}}; }

class CensusTest : public testing::Test {
 protected:
  void put(std::int64_t id, const Census::Entry& entry) {
    census.put(MemberId{id}, counted[MemberId{id}], entry);
  }

  Census census;
  std::map<MemberId, std::optional<Census::Entry>> counted;
};

Census::Entry served_until(std::int64_t end, bool kept = true) {
  return {.state = MemberState::kActive,
          .revoking = 0,
          .served_until = at(end),
          .due = at(end + 5),
          .kept = kept};
}

TEST_F(CensusTest, ATokenIsFreshUntilItsEndAndOverdueALittleLater) {
  put(1, served_until(100));
  put(2, served_until(200));
  put(3, served_until(100, false));  // nobody keeps that one fresh
  EXPECT_EQ(census.fresh(at(99)), 3U);
  EXPECT_EQ(census.fresh(at(100)), 1U);
  EXPECT_EQ(census.overdue_idle(at(105)), 0U);
  EXPECT_EQ(census.overdue_idle(at(106)), 1U);
  put(1, served_until(300));
  EXPECT_EQ(census.fresh(at(106)), 2U);
  EXPECT_EQ(census.overdue_idle(at(106)), 0U);
}

TEST_F(CensusTest, WhoIsOverdueIsCountedByWhetherItIsInUseAndHadAToken) {
  Census::Entry first = served_until(100);
  first.served_until.reset();
  Census::Entry used = first;
  used.in_use = true;
  put(1, first);
  put(2, used);
  put(3, served_until(100));
  const auto counts = [this](std::int64_t now) {
    return std::array{census.overdue_in_use(at(now)), census.overdue_first(at(now)),
                      census.overdue_idle(at(now))};
  };
  EXPECT_EQ(counts(105), (std::array<std::size_t, 3>{0, 0, 0}));
  EXPECT_EQ(counts(106), (std::array<std::size_t, 3>{1, 1, 1}));
  EXPECT_EQ(census.first_issues(), 1U);
  EXPECT_EQ(census.without_token(), 2U);
  EXPECT_EQ(census.first_idle_due(), at(105));
  put(1, used);  // somebody asks for it
  EXPECT_EQ(counts(106), (std::array<std::size_t, 3>{2, 0, 1}));
  EXPECT_EQ(census.first_issues(), 0U);
  put(3, served_until(300));
  EXPECT_EQ(counts(106), (std::array<std::size_t, 3>{2, 0, 0}));
}

TEST_F(CensusTest, EveryMemberIsCountedOnceWhateverItBecomes) {
  put(1, served_until(100));
  put(1, served_until(100));
  EXPECT_EQ(census.in_state(MemberState::kActive), 1U);
  put(1, {.state = MemberState::kRetiring,
          .revoking = 2,
          .served_until = std::nullopt,
          .due = {},
          .kept = false});
  EXPECT_EQ(census.in_state(MemberState::kActive), 0U);
  EXPECT_EQ(census.in_state(MemberState::kRetiring), 1U);
  EXPECT_EQ(census.revoking(), 2U);
  EXPECT_EQ(census.fresh(at(0)), 0U);
  EXPECT_EQ(census.overdue_idle(at(1'000)), 0U);
  census.remove(MemberId{1}, counted[MemberId{1}]);
  EXPECT_EQ(census.in_state(MemberState::kRetiring), 0U);
  EXPECT_EQ(census.revoking(), 0U);
}

}  // namespace
}  // namespace rota

#include "engine/census.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <optional>
#include <utility>

namespace rota {
namespace {

WallTime at(std::int64_t ms) { return WallTime{Duration{ms}}; }

class CensusTest : public testing::Test {
 protected:
  void put(std::int64_t id, const Census::Entry& entry) {
    census.put(MemberId{id}, counted[MemberId{id}], entry);
  }

  Census census;
  std::map<MemberId, Census::Entry> counted;
};

Census::Entry served_until(std::int64_t end, bool kept = true) {
  return {.state = MemberState::kActive, .kept = kept, .served_until = at(end), .due = at(end + 5)};
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

TEST_F(CensusTest, TheFirstEndIsThatOfATokenThatIsAlive) {
  put(1, served_until(100));
  put(2, served_until(50, false));
  EXPECT_EQ(census.first_end(at(49)), at(50));
  EXPECT_EQ(census.first_end(at(50)), at(100));
  EXPECT_EQ(census.first_end(at(100)), std::nullopt);
  put(2, served_until(300));
  EXPECT_EQ(census.first_end(at(100)), at(300));
}

TEST_F(CensusTest, MembersAreCountedByWhoSaysThatTheyAre) {
  Census::Entry enrolled = served_until(100);
  enrolled.only_enrolled = true;
  Census::Entry listed = served_until(100);
  listed.named_by_roster = true;
  const auto counts = [this] {
    return std::pair(census.only_enrolled(), census.named_by_roster());
  };
  put(1, enrolled);
  put(2, enrolled);
  put(3, listed);
  EXPECT_EQ(counts(), (std::pair<std::size_t, std::size_t>{2, 1}));
  put(2, listed);
  EXPECT_EQ(counts(), (std::pair<std::size_t, std::size_t>{1, 2}));
  census.remove(MemberId{1}, counted[MemberId{1}]);
  census.remove(MemberId{3}, counted[MemberId{3}]);
  EXPECT_EQ(counts(), (std::pair<std::size_t, std::size_t>{0, 1}));
}

TEST_F(CensusTest, EveryMemberIsCountedOnceWhateverItBecomes) {
  put(1, served_until(100));
  put(1, served_until(100));
  EXPECT_EQ(census.in_state(MemberState::kActive), 1U);
  put(1, {.state = MemberState::kRetiring, .revoking = 2, .served_until = {}, .due = {}});
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

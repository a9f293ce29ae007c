#include "rotator/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr Duration kWindow = 5min;
constexpr MemberId kGrace{1};

constexpr BootId kBoot{11};
constexpr BootTime kBoot0{Duration{100h}};
// Agrees with the wall clock: kT0 is kBoot0.
const CircleClock kClock({.wall = kT0, .boot = kBoot0}, std::nullopt, Duration{0});

Journal::Time both(WallTime circle) { return {.circle = circle, .boot = kClock.boot_at(circle)}; }

const CallRow& put_row(const std::vector<Mutation>& mutations, std::size_t i) {
  return std::get<PutCall>(mutations.at(i)).row;
}

std::vector<CallId> erased(const std::vector<Mutation>& mutations) {
  std::vector<CallId> calls;
  for (const Mutation& m : mutations) calls.push_back(std::get<EraseCall>(m).call);
  return calls;
}

class JournalTest : public testing::Test {
 protected:
  CallId done(WallTime opened, WallTime closed, CallFate fate = CallFate::kAnswered,
              std::optional<WallTime> doubt = {}, MemberId member = kGrace) {
    std::vector<Mutation> ignored;
    const CallId id = journal.open(CallKind::kRefresh, member, opened, ignored);
    journal.close(id, fate, doubt, both(closed), ignored);
    return id;
  }
  std::vector<CallId> sweep(WallTime now) {
    std::vector<Mutation> mutations;
    journal.sweep(both(now), true, mutations);
    return erased(mutations);
  }
  Journal journal{{}, CallId{7}, kWindow, kBoot, kClock, kBoot0};
};

TEST_F(JournalTest, ACallIsOneRowOpenedThenClosed) {
  std::vector<Mutation> mutations;
  const CallId id = journal.open(CallKind::kIssue, kGrace, kT0, mutations);
  EXPECT_EQ(id, CallId{7});
  ASSERT_EQ(mutations.size(), 1U);
  EXPECT_EQ(put_row(mutations, 0).fate, CallFate::kOpen);
  EXPECT_EQ(put_row(mutations, 0).kind, CallKind::kIssue);
  EXPECT_EQ(put_row(mutations, 0).opened_at, kT0);
  EXPECT_EQ(put_row(mutations, 0).closed_at, std::nullopt);

  journal.close(id, CallFate::kAnswered, std::nullopt, both(kT0 + 1s), mutations);
  ASSERT_EQ(mutations.size(), 2U);
  const CallRow& closed = put_row(mutations, 1);
  EXPECT_EQ(closed.id, id);
  EXPECT_EQ(closed.member, kGrace);
  EXPECT_EQ(closed.fate, CallFate::kAnswered);
  EXPECT_EQ(closed.closed_at, kT0 + 1s);
  EXPECT_EQ(closed.closed_stamp, (BootStamp{.boot = kBoot, .at = kBoot0 + 1s}));
  EXPECT_EQ(journal.open(CallKind::kIssue, kGrace, kT0, mutations), CallId{8});
}

TEST_F(JournalTest, ARowIsErasedOneTickAfterTheWindowAndItsSlack) {
  const CallId id = done(kT0 - 1min, kT0);
  EXPECT_THAT(sweep(kT0 + kWindow + Journal::kSlack), IsEmpty());
  EXPECT_THAT(sweep(kT0 + kWindow + Journal::kSlack + 1ms), ElementsAre(id));
  EXPECT_THAT(sweep(kT0 + 24h), IsEmpty());
}

TEST_F(JournalTest, AnOpenRowIsNeverErased) {
  std::vector<Mutation> mutations;
  journal.open(CallKind::kIssue, kGrace, kT0, mutations);
  EXPECT_THAT(sweep(kT0 + 1000h), IsEmpty());
  EXPECT_EQ(journal.open_rows().size(), 1U);
}

TEST_F(JournalTest, ADoubtStaysUntilTheLostTokenIsOver) {
  const CallId id = done(kT0, kT0 + 1s, CallFate::kUnknown, kT0 + 1h);
  EXPECT_EQ(journal.doubts(), 1U);
  EXPECT_EQ(journal.doubts_of(kGrace), 1U);
  EXPECT_EQ(journal.doubts_of(MemberId{2}), 0U);
  EXPECT_THAT(sweep(kT0 + 1h + Journal::kDatingError), IsEmpty());
  EXPECT_THAT(sweep(kT0 + 1h + Journal::kDatingError + 1ms), ElementsAre(id));
  EXPECT_EQ(journal.doubts(), 0U);
}

TEST_F(JournalTest, ADoubtShorterThanTheWindowIsStillASlot) {
  done(kT0, kT0, CallFate::kUnknown, kT0 + 1s);
  EXPECT_THAT(sweep(kT0 + kWindow + Journal::kSlack), IsEmpty());
  EXPECT_EQ(sweep(kT0 + kWindow + Journal::kSlack + 1ms).size(), 1U);
}

TEST_F(JournalTest, OfTwoDoubtsOfOneMemberTheLaterStandsForBoth) {
  const CallId first = done(kT0, kT0 + 1s, CallFate::kUnknown, kT0 + 1h);
  const CallId second = done(kT0, kT0 + 10min, CallFate::kUnknown, kT0 + 70min);
  EXPECT_EQ(journal.doubts(), 1U);
  EXPECT_THAT(journal.completions(kBoot0 + 10min), ElementsAre(kBoot0 + 1s, kBoot0 + 10min))
      << "each is a slot";
  EXPECT_THAT(sweep(kT0 + 30min), ElementsAre(first));
  EXPECT_THAT(sweep(kT0 + 70min), IsEmpty());
  EXPECT_THAT(sweep(kT0 + 2h), ElementsAre(second));
}

TEST_F(JournalTest, DoubtsFollowTheirMember) {
  const CallId moved = done(kT0, kT0, CallFate::kUnknown, kT0 + 1h);
  done(kT0, kT0, CallFate::kUnknown, kT0 + 1h, MemberId{3});
  std::vector<Mutation> mutations;
  journal.reassign(kGrace, MemberId{2}, mutations);
  ASSERT_EQ(mutations.size(), 1U);
  EXPECT_EQ(put_row(mutations, 0).id, moved);
  EXPECT_EQ(put_row(mutations, 0).member, MemberId{2});
  EXPECT_EQ(put_row(mutations, 0).doubt_until, kT0 + 1h);
  EXPECT_EQ(journal.doubts_of(kGrace), 0U);
  EXPECT_EQ(journal.doubts_of(MemberId{2}), 1U);
}

// A restart: the rows come back in any order.
TEST(JournalRestart, RestoresTheSlotsAndTheDoubts) {
  const auto row = [](std::int64_t id, CallFate fate, std::optional<Duration> closed,
                      std::optional<Duration> doubt = {}) {
    CallRow r;
    r.id = CallId{id};
    r.member = kGrace;
    r.opened_at = kT0 - 1h;
    r.fate = fate;
    if (closed) r.closed_at = kT0 + *closed;
    if (doubt) r.doubt_until = kT0 + *doubt;
    return r;
  };
  const std::vector<CallRow> rows{
      row(5, CallFate::kAnswered, -1min),
      row(4, CallFate::kOpen, std::nullopt),
      row(3, CallFate::kUnknown, -2min, 1h),
      row(2, CallFate::kNotSent, -1min),  // no slot: Circle never saw it
      row(6, CallFate::kAnswered, -kWindow - Journal::kSlack),
      row(1, CallFate::kAnswered, -kWindow - Journal::kSlack - 1ms),
      row(7, CallFate::kUnknown, -1h, 1h),  // old ones, too: the budget drops them by its own clock
      row(8, CallFate::kUnknown, -3min),    // a revocation of unknown fate: a slot, no doubt
  };
  Journal journal(rows, CallId{9}, kWindow, kBoot, kClock, kBoot0);
  const auto dated = [](Duration closed) { return kBoot0 + closed + Journal::kDatingError; };
  EXPECT_THAT(
      journal.completions(kBoot0),
      UnorderedElementsAre(kBoot0, dated(-1min), dated(-2min), dated(-kWindow - Journal::kSlack),
                           dated(-kWindow - Journal::kSlack - 1ms), dated(-1h), dated(-3min)));
  ASSERT_EQ(journal.open_rows().size(), 1U);
  EXPECT_EQ(journal.open_rows().front().id, CallId{4});
  EXPECT_EQ(journal.doubts(), 1U) << "two of one member and kind";
  std::vector<Mutation> mutations;
  journal.sweep(both(kT0 + Journal::kDatingError), true, mutations);
  EXPECT_THAT(erased(mutations), ElementsAre(CallId{1})) << "whatever order they came in";
  EXPECT_EQ(journal.open(CallKind::kIssue, kGrace, kT0, mutations), CallId{9});
}

// What Circle's clock was when a row was closed, or is at the restart, does not matter on one boot.
TEST(JournalRestart, GoesByTheBootClockOnTheSameBoot) {
  CallRow row;
  row.id = CallId{1};
  row.fate = CallFate::kAnswered;
  row.closed_at = kT0 - 24h;
  row.closed_stamp = BootStamp{.boot = kBoot, .at = kBoot0 - 7s};
  const Journal same({row}, CallId{2}, kWindow, kBoot, kClock, kBoot0);
  EXPECT_THAT(same.completions(kBoot0), ElementsAre(kBoot0 - 7s));
  const Journal other({row}, CallId{2}, kWindow, BootId{12}, kClock, kBoot0);
  EXPECT_THAT(other.completions(kBoot0), ElementsAre(kBoot0 - 24h + Journal::kDatingError));
}

TEST_F(JournalTest, DoubtsStayWhileCirclesClockIsNotSure) {
  done(kT0, kT0, CallFate::kUnknown, kT0 + 1h);
  std::vector<Mutation> mutations;
  journal.sweep(both(kT0 + 100h), false, mutations);
  EXPECT_THAT(mutations, IsEmpty());
}

}  // namespace
}  // namespace rota

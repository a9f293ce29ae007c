#include "engine/journal.h"

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

// The clocks agree: kT0 is kBoot0.
Journal::Time both(WallTime circle) { return {.circle = circle, .boot = kBoot0 + (circle - kT0)}; }

const CallRow& put_row(const std::vector<Mutation>& mutations, std::size_t i) {
  return std::get<PutCall>(mutations.at(i)).row;
}

std::vector<CallId> erased(const std::vector<Mutation>& mutations) {
  std::vector<CallId> calls;
  for (const Mutation& m : mutations) calls.push_back(std::get<EraseCall>(m).call);
  return calls;
}

Journal::Past past(std::vector<CallRow> rows, std::int64_t next) {
  return {.rows = std::move(rows), .next = CallId{next}, .last_commit = {}};
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
  Journal journal{past({}, 7), kWindow, kBoot, kBoot0};
};

TEST_F(JournalTest, P3ACallIsOneRowOpenedThenClosed) {
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

TEST_F(JournalTest, P3ARowIsErasedOneTickAfterTheWindow) {
  const CallId id = done(kT0 - 1min, kT0);
  EXPECT_THAT(sweep(kT0 + kWindow), IsEmpty());
  EXPECT_THAT(sweep(kT0 + kWindow + 1ms), ElementsAre(id));
  EXPECT_THAT(sweep(kT0 + 24h), IsEmpty());
}

TEST_F(JournalTest, P3AnOpenRowIsNeverErased) {
  std::vector<Mutation> mutations;
  journal.open(CallKind::kIssue, kGrace, kT0, mutations);
  EXPECT_THAT(sweep(kT0 + 1000h), IsEmpty());
  EXPECT_EQ(journal.open_rows().size(), 1U);
}

TEST_F(JournalTest, P3ADoubtStaysUntilTheLostTokenIsOver) {
  const CallId id = done(kT0, kT0 + 1s, CallFate::kUnknown, kT0 + 1h);
  EXPECT_EQ(journal.doubts(), 1U);
  EXPECT_EQ(journal.doubts_of(kGrace), 1U);
  EXPECT_EQ(journal.doubts_of(MemberId{2}), 0U);
  EXPECT_THAT(sweep(kT0 + 1h + Journal::kDatingError), IsEmpty());
  EXPECT_THAT(sweep(kT0 + 1h + Journal::kDatingError + 1ms), ElementsAre(id));
  EXPECT_EQ(journal.doubts(), 0U);
}

TEST_F(JournalTest, P3ADoubtShorterThanTheWindowIsStillASlot) {
  done(kT0, kT0, CallFate::kUnknown, kT0 + 1s);
  EXPECT_THAT(sweep(kT0 + kWindow), IsEmpty());
  EXPECT_EQ(sweep(kT0 + kWindow + 1ms).size(), 1U);
}

TEST_F(JournalTest, P3OfTwoDoubtsOfOneMemberTheLaterStandsForBoth) {
  const CallId first = done(kT0, kT0 + 1s, CallFate::kUnknown, kT0 + 1h);
  const CallId second = done(kT0, kT0 + 10min, CallFate::kUnknown, kT0 + 70min);
  EXPECT_EQ(journal.doubts(), 1U);
  EXPECT_THAT(journal.completions(kBoot0 + 10min), ElementsAre(kBoot0 + 1s, kBoot0 + 10min))
      << "each is a slot";
  EXPECT_THAT(sweep(kT0 + 30min), ElementsAre(first));
  EXPECT_THAT(sweep(kT0 + 70min), IsEmpty());
  EXPECT_THAT(sweep(kT0 + 2h), ElementsAre(second));
}

TEST_F(JournalTest, P3ADoubtThatIsPostponedIsPutOnRecordWithItsNewEnd) {
  const CallId call = done(kT0, kT0 + 1s, CallFate::kUnknown, kT0 + 1h);
  std::vector<Mutation> mutations;
  journal.postpone_doubts(30min, mutations);
  ASSERT_EQ(mutations.size(), 1U);
  EXPECT_EQ(put_row(mutations, 0).id, call);
  EXPECT_EQ(put_row(mutations, 0).doubt_until, kT0 + 90min);
}

TEST_F(JournalTest, P3DoubtsFollowTheirMember) {
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
CallRow closed_row(std::int64_t id, CallFate fate, BootStamp stamp, WallTime closed,
                   std::optional<Duration> doubt = {}) {
  CallRow r;
  r.id = CallId{id};
  r.member = kGrace;
  r.opened_at = kT0 - 1h;
  r.fate = fate;
  r.closed_at = closed;
  r.closed_stamp = stamp;
  if (doubt) r.doubt_until = kT0 + *doubt;
  return r;
}

TEST(JournalRestart, P3RestoresTheSlotsAndTheDoubts) {
  const auto row = [](std::int64_t id, CallFate fate, Duration closed,
                      std::optional<Duration> doubt = {}) {
    return closed_row(id, fate, {.boot = kBoot, .at = kBoot0 + closed}, kT0 + closed, doubt);
  };
  CallRow open;
  open.id = CallId{4};
  open.member = kGrace;
  const std::vector<CallRow> rows{
      row(5, CallFate::kAnswered, -1min),
      open,
      row(3, CallFate::kUnknown, -2min, 1h),
      row(2, CallFate::kNotSent, -1min),  // no slot: Circle never saw it
      row(6, CallFate::kAnswered, -kWindow),
      row(1, CallFate::kAnswered, -kWindow - 1ms),
      row(7, CallFate::kUnknown, -1h, 1h),  // old ones, too: the budget drops them by its own clock
      row(8, CallFate::kUnknown, -3min),    // a revocation of unknown fate: a slot, no doubt
  };
  Journal journal(past(rows, 9), kWindow, kBoot, kBoot0);
  EXPECT_THAT(journal.completions(kBoot0),
              UnorderedElementsAre(kBoot0, kBoot0 - 1min, kBoot0 - 2min, kBoot0 - kWindow,
                                   kBoot0 - kWindow - 1ms, kBoot0 - 1h, kBoot0 - 3min));
  ASSERT_EQ(journal.open_rows().size(), 1U);
  EXPECT_EQ(journal.open_rows().front().id, CallId{4});
  EXPECT_EQ(journal.doubts(), 1U) << "two of one member and kind";
  std::vector<Mutation> mutations;
  journal.sweep(both(kT0), true, mutations);
  EXPECT_THAT(erased(mutations), ElementsAre(CallId{1})) << "whatever order they came in";
  EXPECT_EQ(journal.open(CallKind::kIssue, kGrace, kT0, mutations), CallId{9});
}

// What Circle's clock was when a row was closed, or is at the restart, does not matter on one boot.
TEST(JournalRestart, P3GoesByTheBootClockOnTheSameBoot) {
  const CallRow row =
      closed_row(1, CallFate::kAnswered, {.boot = kBoot, .at = kBoot0 - 7s}, kT0 - 24h);
  const Journal same(past({row}, 2), kWindow, kBoot, kBoot0);
  EXPECT_THAT(same.completions(kBoot0), ElementsAre(kBoot0 - 7s));
}

// P7: no clock tells how long the machine was off, and the wall clock may be hours ahead.
TEST(JournalRestart, P7AfterARebootTheLastCommitCountsAsMadeWhenTheBootBegan) {
  const std::vector<CallRow> rows{
      closed_row(1, CallFate::kAnswered, {.boot = BootId{8}, .at = BootTime{60s}}, kT0 + 20s),
      closed_row(2, CallFate::kAnswered, {.boot = BootId{8}, .at = BootTime{61s}}, kT0 - 5h),
      closed_row(3, CallFate::kAnswered, {.boot = BootId{7}, .at = kBoot0}, kT0 - 9h)};
  const BootTime now{20s};
  Journal::Past before = past(rows, 5);
  before.last_commit = {.boot = BootId{8}, .at = BootTime{70s}};
  Journal journal(before, kWindow, kBoot, now);
  EXPECT_THAT(journal.completions(now), ElementsAre(BootTime{-10s}, BootTime{-9s}, now))
      << "their distance is the boot clock's; of a boot with nothing to go by they are new";
  EXPECT_EQ(journal.on_this_boot({.boot = BootId{8}, .at = BootTime{90s}}), BootTime{20s});
  EXPECT_EQ(journal.on_this_boot({.boot = BootId{9}, .at = BootTime{90s}}), std::nullopt);
  std::vector<Mutation> mutations;
  journal.sweep({.circle = kT0 + 1000h, .boot = now}, true, mutations);
  EXPECT_THAT(mutations, IsEmpty()) << "they stay on record for the next start";

  // Put on record anew they are this boot's, and another start finds them as they are.
  journal.put_dates(mutations);
  ASSERT_EQ(mutations.size(), 3U);
  Journal::Past later = past({}, 5);
  for (const Mutation& m : mutations) later.rows.push_back(std::get<PutCall>(m).row);
  later.last_commit = {.boot = kBoot, .at = BootTime{500s}};
  Journal again(later, kWindow, kBoot, BootTime{501s});
  EXPECT_THAT(again.completions(BootTime{501s}), ElementsAre(BootTime{-10s}, BootTime{-9s}, now));
  mutations.clear();
  again.put_dates(mutations);
  EXPECT_THAT(mutations, IsEmpty());
}

TEST_F(JournalTest, P3DoubtsStayWhileCirclesClockIsNotSure) {
  done(kT0, kT0, CallFate::kUnknown, kT0 + 1h);
  std::vector<Mutation> mutations;
  journal.sweep(both(kT0 + 100h), false, mutations);
  EXPECT_THAT(mutations, IsEmpty());
}

}  // namespace
}  // namespace rota

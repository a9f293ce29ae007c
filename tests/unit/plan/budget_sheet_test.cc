#include "plan/budget_sheet.h"

#include <gmock/gmock.h>

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"

namespace rota {
namespace {

using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::Le;

constexpr Duration kWindow{300'000};
constexpr BootTime kStart{Duration{1'000'000}};

BootTime at(Duration since) { return kStart + since; }

CallCounts only(CallClass each, std::size_t calls) {
  CallCounts counts{};
  counts.at(index_of(each)) = calls;
  return counts;
}

// The memory that the members share, and who of them lives.
struct Memory {
  std::vector<std::uint64_t> words = std::vector<std::uint64_t>(BudgetSheet::kWords);
  BudgetSheet::Alive alive;

  Memory() { BudgetSheet::format(all()); }
  BudgetSheet::Words all() { return BudgetSheet::Words(words); }
};

// One process that uses it.
class Member {
 public:
  Member(Memory& memory, std::size_t limit, std::uint64_t identity, BootTime now)
      : memory_(memory), sheet(memory.all(), {.limit = limit, .window = kWindow}) {
    place = sheet.places_for(identity, now, memory.alive).at(0);
    memory.alive.set(place);
    sheet.join(place, identity, now);
  }
  std::size_t take(CallClass each, std::size_t calls, BootTime now) {
    return sum_of(sheet.take(only(each, calls), now, memory_.alive));
  }
  SharedBudget::View view(BootTime now) { return sheet.view(now, memory_.alive); }

 private:
  Memory& memory_;

 public:
  BudgetSheet sheet;
  std::size_t place = 0;
};

TEST(BudgetSheet, AloneItIsTheBudget) {
  Memory memory;
  Member one(memory, 100, 7, kStart);
  EXPECT_EQ(one.take(CallClass::kRefresh, 200, kStart), 90U) << "a tenth is for others";
  EXPECT_EQ(one.take(CallClass::kOther, 200, kStart), 0U);
  EXPECT_EQ(one.take(CallClass::kRevocation, 200, kStart), 5U);
  EXPECT_EQ(one.take(CallClass::kWaiting, 200, kStart), 5U);
  EXPECT_EQ(one.view(kStart).used, 100U);
  EXPECT_EQ(one.view(kStart).share, 100U);
}

TEST(BudgetSheet, P7ACallCountsUntilOneWindowAfterItsEnd) {
  Memory memory;
  Member one(memory, 10, 7, kStart);
  ASSERT_EQ(one.take(CallClass::kWaiting, 20, kStart), 10U);
  EXPECT_EQ(one.take(CallClass::kWaiting, 1, at(2 * kWindow)), 0U) << "all are under way";
  one.sheet.complete(1, at(kWindow));
  EXPECT_EQ(one.take(CallClass::kWaiting, 1, at(2 * kWindow)), 0U);
  EXPECT_EQ(one.take(CallClass::kWaiting, 2, at(2 * kWindow + Duration{1})), 1U);
  one.sheet.give_back(3);
  EXPECT_EQ(one.take(CallClass::kWaiting, 9, at(2 * kWindow + Duration{1})), 3U)
      << "what was not sent counts no more";
}

TEST(BudgetSheet, P7WhatTheDeadHeldCountsFromThenOn) {
  Memory memory;
  Member one(memory, 10, 7, kStart);
  Member other(memory, 10, 8, kStart);
  ASSERT_EQ(one.take(CallClass::kWaiting, 9, kStart), 9U);
  memory.alive.reset(one.place);
  EXPECT_EQ(other.take(CallClass::kWaiting, 10, at(Duration{5})), 1U);
  other.sheet.give_back(1);
  EXPECT_EQ(other.take(CallClass::kWaiting, 10, at(kWindow + Duration{5})), 1U);
  other.sheet.give_back(1);
  EXPECT_EQ(other.take(CallClass::kWaiting, 10, at(kWindow + Duration{6})), 10U);
}

TEST(BudgetSheet, P7ARestartFindsItsPlaceAndItsCalls) {
  Memory memory;
  auto one = std::make_unique<Member>(memory, 10, 7, kStart);
  const std::size_t place = one->place;
  Member other(memory, 10, 8, kStart);
  ASSERT_EQ(one->take(CallClass::kWaiting, 4, kStart), 4U);
  one->sheet.complete(1, at(Duration{10}));
  memory.alive.reset(place);
  one = std::make_unique<Member>(memory, 10, 7, at(Duration{20}));
  EXPECT_EQ(one->place, place);
  EXPECT_EQ(one->view(at(Duration{20})).own, 4U);
  // Its journal has the same four calls: they count once. A fifth, which the sheet lacks, is added.
  const std::vector<BootTime> known(4, at(Duration{20}));
  one->sheet.recall(known, 0, at(Duration{20}));
  EXPECT_EQ(one->view(at(Duration{20})).own, 4U);
  const std::vector<BootTime> more(5, at(Duration{20}));
  one->sheet.recall(more, 2, at(Duration{20}));
  EXPECT_EQ(other.view(at(Duration{20})).used, 7U);
  EXPECT_EQ(other.view(at(Duration{20}) + kWindow + Duration{1}).used, 2U);
}

TEST(BudgetSheet, ASixteenthMemberIsTheLast) {
  Memory memory;
  std::deque<Member> members;
  for (std::uint64_t i = 1; i <= BudgetSheet::kMembersMax; ++i) {
    members.emplace_back(memory, 100, i, kStart);
  }
  BudgetSheet& sheet = members.front().sheet;
  EXPECT_TRUE(sheet.places_for(99, kStart, memory.alive).empty());
  EXPECT_THAT(sheet.places_for(3, kStart, memory.alive), ElementsAre(2));
  ASSERT_EQ(members.at(4).take(CallClass::kWaiting, 1, kStart), 1U);
  memory.alive.reset(4);
  EXPECT_TRUE(sheet.places_for(99, kStart, memory.alive).empty()) << "its call still counts as its";
  (void)sheet.view(kStart, memory.alive);
  EXPECT_THAT(sheet.places_for(99, at(kWindow + Duration{1}), memory.alive), ElementsAre(4));
}

TEST(BudgetSheet, AMemberThatHasItsShareLendsOnlyWhatOthersLeave) {
  Memory memory;
  Member greedy(memory, 200, 7, kStart);
  Member idle(memory, 200, 8, kStart);
  EXPECT_EQ(greedy.take(CallClass::kRefresh, 500, kStart), 170U) << "not the last 10 % and 5 %";
  EXPECT_EQ(greedy.take(CallClass::kWaiting, 500, kStart), 20U) << "nor the last 5 %";
  EXPECT_EQ(idle.take(CallClass::kWaiting, 500, kStart), 10U);
}

TEST(BudgetSheet, WhatBecomesFreeGoesToTheOneBelowItsShare) {
  Memory memory;
  Member greedy(memory, 200, 7, kStart);
  Member late(memory, 200, 8, kStart);
  ASSERT_EQ(greedy.take(CallClass::kRefresh, 500, kStart), 170U);
  greedy.sheet.complete(170, kStart);
  const BootTime later = at(Duration{1'000});
  EXPECT_EQ(late.take(CallClass::kRefresh, 60, later), 10U);
  // Nothing has become free: the one below its share could have 50 more.
  EXPECT_EQ(greedy.take(CallClass::kRefresh, 1, later), 0U);
  greedy.sheet.recall({}, 0, later);
  const BootTime freed = at(kWindow + Duration{1});
  EXPECT_EQ(late.take(CallClass::kRefresh, 190, freed - Duration{2}), 0U);
  EXPECT_EQ(late.take(CallClass::kRefresh, 90, freed), 90U);
  EXPECT_EQ(greedy.take(CallClass::kRefresh, 500, freed), 80U) << "and the rest to the other";
}

TEST(BudgetSheet, FirstTokensWaitForTheRefreshesOfOthersButAreNotShutOut) {
  Memory memory;
  Member newcomer(memory, 200, 7, kStart);
  Member old(memory, 200, 8, kStart);
  ASSERT_EQ(newcomer.take(CallClass::kOther, 60, kStart), 60U);
  ASSERT_EQ(old.take(CallClass::kRefresh, 500, kStart), 110U) << "and it wishes for 390 more";
  newcomer.sheet.give_back(5);
  EXPECT_EQ(newcomer.take(CallClass::kOther, 5, kStart), 0U)
      << "it has half of its share, and the other one's members have tokens";
  newcomer.sheet.give_back(11);
  EXPECT_EQ(newcomer.take(CallClass::kOther, 11, kStart), 1U) << "45, half of its 90, it keeps";
  EXPECT_EQ(old.take(CallClass::kRefresh, 0, kStart), 0U) << "the wish is taken back";
  EXPECT_EQ(newcomer.take(CallClass::kOther, 100, kStart), 25U);
}

TEST(BudgetSheet, TheLeastLimitOfAllCounts) {
  Memory memory;
  Member one(memory, 100, 7, kStart);
  Member other(memory, 50, 8, kStart);
  EXPECT_EQ(one.view(kStart).limit, 50U);
  EXPECT_LE(
      one.take(CallClass::kWaiting, 100, kStart) + other.take(CallClass::kWaiting, 100, kStart),
      50U);
  memory.alive.reset(other.place);
  EXPECT_EQ(one.view(kStart).limit, 100U);
}

TEST(BudgetSheet, P7AfterARebootTheCallsOfBeforeCountAsMadeWhenItBegan) {
  Memory before;
  Member one(before, 100, 7, kStart);
  Member other(before, 100, 8, kStart);
  ASSERT_EQ(one.take(CallClass::kWaiting, 20, kStart), 20U);
  one.sheet.complete(15, kStart);
  ASSERT_EQ(other.take(CallClass::kWaiting, 3, at(kWindow + Duration{1})), 3U);
  Memory after;
  BudgetSheet::carry_over(before.all(), after.all(), kWindow);
  EXPECT_TRUE(BudgetSheet::is_sheet(after.all(), BootTime{Duration{1}}));
  Member again(after, 100, 8, BootTime{Duration{30'000}});
  EXPECT_EQ(again.place, other.place);
  EXPECT_EQ(again.view(BootTime{kWindow}).used, 8U) << "15 were over for a window";
  EXPECT_EQ(again.view(BootTime{kWindow}).own, 3U);
  EXPECT_EQ(again.view(BootTime{kWindow + Duration{1}}).used, 0U);
}

TEST(BudgetSheet, KnowsWhatIsNoSheet) {
  Memory memory;
  EXPECT_TRUE(BudgetSheet::is_sheet(memory.all(), kStart));
  Member one(memory, 100, 7, kStart);
  ASSERT_EQ(one.take(CallClass::kWaiting, 3, kStart), 3U);
  one.sheet.complete(1, kStart);
  EXPECT_TRUE(BudgetSheet::is_sheet(memory.all(), kStart));
  EXPECT_FALSE(BudgetSheet::is_sheet(memory.all(), kStart - Duration{2'000}))
      << "calls of a time to come";
  for (const std::size_t word : {std::size_t{0}, std::size_t{1}, BudgetSheet::kWords - 1}) {
    Memory other = memory;
    other.words.at(word) = ~std::uint64_t{0};
    EXPECT_FALSE(BudgetSheet::is_sheet(other.all(), kStart)) << word;
  }
  memory.words.assign(memory.words.size(), 0);
  EXPECT_FALSE(BudgetSheet::is_sheet(memory.all(), kStart));
}

// Some daemons on one machine, each with a random life: bursts, pauses, SIGSTOP, kill -9, restarts.
// The truth is kept beside the sheet.
class Machine {
 public:
  Machine(std::uint64_t seed, std::size_t daemons, std::size_t limit)
      : random_(seed), limit_(limit), daemons_(daemons) {
    for (std::size_t i = 0; i < daemons; ++i) start(i);
  }

  void step() {
    now_ += Duration{1} + random_.up_to(Duration{400});
    for (std::size_t i = 0; i < daemons_.size(); ++i) step(i);
    std::erase_if(truth_,
                  [&](const Call& call) { return call.ended && *call.ended + kWindow < now_; });
    most_ = std::max(most_, truth_.size());
  }
  std::size_t most() const { return most_; }
  std::size_t made() const { return made_; }

 private:
  struct Call {
    std::size_t daemon = 0;
    std::optional<BootTime> ended{};
  };
  struct Daemon {
    std::unique_ptr<Member> member{};  // null: it is dead
    bool stopped = false;
    std::size_t demand = 0;
  };

  void start(std::size_t i) {
    daemons_[i].member = std::make_unique<Member>(memory_, limit_, i + 1, now_);
    daemons_[i].stopped = false;
  }
  void step(std::size_t i) {
    Daemon& daemon = daemons_[i];
    constexpr std::uint64_t kOneIn = 4'000;
    if (!daemon.member) {
      if (random_.below(50) == 0) start(i);
      return;
    }
    if (random_.below(kOneIn) == 0) return kill(i);
    if (daemon.stopped) {
      daemon.stopped = random_.below(200) != 0;
      if (daemon.stopped) return;
    } else if (random_.below(kOneIn) == 0) {
      daemon.stopped = true;
      return;
    }
    // What it read of the clock before it was stopped is old when it goes on.
    const BootTime seen = now_ - random_.up_to(Duration{3});
    end_some(i, seen);
    if (random_.below(300) == 0) daemon.demand = random_.below(2 * limit_);
    take(i, seen);
  }
  void take(std::size_t i, BootTime seen) {
    Daemon& daemon = daemons_[i];
    CallCounts wanted{};
    for (const CallClass each : kCallClasses) {
      wanted.at(index_of(each)) = std::min<std::size_t>(daemon.demand, random_.below(3));
    }
    const CallCounts got = daemon.member->sheet.take(wanted, seen, memory_.alive);
    const std::size_t unused = random_.below(1 + sum_of(got));
    daemon.member->sheet.give_back(unused);
    for (std::size_t n = unused; n < sum_of(got); ++n) truth_.push_back({.daemon = i});
    made_ += sum_of(got) - unused;
    daemon.demand -= std::min(daemon.demand, sum_of(got) - unused);
  }
  void end_some(std::size_t i, BootTime seen) {
    std::size_t ended = 0;
    for (Call& call : truth_) {
      if (call.daemon != i || call.ended || random_.below(3) == 0) continue;
      call.ended = seen;
      ++ended;
    }
    daemons_[i].member->sheet.complete(ended, seen);
  }
  void kill(std::size_t i) {
    memory_.alive.reset(daemons_[i].member->place);
    daemons_[i].member.reset();
    for (Call& call : truth_) {
      if (call.daemon == i && !call.ended) call.ended = now_;
    }
  }

  Random random_;
  const std::size_t limit_;
  Memory memory_;
  std::vector<Daemon> daemons_;
  BootTime now_ = kStart;
  std::vector<Call> truth_;  // that count now
  std::size_t most_ = 0;
  std::size_t made_ = 0;
};

TEST(BudgetSheet, P7TheSumStaysWithinTheBudgetWhateverHappensToWhom) {
  std::size_t used_up = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const std::size_t limit = 20 + seed;
    Machine machine(seed, 2 + seed % 4, limit);
    for (int i = 0; i < 8'000; ++i) {
      machine.step();
      ASSERT_THAT(machine.most(), Le(limit)) << "seed " << seed << ", step " << i;
    }
    ASSERT_GT(machine.made(), limit) << "nothing happened";
    if (machine.most() == limit) ++used_up;
  }
  EXPECT_GT(used_up, 30U) << "a budget that is never spent proves nothing";
}

// Whatever the others want, waiting clients included: a daemon that wants refreshes gets its share
// of each window, less the tenth that is kept from refreshes, once the calls that others made
// before it came are over.
TEST(BudgetSheet, NobodyIsStarved) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    Random random(seed);
    Memory memory;
    const std::size_t limit = 200;
    const std::size_t others = 1 + seed % 4;
    std::deque<Member> greedy;
    for (std::size_t i = 0; i < others; ++i) greedy.emplace_back(memory, limit, i + 1, kStart);
    BootTime now = kStart;
    std::size_t rushed = 0;
    const auto rush = [&](Member& member) {
      // Evenly, or all calls would end at one time; and more than the budget has.
      if (rushed > 2 * limit * static_cast<std::size_t>((now - kStart).count()) /
                       static_cast<std::size_t>(kWindow.count())) {
        return;
      }
      const std::size_t got = sum_of(member.sheet.take({1, 1, 1, 1}, now, memory.alive));
      member.sheet.complete(got, now);
      rushed += got;
    };
    for (; now < at(kWindow); now += random.up_to(Duration{500})) {
      for (Member& member : greedy) rush(member);
    }
    Member modest(memory, limit, 99, now);
    std::size_t got = 0;
    std::size_t taken_in_all = 0;
    const BootTime came = now;
    for (; now < came + 2 * kWindow; now += random.up_to(Duration{500})) {
      for (Member& member : greedy) rush(member);
      // Its refreshes come evenly, and are as many as its share; what it does not get stays due.
      const auto due = static_cast<std::size_t>((now - came) * (limit / (others + 1)) / kWindow);
      const std::size_t taken = modest.take(CallClass::kRefresh, due - taken_in_all, now);
      modest.sheet.complete(taken, now);
      taken_in_all += taken;
      if (now >= came + kWindow) got += taken;
    }
    EXPECT_THAT(got, Ge((limit / (others + 1) - limit / 10) * 9 / 10)) << "seed " << seed;
  }
}

// The bar: of two that are busy all the time, the sum is at least 90 % of the budget in each
// window, and each has its half.
TEST(BudgetSheet, TwoThatAreBusySpendNineTenthsOfTheBudget) {
  Memory memory;
  const std::size_t limit = 1'200;
  std::deque<Member> both;
  both.emplace_back(memory, limit, 1, kStart);
  both.emplace_back(memory, limit, 2, kStart);
  std::array<std::size_t, 2> got{};
  for (BootTime now = kStart; now < at(3 * kWindow); now += Duration{50}) {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::size_t taken = both[i].take(CallClass::kRefresh, 1, now);
      both[i].sheet.complete(taken, now);
      if (now >= at(2 * kWindow)) got.at(i) += taken;
    }
  }
  EXPECT_THAT(got[0] + got[1], Ge(limit * 9 / 10));
  EXPECT_THAT(got[0], Ge(limit * 9 / 20 - 2));
  EXPECT_THAT(got[1], Ge(limit * 9 / 20 - 2));
}

}  // namespace
}  // namespace rota

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "engine/enrolment_turns.h"
#include "engine/removals.h"
#include "engine/unknown_names.h"
#include "plan/allowance.h"
#include "store/meta.h"
#include "store/token_store.h"
#include "tests/unit/plan/records.h"

// The parts that decide who may enrol, remove and ask how often.
namespace rota::test {
namespace {

constexpr BootTime kStart{Duration{1'000'000}};

MemberKey email(int number) {
  return MemberKey::from_email("m" + std::to_string(number) + "@example.com").value();
}

TEST(Allowance, LetsNoWindowSeeMoreThanItsLimit) {
  Allowance allowance(2, 10s);
  EXPECT_TRUE(allowance.has(2, kStart));
  EXPECT_FALSE(allowance.has(3, kStart));
  allowance.take(kStart);
  allowance.take(kStart + 4s);
  EXPECT_FALSE(allowance.has(1, kStart + 10s - 1ms));
  EXPECT_EQ(allowance.next(kStart + 5s), kStart + 10s);
  EXPECT_TRUE(allowance.has(1, kStart + 10s));
  EXPECT_FALSE(allowance.has(2, kStart + 10s));
  EXPECT_EQ(Allowance(0, 1s).next(kStart), std::nullopt);
}

TEST(UnknownNames, AreRememberedForTenSecondsDoublingToFiveMinutes) {
  UnknownNames names;
  const MemberKey key = email(1);
  BootTime now = kStart;
  for (const Duration pause : {10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    EXPECT_FALSE(names.recalls(key, now));
    names.note(key, now);
    EXPECT_TRUE(names.recalls(key, now + pause - 1ms));
    now += pause;
  }
  now += 1h;
  names.note(key, now);
  EXPECT_FALSE(names.recalls(key, now + 10s)) << "long ago counts for nothing";
  names.note(key, now);
  names.forget(key);
  EXPECT_FALSE(names.recalls(key, now));
}

TEST(UnknownNames, WhoAsksAllTheSameAsksOnceInTenSeconds) {
  UnknownNames names;
  const MemberKey key = email(1);
  names.note(key, kStart);
  names.note(key, kStart + 10s);
  EXPECT_TRUE(names.asked_just_now(key, kStart + 20s - 1ms));
  EXPECT_FALSE(names.asked_just_now(key, kStart + 20s));
  EXPECT_TRUE(names.recalls(key, kStart + 20s));
}

TEST(UnknownNames, P11TheListIsBounded) {
  UnknownNames names;
  for (int i = 0; i <= static_cast<int>(UnknownNames::kNamesMax); ++i) {
    names.note(email(i), kStart + i * 1ms);
  }
  EXPECT_EQ(names.size(), UnknownNames::kNamesMax);
  EXPECT_FALSE(names.recalls(email(0), kStart + 1s)) << "the oldest one went";
}

TEST(EnrolmentTurns, ClientsTakeTurnsAndTheShareHolds) {
  EnrolmentTurns turns(3, 10s);
  for (const int wait : {1, 2, 3}) turns.add(WaitId(wait), "user:a");
  turns.add(WaitId{4}, "user:b");
  EXPECT_EQ(turns.take(kStart), WaitId{1});
  EXPECT_EQ(turns.take(kStart), WaitId{4}) << "the other client does not wait behind the first";
  turns.remove(WaitId{2});
  EXPECT_EQ(turns.take(kStart), WaitId{3});
  turns.add(WaitId{5}, "user:b");
  EXPECT_EQ(turns.take(kStart), std::nullopt) << "the share is spent";
  EXPECT_EQ(turns.next(kStart), kStart + 10s);
  turns.give_back();
  EXPECT_EQ(turns.take(kStart), WaitId{5});
  EXPECT_EQ(turns.next(kStart), std::nullopt) << "nobody waits";
}

// Of a client that has so many members.
std::function<std::size_t()> has(std::size_t members) {
  return [members] { return members; };
}

TEST(Removals, PastTheGuardsMeasureAClientIsHeldBackUntilAnOperatorLiftsIt) {
  Removals removals({.max_retire_count = 2, .max_retire_fraction = 0.1});
  using enum Removals::Verdict;
  EXPECT_EQ(removals.ask("user:a", has(10), kStart), kAllowed);
  EXPECT_EQ(removals.ask("user:a", has(9), kStart), kAllowed);
  EXPECT_EQ(removals.ask("user:a", has(8), kStart), kFirstRefused);
  EXPECT_EQ(removals.ask("user:a", has(8), kStart), kRefused) << "one alarm";
  EXPECT_TRUE(removals.holds_back("user:a"));
  EXPECT_EQ(removals.ask("user:b", has(8), kStart), kAllowed) << "the others are not held back";
  EXPECT_EQ(removals.ask("user:a", has(8), kStart + 1h), kRefused) << "no time ends it";
  EXPECT_EQ(removals.ask("user:a", has(8), kStart + 1'000h), kRefused);
}

TEST(Removals, BothPartsOfTheMeasureMustBePassedWithinAnHour) {
  Removals removals({.max_retire_count = 2, .max_retire_fraction = 0.1});
  const auto remove = [&](std::size_t own, Duration after) {
    return removals.ask("user:a", has(own), kStart + after);
  };
  using enum Removals::Verdict;
  // Of 40 members a tenth is four.
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(remove(40 - i, 0s), kAllowed) << i;
  // An hour later those count no more; a client that always removes is never held back for it.
  for (std::size_t i = 0; i < 4; ++i)
    EXPECT_EQ(remove(36 - i, 1h), i < 3 ? kAllowed : kFirstRefused);
}

TEST(Removals, TheMembersAreCountedSeldom) {
  Removals removals({.max_retire_count = 2, .max_retire_fraction = 0.1});
  std::size_t counts = 0;
  const auto count = [&counts] { return ++counts, std::size_t{1'000}; };
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(removals.ask("user:a", count, kStart), Removals::Verdict::kAllowed);
  }
  EXPECT_EQ(counts, 1U);
  EXPECT_EQ(removals.ask("user:a", count, kStart + Removals::kCountEvery),
            Removals::Verdict::kAllowed);
  EXPECT_EQ(counts, 2U);
}

TEST(Removals, AnOperatorLiftsIt) {
  Removals removals({.max_retire_count = 0, .max_retire_fraction = 0});
  EXPECT_EQ(removals.ask("user:a", has(10), kStart), Removals::Verdict::kFirstRefused);
  removals.lift("user:a", kStart);
  EXPECT_FALSE(removals.holds_back("user:a"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(removals.ask("user:a", has(10), kStart + 1min), Removals::Verdict::kAllowed);
  }
  EXPECT_EQ(removals.ask("user:a", has(10), kStart + 1h), Removals::Verdict::kFirstRefused);
}

TEST(Removals, WhatAnOperatorLetThroughCountsForNothingAfterwards) {
  Removals removals({.max_retire_count = 2, .max_retire_fraction = 0});
  removals.lift("user:a", kStart);
  for (int i = 0; i < 10; ++i) (void)removals.ask("user:a", has(10), kStart + 59min);
  EXPECT_EQ(removals.ask("user:a", has(10), kStart + 1h), Removals::Verdict::kAllowed);
}

TEST(Removals, SaysWhomItHoldsBack) {
  Removals removals({.max_retire_count = 0, .max_retire_fraction = 0});
  EXPECT_TRUE(removals.held_back().empty());
  removals.ask("user:b", has(10), kStart);
  removals.ask("user:a", has(10), kStart);
  EXPECT_THAT(removals.held_back(), testing::ElementsAre("user:a", "user:b"));
  EXPECT_FALSE(removals.is_lifted("user:a", kStart));
  removals.lift("user:a", kStart);
  EXPECT_THAT(removals.held_back(), testing::ElementsAre("user:b"));
  EXPECT_TRUE(removals.is_lifted("user:a", kStart + 1h - 1ms));
  EXPECT_FALSE(removals.is_lifted("user:a", kStart + 1h));
}

TEST(Removals, AfterARestartTheNameOfOneHeldBackComesWithTheFirstThatTellsIt) {
  const Fingerprint name = fingerprint_of("user:a");
  Removals removals({.max_retire_count = 0, .max_retire_fraction = 0}, {name});
  EXPECT_THAT(removals.held_back(), testing::ElementsAre("hash:" + format_fingerprint(name)));
  removals.learn_name("user:b");
  removals.learn_name("user:a");
  EXPECT_THAT(removals.held_back(), testing::ElementsAre("user:a"));
}

TEST(Removals, ARestartLiftsNothing) {
  const GuardPolicy guard{.max_retire_count = 0, .max_retire_fraction = 0};
  Removals removals(guard);
  std::vector<Mutation> changes;
  removals.record(changes);
  EXPECT_TRUE(changes.empty()) << "nobody is held back";
  Meta meta;
  const auto store = [&] {
    changes.clear();
    removals.record(changes);
    for (const Mutation& change : changes) {
      const auto& put = std::get<PutMeta>(change);
      ASSERT_TRUE(take_over(meta, put.key, put.value));
    }
  };
  for (const char* client : {"user:a", "user:b", "user:c", "user:d"}) {
    (void)removals.ask(client, has(10), kStart);
    store();
    EXPECT_FALSE(changes.empty());
  }
  Removals later(guard, meta.held_clients);
  for (const char* client : {"user:a", "user:b", "user:c", "user:d"}) {
    EXPECT_EQ(later.ask(client, has(10), kStart), Removals::Verdict::kRefused);
  }
  removals.lift("user:c", kStart);
  store();
  Removals last(guard, meta.held_clients);
  EXPECT_FALSE(last.holds_back("user:c"));
  for (const char* client : {"user:a", "user:b", "user:d"}) EXPECT_TRUE(last.holds_back(client));
}

TEST(Removals, OfIdleMembersTwoInAHundredLeaveWithinAnHour) {
  Removals removals({});
  std::size_t in_the_hour = 0;
  for (int i = 0; i < 100; ++i) {
    if (removals.next_idle_leave(1'000, kStart) < kStart + 1h) ++in_the_hour;
  }
  EXPECT_EQ(in_the_hour, 20U);
  EXPECT_EQ(Removals({}).next_idle_leave(3, kStart), kStart) << "the first one need not wait";
}

}  // namespace
}  // namespace rota::test

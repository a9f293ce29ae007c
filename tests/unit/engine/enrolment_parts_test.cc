#include <gtest/gtest.h>

#include <string>

#include "engine/enrolment_turns.h"
#include "engine/removals.h"
#include "engine/unknown_names.h"
#include "plan/allowance.h"
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

TEST(Removals, PastTheGuardsMeasureAClientIsHeldBackForAnHour) {
  Removals removals({.max_retire_count = 2, .max_retire_fraction = 0.1});
  using enum Removals::Verdict;
  EXPECT_EQ(removals.ask("user:a", 10, kStart), kAllowed);
  EXPECT_EQ(removals.ask("user:a", 9, kStart), kAllowed);
  EXPECT_EQ(removals.ask("user:a", 8, kStart), kFirstRefused);
  EXPECT_EQ(removals.ask("user:a", 8, kStart), kRefused) << "one alarm";
  EXPECT_TRUE(removals.holds_back("user:a"));
  EXPECT_EQ(removals.ask("user:b", 8, kStart), kAllowed) << "the others are not held back";
  EXPECT_EQ(removals.ask("user:a", 8, kStart + 1h), kAllowed);
}

TEST(Removals, AnOperatorLiftsIt) {
  Removals removals({.max_retire_count = 0, .max_retire_fraction = 0});
  EXPECT_EQ(removals.ask("user:a", 10, kStart), Removals::Verdict::kFirstRefused);
  removals.lift("user:a", kStart);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(removals.ask("user:a", 10, kStart + 1min), Removals::Verdict::kAllowed);
  }
  EXPECT_EQ(removals.ask("user:a", 10, kStart + 1h), Removals::Verdict::kFirstRefused);
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

#include "engine/trouble.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

const WallTime kFirst = *parse_iso8601("2024-03-20T16:36:47.000Z");

Transient with(Symptom symptom, TransientReason reason = TransientReason::kNoReply) {
  return Transient{.reason = reason, .why = "ada@example.com said so", .symptom = symptom};
}

TEST(TroubleWatch, TellsOfTheFirstFailureAndSinceWhen) {
  TroubleWatch watch;
  EXPECT_FALSE(watch.current());
  watch.note(with({.kind = Symptom::Kind::kLookup}, TransientReason::kNotSent), kFirst);
  ASSERT_TRUE(watch.current());
  EXPECT_EQ(describe(*watch.current()),
            "DNS does not resolve the name of Circle's host (since 16:36 UTC)");
  EXPECT_EQ(watch.current()->failures, 1U);
  // What is so now, since the first of them.
  watch.note(with({.kind = Symptom::Kind::kStatus, .status = 503}),
             kFirst + std::chrono::minutes{5});
  EXPECT_EQ(describe(*watch.current()), "Circle answers 503 (since 16:36 UTC)");
  EXPECT_EQ(watch.current()->failures, 2U);
  watch.note(Revoked{}, kFirst + std::chrono::minutes{6});
  EXPECT_FALSE(watch.current());
}

TEST(TroubleWatch, KnowsWhenAReplyWasLastGood) {
  TroubleWatch watch;
  EXPECT_FALSE(watch.last_good());
  watch.note(Revoked{}, kFirst);
  EXPECT_EQ(watch.last_good(), kFirst);
  const WallTime later = kFirst + std::chrono::minutes{1};
  for (const Outcome& outcome :
       {Outcome(with({.kind = Symptom::Kind::kTimeout})), Outcome(Throttled{}),
        Outcome(AppTokenRefused{}), Outcome(NotEligible{}),
        Outcome(with({.kind = Symptom::Kind::kStatus, .status = 503}))}) {
    watch.note(outcome, later);
    EXPECT_EQ(watch.last_good(), kFirst) << name_of(outcome);
  }
  watch.clear();
  EXPECT_EQ(watch.last_good(), kFirst) << "it stays true with another app token";
  watch.note(MemberUnknown{}, later);
  EXPECT_EQ(watch.last_good(), later) << "Circle answers, and means the member";
}

TEST(TroubleWatch, WhatSettlesACallEndsIt) {
  for (const Outcome& outcome : {Outcome(MemberUnknown{}), Outcome(RefreshTokenDead{}),
                                 Outcome(AlreadyDead{}), Outcome(Revoked{})}) {
    TroubleWatch watch;
    watch.note(with({.kind = Symptom::Kind::kTimeout}), kFirst);
    watch.note(outcome, kFirst);
    EXPECT_FALSE(watch.current()) << name_of(outcome);
  }
}

TEST(TroubleWatch, WhatSaysNothingChangesNothing) {
  TroubleWatch watch;
  watch.note(Throttled{}, kFirst);
  watch.note(Transient{.reason = TransientReason::kNotSent, .why = "no longer wanted"}, kFirst);
  EXPECT_FALSE(watch.current());
  watch.note(AppTokenRefused{}, kFirst);
  watch.note(Throttled{}, kFirst);
  ASSERT_TRUE(watch.current());
  EXPECT_EQ(watch.current()->words, "Circle refuses the app token");
  EXPECT_EQ(watch.current()->failures, 1U);
  watch.clear();
  EXPECT_FALSE(watch.current());
}

// They go to everybody who may connect (P10, P11).
TEST(TroubleWatch, P10TheWordsQuoteNothing) {
  using Kind = Symptom::Kind;
  for (const Kind kind : {Kind::kNone, Kind::kLookup, Kind::kRefused, Kind::kUnreachable,
                          Kind::kTls, Kind::kTimeout, Kind::kCutOff, Kind::kStatus}) {
    for (const int status : {200, 404, 500}) {
      TroubleWatch watch;
      watch.note(with({.kind = kind, .status = status}), kFirst);
      ASSERT_TRUE(watch.current());
      EXPECT_FALSE(watch.current()->words.empty());
      EXPECT_FALSE(watch.current()->words.contains("ada"));
    }
  }
}

}  // namespace
}  // namespace rota

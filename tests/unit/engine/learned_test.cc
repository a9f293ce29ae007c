#include "engine/learned.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using test::kT0;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr BootId kBoot{7};
constexpr Now kStart{.wall = kT0, .boot = BootTime{1h}};
constexpr Duration kOffset = kT0.time_since_epoch() - 1h;

Now after(Duration d) { return {.wall = kStart.wall + d, .boot = kStart.boot + d}; }

Learned started(const Snapshot& snapshot = {}, BootId boot = kBoot) {
  return {Policy{}, snapshot, boot, kStart};
}

// By a reply now, with this Date.
void confirm(Learned& learned, WallTime date = kT0) {
  const CircleClock::Sent sent{.at = kStart.boot, .doubts = learned.clock().doubts()};
  learned.clock().observe(date, sent, kStart);
}

// The wall clock goes an hour forward, which puts Circle's time in doubt.
Learned in_doubt() {
  Learned learned = started();
  confirm(learned);
  learned.clock().look({.wall = kT0 + 1h, .boot = kStart.boot});
  return learned;
}

Token access(Duration life) { return test::make_token(1, TokenKind::kAccess, "access", kT0, life); }
Token refresh(Duration life) {
  return test::make_token(2, TokenKind::kRefresh, "refresh", kT0, life);
}

std::vector<std::pair<MetaKey, std::int64_t>> clock_on_record(const Learned& learned, Now now) {
  std::vector<Mutation> changes;
  learned.put_clock(now, changes);
  std::vector<std::pair<MetaKey, std::int64_t>> metas;
  for (const Mutation& change : changes) {
    const auto& meta = std::get<PutMeta>(change);
    metas.emplace_back(meta.key, meta.value);
  }
  return metas;
}

// --- Circle's clock ---

TEST(LearnedTest, P1TheClockIsOnRecordOnlyOnceAReplyHasConfirmedIt) {
  Learned learned = started();
  EXPECT_THAT(clock_on_record(learned, kStart), IsEmpty());
  confirm(learned, kT0 + 5s);  // between 5 and 6 seconds ahead of the wall clock
  const Duration skew = 5'500ms;
  EXPECT_THAT(
      clock_on_record(learned, after(1min)),
      ElementsAre(Pair(MetaKey::kLastCircleTimeMs, (kT0 + skew + 1min).time_since_epoch().count()),
                  Pair(MetaKey::kClockSkewMs, skew.count()), Pair(MetaKey::kClockBoot, 7),
                  Pair(MetaKey::kClockOffsetMs, (kOffset + skew).count())));
}

TEST(LearnedTest, P1WhatThisBootHasLearnedOfTheClockHoldsAfterARestart) {
  Snapshot snapshot;
  snapshot.meta.clock_boot = kBoot;
  snapshot.meta.clock_offset = kOffset + 5s;
  EXPECT_TRUE(started(snapshot).clock().confirmed());
  EXPECT_EQ(started(snapshot).clock().at(kStart.boot), kT0 + 5s);
  EXPECT_FALSE(started(snapshot, BootId{8}).clock().confirmed()) << "of another boot";
  snapshot.meta.clock_boot = {};
  EXPECT_FALSE(started(snapshot, BootId{}).clock().confirmed()) << "no boot has a name";
}

TEST(LearnedTest, WithoutADoubtEveryLaneIsLetThrough) {
  Learned learned = started();
  confirm(learned);
  for (const Lane lane : kLanes) EXPECT_TRUE(learned.lets_through(lane, true, kStart.boot));
}

TEST(LearnedTest, P1InDoubtOneCallAtATimeBringsTokensAtADistance) {
  Learned learned = in_doubt();
  ASSERT_TRUE(learned.clock().doubted());
  const auto lets_through = [&learned](Lane lane, bool asked, Duration later) {
    return learned.lets_through(lane, asked, kStart.boot + later);
  };
  EXPECT_TRUE(lets_through(Lane::kRefresh, false, 0s));
  EXPECT_FALSE(lets_through(Lane::kRefresh, true, 0s)) << "its reply settles the doubt";
  learned.opened(CallKind::kRefresh, kStart.boot);
  EXPECT_FALSE(lets_through(Lane::kWaiting, false, 5s - 1ms));
  EXPECT_TRUE(lets_through(Lane::kWaiting, false, 5s));
  EXPECT_TRUE(lets_through(Lane::kRevocation, true, 0s)) << "it brings no token";
  EXPECT_TRUE(lets_through(Lane::kSuperseded, true, 0s));
}

TEST(LearnedTest, InDoubtACallThatBringsTokensSetsWhenTheNextOneMayGo) {
  Learned doubting = in_doubt();
  doubting.opened(CallKind::kRevokeAccess, kStart.boot);
  EXPECT_EQ(doubting.time_probe_at(), BootTime{}) << "it brings no token";
  doubting.opened(CallKind::kIssue, kStart.boot);
  EXPECT_EQ(doubting.time_probe_at(), kStart.boot + 5s);

  Learned certain = started();
  confirm(certain);
  certain.opened(CallKind::kIssue, kStart.boot);
  EXPECT_EQ(certain.time_probe_at(), BootTime{});
}

TEST(LearnedTest, P1AfterARebootCircleIsAskedForItsTimeUntilAReplyTellsIt) {
  Learned learned = started();
  EXPECT_TRUE(learned.wants_time_probe(false, false));
  EXPECT_FALSE(learned.wants_time_probe(false, true)) << "a reply is on its way";
  EXPECT_FALSE(started({}, BootId{}).wants_time_probe(false, false)) << "no boot is known";
  confirm(learned);
  EXPECT_FALSE(learned.wants_time_probe(false, false));
}

TEST(LearnedTest, P1InDoubtCircleIsAskedForItsTimeUnlessACallIsOnItsWay) {
  const Learned learned = in_doubt();
  EXPECT_TRUE(learned.wants_time_probe(false, true)) << "that call was sent before the doubt";
  EXPECT_FALSE(learned.wants_time_probe(true, true));
}

TEST(LearnedTest, ProbesOfTheTimeAreHalfAMinuteApart) {
  Learned learned = started();
  learned.probed_time(kStart.boot);
  EXPECT_EQ(learned.time_probe_at(), kStart.boot + 30s);
}

TEST(LearnedTest, P1ANewDoubtWaitsForNoEarlierProbe) {
  Learned learned = started();
  learned.probed_time(kStart.boot);  // in vain: nobody has a token
  confirm(learned);
  learned.clock().look({.wall = kT0 + 1h, .boot = kStart.boot});
  ASSERT_TRUE(learned.clock().doubted());
  EXPECT_TRUE(learned.lets_through(Lane::kWaiting, false, kStart.boot));
  EXPECT_LE(learned.time_probe_at(), kStart.boot);
  learned.probed_time(kStart.boot);
  EXPECT_EQ(learned.time_probe_at(), kStart.boot + 30s) << "again in vain";
  EXPECT_TRUE(learned.lets_through(Lane::kWaiting, false, kStart.boot)) << "this one can tell";
  learned.opened(CallKind::kIssue, kStart.boot);
  EXPECT_EQ(learned.time_probe_at(), kStart.boot + 5s);
  learned.clock().look({.wall = kT0 + 3h, .boot = kStart.boot});
  EXPECT_EQ(learned.time_probe_at(), kStart.boot + 5s) << "P7: set again and again";
  EXPECT_FALSE(learned.lets_through(Lane::kWaiting, false, kStart.boot + 5s - 1ms));
}

// --- The tokens' life ---

TEST(LearnedTest, P3ALostPairIsInDoubtAsLongAsTheLongestRefreshToken) {
  Learned learned = started();
  EXPECT_EQ(learned.doubt_length(CallKind::kIssue), days{31});
  learned.note_life(refresh(days{2}));
  EXPECT_EQ(learned.doubt_length(CallKind::kIssue), days{31}) << "it may have been an old one";
  learned.note_life(refresh(days{60}));
  learned.note_life(refresh(days{40}));
  EXPECT_EQ(learned.doubt_length(CallKind::kIssue), days{60});
}

TEST(LearnedTest, P3ALostRefreshIsInDoubtAsLongAsTheLongestAccessToken) {
  Learned learned = started();
  EXPECT_EQ(learned.doubt_length(CallKind::kRefresh), 1h);
  learned.note_life(access(1min));
  learned.note_life(refresh(days{60}));
  EXPECT_EQ(learned.doubt_length(CallKind::kRefresh), 1h);
  learned.note_life(access(3h));
  EXPECT_EQ(learned.doubt_length(CallKind::kRefresh), 3h);
}

TEST(LearnedTest, P3ARefreshThatBroughtARefreshTokenLengthensTheDoubtOfALostRefresh) {
  Learned learned = started();
  Refreshed both = test::refreshed("access-2", kT0 + 1h);
  EXPECT_FALSE(learned.note_rotation_of_refresh(both)) << "no new refresh token in it";
  EXPECT_FALSE(learned.note_rotation_of_refresh(test::issued("access-2", "refresh-2", kT0)));
  EXPECT_EQ(learned.doubt_length(CallKind::kRefresh), 1h);

  both.refresh = NewRefreshToken{.value = make_secret("refresh-2"), .expires_at = {}};
  EXPECT_TRUE(learned.note_rotation_of_refresh(both));
  EXPECT_FALSE(learned.note_rotation_of_refresh(both)) << "the first one is news";
  EXPECT_EQ(learned.doubt_length(CallKind::kRefresh), days{31});
  Snapshot snapshot;
  snapshot.meta.refresh_rotates = true;
  EXPECT_EQ(started(snapshot).doubt_length(CallKind::kRefresh), days{31}) << "as it is on record";
}

TEST(LearnedTest, P3ASupersededTokenOnRecordTellsOnlyHowLongADoubtLasts) {
  Learned learned = started();
  Token old = access(5h);
  old.status = TokenStatus::kSuperseded;
  learned.recall(old);
  EXPECT_EQ(learned.facts().access_lifetime, 1h);
  EXPECT_EQ(learned.doubt_length(CallKind::kRefresh), 5h);
}

TEST(LearnedTest, OfTheAccessTokensOnRecordTheLongestTellsTheLife) {
  Learned learned = started();
  learned.recall(access(20min));
  EXPECT_EQ(learned.facts().access_lifetime, 20min) << "shorter than documented";
  learned.recall(access(10min));
  EXPECT_EQ(learned.facts().access_lifetime, 20min) << "it may have been issued late in its life";
}

TEST(LearnedTest, OfTheRefreshTokensOnRecordTheLongestTellsTheLife) {
  Learned learned = started();
  learned.recall(refresh(days{40}));
  learned.recall(refresh(days{2}));
  EXPECT_EQ(learned.facts().refresh_lifetime, days{40});
}

// A call brought this access token in time, as the engine tells it.
Learned::Lesson learn(Learned& learned, CallKind kind, const Token& token) {
  learned.note_life(token);
  return learned.learn(kind, Progress::kRotated, false, &token, nullptr, kT0);
}

TEST(LearnedTest, AnIssueNeverShortensALifeThatWasSeenAndARefreshDoes) {
  Learned learned = started();
  EXPECT_FALSE(learned.facts().access_lifetime_seen);
  EXPECT_TRUE(learn(learned, CallKind::kIssue, access(40min)).cost_changed);
  EXPECT_TRUE(learned.facts().access_lifetime_seen);
  EXPECT_EQ(learned.facts().access_lifetime, 40min) << "shorter than documented: the first seen";
  learn(learned, CallKind::kIssue, access(30min));
  EXPECT_EQ(learned.facts().access_lifetime, 40min) << "Circle may hand out an old one";
  learn(learned, CallKind::kIssue, access(50min));
  EXPECT_EQ(learned.facts().access_lifetime, 50min);
  learn(learned, CallKind::kRefresh, access(20min));
  EXPECT_EQ(learned.facts().access_lifetime, 20min);
}

TEST(LearnedTest, OnlyAnotherLifeChangesWhatAMemberCosts) {
  Learned learned = started();
  EXPECT_TRUE(learn(learned, CallKind::kRefresh, access(30min)).cost_changed);
  EXPECT_FALSE(learn(learned, CallKind::kRefresh, access(30min)).cost_changed);
  EXPECT_FALSE(learn(learned, CallKind::kIssue, access(20min)).cost_changed) << "not believed";
  EXPECT_TRUE(learn(learned, CallKind::kRefresh, access(20min)).cost_changed) << "shorter";
  EXPECT_TRUE(learn(learned, CallKind::kIssue, access(40min)).cost_changed) << "longer";
}

TEST(LearnedTest, ATokenWithoutAnyLifeTeachesNothing) {
  Learned learned = started();
  learn(learned, CallKind::kRefresh, access(0s));
  EXPECT_EQ(learned.facts().access_lifetime, 1h);
  EXPECT_FALSE(learned.facts().access_lifetime_seen);
}

TEST(LearnedTest, ALifeThatHasNoRoomForRefreshAheadAnyMoreIsToldOnce) {
  Learned learned = started();  // refresh_ahead is ten minutes
  EXPECT_FALSE(learn(learned, CallKind::kRefresh, access(30min)).shorter_than_ahead);
  EXPECT_TRUE(learn(learned, CallKind::kRefresh, access(8min)).shorter_than_ahead);
  EXPECT_FALSE(learn(learned, CallKind::kRefresh, access(8min)).shorter_than_ahead);
  EXPECT_FALSE(learn(learned, CallKind::kRefresh, access(9min)).shorter_than_ahead) << "longer";
}

TEST(LearnedTest, ThePairsLifeIsTheLongestSeen) {
  Learned learned = started();
  const Token first = refresh(days{10});
  learned.note_life(first);
  learned.learn(CallKind::kIssue, Progress::kRotated, false, nullptr, &first, kT0);
  EXPECT_EQ(learned.facts().refresh_lifetime, days{10}) << "shorter than documented";
  const Token second = refresh(days{9});
  learned.note_life(second);
  const auto lesson =
      learned.learn(CallKind::kIssue, Progress::kRotated, false, nullptr, &second, kT0);
  EXPECT_EQ(learned.facts().refresh_lifetime, days{10}) << "it may be some time old";
  EXPECT_FALSE(lesson.cost_changed) << "no access token came";
}

// --- Early refreshes ---

Snapshot early_probe_on_record(WallTime probe_at, bool useless) {
  Snapshot snapshot;
  snapshot.meta.early_refresh_useless = useless;
  snapshot.meta.early_probe_at = probe_at;
  return snapshot;
}

Learned::Lesson learn_early(Learned& learned, Progress progress, WallTime circle,
                            CallKind kind = CallKind::kRefresh, bool was_early = true) {
  const Token token = access(1h);
  return learned.learn(kind, progress, was_early, &token, nullptr, circle);
}

TEST(LearnedTest, AnEarlyRefreshThatBringsTheSameTokenIsOfNoUse) {
  Learned learned = started();
  const auto lesson = learn_early(learned, Progress::kSame, kT0);
  EXPECT_EQ(lesson.early_useless, true);
  EXPECT_EQ(lesson.probe_early_at, kT0 + days{1});
  EXPECT_TRUE(lesson.cost_changed) << "each member costs other calls";
  EXPECT_TRUE(learned.facts().early_refresh_useless);
  EXPECT_EQ(learned.facts().early_probe_at, kT0 + days{1});

  const auto again = learn_early(learned, Progress::kSame, kT0 + days{1});
  EXPECT_FALSE(again.early_useless) << "no change";
  EXPECT_FALSE(again.cost_changed);
  EXPECT_EQ(again.probe_early_at, kT0 + days{2});
}

TEST(LearnedTest, AnEarlyRefreshThatBringsANewTokenIsOfUse) {
  Learned learned = started(early_probe_on_record(kT0, true));
  const auto lesson = learn_early(learned, Progress::kRotated, kT0);
  EXPECT_EQ(lesson.early_useless, false);
  EXPECT_FALSE(lesson.probe_early_at);
  EXPECT_FALSE(learned.facts().early_refresh_useless);
  EXPECT_FALSE(learn_early(learned, Progress::kRotated, kT0).early_useless) << "no change";
}

TEST(LearnedTest, OnlyAnEarlyRefreshTellsWhetherItIsOfUse) {
  Learned learned = started();
  learn_early(learned, Progress::kSame, kT0, CallKind::kIssue);
  learn_early(learned, Progress::kSame, kT0, CallKind::kRefresh, false);
  EXPECT_FALSE(learned.facts().early_refresh_useless);
}

TEST(LearnedTest, WhereEarlyRefreshesAreOfNoUseOneADayIsTheProbe) {
  Learned learned = started(early_probe_on_record(kT0, true));
  const Token token = access(1h);
  const auto probe_at_after = [&learned](const Token* replaced, WallTime circle) {
    learned.note_early_refresh(replaced, circle);
    return learned.facts().early_probe_at;
  };
  EXPECT_EQ(probe_at_after(nullptr, kT0), kT0) << "there is no token";
  EXPECT_EQ(probe_at_after(&token, kT0 - 1ms), kT0) << "not due yet";
  EXPECT_EQ(probe_at_after(&token, token.expires_at - kEarlyMin), kT0) << "not early";
  EXPECT_EQ(probe_at_after(&token, kT0), kT0 + days{1});
  EXPECT_EQ(probe_at_after(&token, kT0 + 1min), kT0 + days{1}) << "the day's only one";

  Learned of_use = started(early_probe_on_record(kT0, false));
  of_use.note_early_refresh(&token, kT0);
  EXPECT_EQ(of_use.facts().early_probe_at, kT0) << "no probe is needed";
}

TEST(LearnedTest, WithoutOneOnRecordTheFirstEarlyProbeIsADayAway) {
  EXPECT_EQ(started().facts().early_probe_at, kT0 + days{1});
}

TEST(LearnedTest, AfterTheClockMovedTheNextEarlyProbeIsADayAwayAtMost) {
  Learned learned = started(early_probe_on_record(kT0 + days{300}, false));
  EXPECT_EQ(learned.facts().early_probe_at, kT0 + days{300});
  learned.clock_moved(kT0);  // it was set by a clock that was off
  EXPECT_EQ(learned.facts().early_probe_at, kT0 + days{1});
  learned.clock_moved(kT0 + 1h);
  EXPECT_EQ(learned.facts().early_probe_at, kT0 + days{1}) << "never later";
}

}  // namespace
}  // namespace rota

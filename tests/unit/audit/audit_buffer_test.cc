#include "audit/audit_buffer.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <malloc.h>

#include <numeric>

namespace rota {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kRows = 64;

Now at(Duration since_start) {
  return {.wall = WallTime{std::chrono::hours{480'000}} + since_start,
          .boot = BootTime{std::chrono::hours{1}} + since_start};
}

AuditKey fetch(std::uint32_t uid, std::int32_t pid, std::int64_t member = 1, Fingerprint token = 9,
               std::uint32_t gid = 60) {
  return {.event = AuditEvent::kTokenFetched,
          .member = MemberId{member},
          .token = token,
          .caller = {.uid = uid, .gid = gid, .pid = pid}};
}

// "uid/gid/pid member token xCOUNT", unknown parts as "-".
std::string text_of(const AuditNote& note) {
  const AuditCaller& caller = note.key.caller;
  const auto part = [](auto value, auto unknown) {
    return value == unknown ? std::string("-") : fmt::to_string(value);
  };
  return fmt::format("{}/{}/{} {} {} x{}", part(caller.uid, AuditCaller::kNoId),
                     part(caller.gid, AuditCaller::kNoId), part(caller.pid, 0),
                     part(std::to_underlying(note.key.member), 0), part(note.key.token, 0U),
                     note.count);
}
std::vector<std::string> texts(const std::vector<AuditNote>& notes) {
  std::vector<std::string> all;
  for (const AuditNote& note : notes) all.push_back(text_of(note));
  return all;
}
std::uint64_t sum(const std::vector<AuditNote>& notes) {
  return std::accumulate(notes.begin(), notes.end(), std::uint64_t{0},
                         [](std::uint64_t all, const AuditNote& note) { return all + note.count; });
}

TEST(AuditBuffer, CountsWhatIsTheSameAndKeepsApartWhatIsNot) {
  AuditBuffer buffer(kRows);
  buffer.add(fetch(5, 700), at(Duration{1})).member = "id:1";
  buffer.add(fetch(5, 701), at(Duration{2}));
  buffer.add(fetch(5, 700), at(Duration{3}));
  buffer.add(fetch(5, 700, 2), at(Duration{4}));
  buffer.add(fetch(5, 700, 1, 10), at(Duration{4}));
  EXPECT_EQ(buffer.fresh(), 4U);

  const auto notes = buffer.take(at(Duration{5}).boot);
  EXPECT_THAT(texts(notes), ElementsAre("5/60/700 1 9 x2", "5/60/701 1 9 x1", "5/60/700 2 9 x1",
                                        "5/60/700 1 10 x1"));
  EXPECT_EQ(notes[0].member, "id:1");
  EXPECT_EQ(notes[0].at, at(Duration{1}).wall);
  EXPECT_EQ(notes[0].last_at, at(Duration{3}).wall);
  EXPECT_THAT(buffer.take(at(Duration{6}).boot), IsEmpty());
}

TEST(AuditBuffer, KeepsTheClientsOfAListenerApart) {
  const auto by = [](std::string client, std::int64_t member = 1) {
    AuditKey key = fetch(AuditCaller::kNoId, 0, member, 9, AuditCaller::kNoId);
    key.caller.client = std::move(client);
    return key;
  };
  AuditBuffer buffer(kRows);
  buffer.add(by("web"), at(Duration{1}));
  buffer.add(by("shop"), at(Duration{2}));
  buffer.add(by("web"), at(Duration{3}));
  auto notes = buffer.take_all();
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].key.caller.client, "web");
  EXPECT_EQ(notes[0].count, 2U);
  EXPECT_EQ(notes[1].key.caller.client, "shop");
  // In a flood of one the other is still known, as a user would be.
  for (int member = 1; member <= 1'000; ++member) buffer.add(by("web", member), at(Duration{4}));
  buffer.add(by("shop"), at(Duration{5}));
  notes = buffer.take_all();
  ASSERT_EQ(notes.size(), 2U);
  EXPECT_EQ(notes[0].key.caller.client, "web");
  EXPECT_EQ(notes[0].count, 1'000U);
  EXPECT_EQ(notes[1].key.caller.client, "shop");
}

TEST(AuditBuffer, TellsOfRepeatsNowAndThen) {
  constexpr Duration kTick{1};
  const Duration every = AuditBuffer::kRepeatEvery;
  AuditBuffer buffer(kRows);
  buffer.add(fetch(5, 700), at(Duration{0}));
  EXPECT_EQ(sum(buffer.take(at(Duration{0}).boot)), 1U);
  for (int i = 1; i <= 1'000; ++i) buffer.add(fetch(5, 700), at(Duration{i}));
  EXPECT_EQ(buffer.fresh(), 0U);
  EXPECT_EQ(buffer.repeated(), 1U);
  // Looked for every minute, and due after ten.
  EXPECT_THAT(buffer.take(at(AuditBuffer::kSweepEvery).boot), IsEmpty());
  EXPECT_THAT(buffer.take(at(every - kTick).boot), IsEmpty());
  const auto notes = buffer.take(at(every + AuditBuffer::kSweepEvery).boot);
  EXPECT_THAT(texts(notes), ElementsAre("5/60/700 1 9 x1000"));
  EXPECT_EQ(notes[0].at, at(Duration{1}).wall);
  EXPECT_EQ(notes[0].last_at, at(Duration{1'000}).wall);
  EXPECT_EQ(buffer.repeated(), 0U);
  // Once nothing came for as long, it is forgotten.
  EXPECT_EQ(buffer.size(), 1U);
  EXPECT_THAT(buffer.take(at(every * 3).boot), IsEmpty());
  EXPECT_EQ(buffer.size(), 0U);
}

TEST(AuditBuffer, GivesBackWhatCouldNotBeWritten) {
  AuditBuffer buffer(kRows);
  buffer.add(fetch(5, 700), at(Duration{1})).member = "id:1";
  auto notes = buffer.take(at(Duration{2}).boot);
  buffer.add(fetch(5, 700), at(Duration{3}));
  buffer.put_back(std::move(notes));
  EXPECT_EQ(buffer.fresh(), 1U);
  EXPECT_EQ(buffer.repeated(), 0U);
  notes = buffer.take(at(Duration{4}).boot);
  EXPECT_THAT(texts(notes), ElementsAre("5/60/700 1 9 x2"));
  EXPECT_EQ(notes[0].at, at(Duration{1}).wall);
  EXPECT_EQ(notes[0].last_at, at(Duration{3}).wall);
  EXPECT_EQ(notes[0].member, "id:1");
}

TEST(AuditBuffer, FoldsPidsFirst) {
  AuditBuffer buffer(kRows);
  for (int pid = 1; pid <= 1'000; ++pid) buffer.add(fetch(5, pid), at(Duration{pid}));
  buffer.add(fetch(6, 1, 2), at(Duration{2'000}));
  EXPECT_EQ(buffer.size(), 2U);
  EXPECT_THAT(texts(buffer.take(at(Duration{3'000}).boot)),
              ElementsAre("5/60/- 1 9 x1000", "6/60/- 2 9 x1"));
  EXPECT_EQ(buffer.folded(), 1'001U);
  // With room again it is exact again.
  buffer.add(fetch(6, 1, 2), at(Duration{4'000}));
  EXPECT_THAT(texts(buffer.take(at(Duration{5'000}).boot)), ElementsAre("6/60/1 2 9 x1"));
  EXPECT_EQ(buffer.folded(), 1'001U);
}

TEST(AuditBuffer, AUserThatForksForEachFetchGetsNoRowsWithoutEnd) {
  constexpr std::size_t kMost = AuditBuffer::kRowsOfOneUser;
  AuditBuffer buffer(kMost * 2);
  for (int pid = 1; pid <= 50'000; ++pid) buffer.add(fetch(5, pid), at(Duration{pid}));
  buffer.add(fetch(6, 1), at(Duration{50'001}));
  EXPECT_EQ(buffer.size(), kMost + 2);
  EXPECT_EQ(buffer.folded(), 50'000U - kMost);
  const auto notes = buffer.take(at(Duration{50'002}).boot);
  EXPECT_EQ(text_of(notes.front()), "5/60/1 1 9 x1");
  EXPECT_EQ(text_of(notes.at(kMost)), fmt::format("5/60/- 1 9 x{}", 50'000 - kMost));
  EXPECT_EQ(text_of(notes.back()), "6/60/1 1 9 x1");
  // Neither when they are taken: the next ones are told every ten minutes.
  for (int pid = 60'000; pid < 61'000; ++pid) buffer.add(fetch(5, pid), at(Duration{pid}));
  EXPECT_EQ(buffer.fresh(), 0U);
  // Those that were quiet are forgotten, and it is exact again.
  const Duration quiet = std::chrono::hours{1};
  buffer.take(at(quiet).boot);
  buffer.take(at(quiet * 2).boot);
  buffer.add(fetch(5, 70'000), at(quiet * 2));
  EXPECT_THAT(texts(buffer.take(at(quiet * 2).boot)), ElementsAre("5/60/70000 1 9 x1"));
}

TEST(AuditBuffer, GivesNoMoreThanIsAskedForAndTheRestLater) {
  AuditBuffer buffer(kRows);
  for (int pid = 1; pid <= 5; ++pid) buffer.add(fetch(5, pid), at(Duration{pid}));
  EXPECT_THAT(texts(buffer.take(at(Duration{6}).boot, 2)),
              ElementsAre("5/60/1 1 9 x1", "5/60/2 1 9 x1"));
  EXPECT_EQ(buffer.fresh(), 3U);
  EXPECT_THAT(texts(buffer.take(at(Duration{7}).boot, 9)),
              ElementsAre("5/60/3 1 9 x1", "5/60/4 1 9 x1", "5/60/5 1 9 x1"));
}

TEST(AuditBuffer, FoldsGidsThenTokensThenMembersAndTheUserLast) {
  struct Flood {
    const char* of;
    AuditKey (*key)(int);
    std::vector<std::string> wanted;
  };
  const Flood floods[] = {
      {"groups",
       [](int i) { return fetch(5, 1, 1, 9, static_cast<std::uint32_t>(i)); },
       {"5/-/- 1 9 x1000"}},
      {"tokens",
       [](int i) { return fetch(5, 1, 1, static_cast<Fingerprint>(i)); },
       {"5/-/- 1 - x1000"}},
      {"members",
       [](int i) { return fetch(5, 1, i, static_cast<Fingerprint>(i)); },
       {"5/-/- - - x1000"}},
      {"users", [](int i) { return fetch(static_cast<std::uint32_t>(i), 1); }, {"-/-/- - - x1000"}},
  };
  for (const Flood& flood : floods) {
    SCOPED_TRACE(flood.of);
    AuditBuffer buffer(kRows);
    for (int i = 1; i <= 1'000; ++i) {
      AuditNote& note = buffer.add(flood.key(i), at(Duration{i}));
      if (note.key.member != MemberId{}) note.member = "id:1";
    }
    const auto notes = buffer.take_all();
    EXPECT_EQ(texts(notes), flood.wanted);
    EXPECT_EQ(notes[0].member.empty(), notes[0].key.member == MemberId{});
    EXPECT_EQ(buffer.folded(), 1'000U);
  }
}

// Whatever comes, is taken, fails and comes back: nothing is lost, and there are never more rows.
TEST(AuditBuffer, KeepsTheSumOfACrowdWithinItsBounds) {
  AuditBuffer buffer(kRows);
  std::uint64_t given = 0;
  std::uint64_t noted = 0;
  std::uint64_t random = 1;
  const auto below = [&random](std::uint64_t limit) {
    random = random * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return (random >> 33U) % limit;
  };
  for (int step = 0; step < 50'000; ++step) {
    const Now now = at(Duration{step * 100});
    buffer.add(fetch(static_cast<std::uint32_t>(below(3)), static_cast<std::int32_t>(below(40)),
                     static_cast<std::int64_t>(1 + below(30)), 1 + below(3)),
               now);
    ++noted;
    ASSERT_LE(buffer.size(), kRows);
    if (below(50) != 0) continue;
    auto notes = buffer.take(now.boot);
    if (below(2) == 0) {
      buffer.put_back(std::move(notes));
      ASSERT_LE(buffer.size(), kRows);
    } else {
      given += sum(notes);
    }
  }
  EXPECT_EQ(given + sum(buffer.take_all()), noted);
}

// The hash takes the token and the member together, so these have the same.
TEST(AuditBuffer, KeysOfOneHashStayApart) {
  AuditBuffer buffer(kRows);
  buffer.add(fetch(5, 700, 2, 1), at(Duration{1}));
  buffer.add(fetch(5, 700, 1, 2), at(Duration{2}));
  buffer.add(fetch(5, 700, 3, 0), at(Duration{3}));
  buffer.add(fetch(5, 700, 1, 2), at(Duration{4}));
  EXPECT_THAT(texts(buffer.take(at(Duration{5}).boot)),
              ElementsAre("5/60/700 2 1 x1", "5/60/700 1 2 x2", "5/60/700 3 - x1"));
  // Of what was taken only the hash is left, so others of that hash wait as repeats do.
  buffer.add(fetch(5, 700, 0, 3), at(Duration{6}));
  buffer.add(fetch(5, 700, 2, 1), at(Duration{7}));
  EXPECT_EQ(buffer.repeated(), 2U);
  const auto later = AuditBuffer::kRepeatEvery + AuditBuffer::kSweepEvery;
  EXPECT_THAT(texts(buffer.take(at(later).boot)),
              ElementsAre("5/60/700 - 3 x1", "5/60/700 2 1 x1"));
}

// An hour's refreshes of many members are remembered for ten minutes each.
TEST(AuditBuffer, RemembersWhatWasTakenInLittleMemory) {
  constexpr std::size_t kMany = 20'000;
  constexpr std::size_t kBytesMax = 100;
  AuditBuffer buffer(kMany);
  const std::size_t before = ::mallinfo2().uordblks;
  for (std::size_t i = 1; i <= kMany; ++i) {
    AuditKey key = fetch(5, 700, static_cast<std::int64_t>(i), i << 32U);
    key.detail = "longer than what a string has room for in itself";
    buffer.add(key, at(Duration{1})).member = "email:somebody.with.a.long.name@example.com";
  }
  EXPECT_EQ(buffer.take(at(Duration{2}).boot).size(), kMany);
  EXPECT_EQ(buffer.size(), kMany);
  EXPECT_LE(::mallinfo2().uordblks - before, kMany * kBytesMax);
}

TEST(AuditBuffer, WhatWasTakenMakesRoomBeforeAnythingIsFolded) {
  AuditBuffer buffer(kRows);
  for (int round = 0; round < 100; ++round) {
    const Now now = at(Duration{round});
    for (int pid = 1; pid <= 32; ++pid) buffer.add(fetch(5, round * 32 + pid), now);
    EXPECT_EQ(buffer.take(now.boot).size(), 32U);
  }
  EXPECT_EQ(buffer.folded(), 0U);
  EXPECT_LE(buffer.size(), kRows);
}

}  // namespace
}  // namespace rota

// The audit trail, as every store keeps it.

#include <gmock/gmock.h>

#include "contract/store_harness.h"

namespace rota {
namespace {

using testing::at;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Duration kDay = std::chrono::days{1};

AuditNote note(std::int64_t millis, AuditEvent event = AuditEvent::kTokenFetched,
               std::string member = "id:42", Fingerprint token = 7) {
  return {.key = {.event = event,
                  .member = MemberId{1},
                  .token = token,
                  .caller = {.uid = 5, .gid = 60, .pid = 700},
                  .detail = {}},
          .member = std::move(member),
          .at = at(millis),
          .last_at = at(millis + 10),
          .count = 3};
}

template <class Harness>
class AuditContract : public testing::StoreTest<Harness> {
 protected:
  TokenStore& store() { return this->harness_.store(); }
  void append(const std::vector<AuditNote>& notes, const AuditBounds& bounds = {},
              std::optional<WallTime> now = at(0)) {
    const auto done = store().append_audit(notes, bounds, now);
    ASSERT_TRUE(done) << done.error().message;
  }
  AuditPage read(const AuditQuery& query = {}) {
    auto page = store().read_audit(query);
    EXPECT_TRUE(page) << page.error().message;
    return page.value_or(AuditPage{});
  }
  // The times of what is there, which are all different in these tests.
  std::vector<std::int64_t> times(const AuditQuery& query = {.limit = 100'000}) {
    std::vector<std::int64_t> times;
    for (const AuditEntry& entry : read(query).entries) {
      times.push_back(entry.at.time_since_epoch().count());
    }
    return times;
  }
};
TYPED_TEST_SUITE(AuditContract, testing::Harnesses, testing::HarnessNames);

TYPED_TEST(AuditContract, AnEntryComesBackWithAllItsFieldsAfterARestart) {
  AuditNote full = note(1'000);
  full.key.detail = "a 'quoted' word";
  full.key.caller.client = "shop";
  AuditNote bare{.key = {.event = AuditEvent::kStopped}, .at = at(2'000), .last_at = at(2'000)};
  this->append({full, bare});
  this->harness_.reopen();

  const AuditPage page = this->read();
  ASSERT_THAT(page.entries, SizeIs(2));
  const AuditEntry& first = page.entries[0];
  EXPECT_EQ(first.id, 1);
  EXPECT_EQ(first.at, at(1'000));
  EXPECT_EQ(first.last_at, at(1'010));
  EXPECT_EQ(first.count, 3U);
  EXPECT_EQ(first.event, AuditEvent::kTokenFetched);
  EXPECT_EQ(first.member, "id:42");
  EXPECT_EQ(first.caller, (AuditCaller{.uid = 5, .gid = 60, .pid = 700, .client = "shop"}));
  EXPECT_EQ(first.detail, "a 'quoted' word");
  EXPECT_THAT(first.token, SizeIs(16));
  const AuditEntry& second = page.entries[1];
  EXPECT_EQ(second.id, 2);
  EXPECT_EQ(second.event, AuditEvent::kStopped);
  EXPECT_EQ(second.member, "");
  EXPECT_EQ(second.caller, AuditCaller{});
  EXPECT_EQ(second.token, "");
  EXPECT_EQ(page.next, std::nullopt);
}

TYPED_TEST(AuditContract, EveryEventComesBack) {
  std::vector<AuditNote> notes;
  for (const AuditEvent event : kAuditEvents) notes.push_back(note(1'000, event));
  this->append(notes);
  std::vector<AuditEvent> events;
  for (const AuditEntry& entry : this->read().entries) events.push_back(entry.event);
  EXPECT_THAT(events, ElementsAreArray(kAuditEvents));
}

TYPED_TEST(AuditContract, ATokenIsNamedByWhatIsNotItsFingerprint) {
  this->append({note(1), note(2), note(3, AuditEvent::kTokenFetched, "id:42", 8)});
  const auto entries = this->read().entries;
  ASSERT_THAT(entries, SizeIs(3));
  EXPECT_EQ(entries[0].token, entries[1].token);
  EXPECT_NE(entries[0].token, entries[2].token);
  EXPECT_NE(entries[0].token, format_fingerprint(7));
}

TYPED_TEST(AuditContract, PagesLeadThroughAll) {
  for (std::int64_t i = 1; i <= 5; ++i) this->append({note(i)});
  EXPECT_THAT(this->times({.after = 0, .limit = 2}), ElementsAre(1, 2));
  EXPECT_EQ(this->read({.after = 0, .limit = 2}).next, 2);
  EXPECT_THAT(this->times({.after = 4, .limit = 2}), ElementsAre(5));
  EXPECT_EQ(this->read({.after = 4, .limit = 2}).next, std::nullopt);
  EXPECT_THAT(this->times({.after = 5}), IsEmpty());
}

TYPED_TEST(AuditContract, IsReadByTimeMemberAndToken) {
  this->append({note(1'000, AuditEvent::kTokenIssued, "id:1", 7),
                note(2'000, AuditEvent::kTokenFetched, "email:a@b.example", 8),
                note(3'000, AuditEvent::kTokenFetched, "id:3", 9)});
  // One that was so until a time was so at that time.
  EXPECT_THAT(this->times({.since = at(2'010)}), ElementsAre(2'000, 3'000));
  EXPECT_THAT(this->times({.since = at(2'011)}), ElementsAre(3'000));
  EXPECT_THAT(this->times({.members = {"id:1", "id:3"}}), ElementsAre(1'000, 3'000));
  EXPECT_THAT(this->times({.members = {"id:9"}}), IsEmpty());
  EXPECT_THAT(this->times({.token = 8}), ElementsAre(2'000));
}

TYPED_TEST(AuditContract, AReadThatFindsLittleStillLeadsToTheEnd) {
  std::vector<AuditNote> notes;
  for (std::int64_t i = 1; i <= 6'000; ++i) notes.push_back(note(i));
  notes.back().member = "id:77";
  this->append(notes);
  AuditQuery query{.members = {"id:77"}};
  std::size_t found = 0;
  int pages = 0;
  for (std::optional<std::int64_t> after = 0; after; ++pages) {
    query.after = *after;
    const AuditPage page = this->read(query);
    found += page.entries.size();
    after = page.next;
    ASSERT_LT(pages, 10);
  }
  EXPECT_EQ(found, 1U);
}

TYPED_TEST(AuditContract, TheOldestGoWhenThereAreTooMany) {
  for (std::int64_t i = 1; i <= 5; ++i) this->append({note(i)}, {.rows_max = 3});
  EXPECT_THAT(this->times(), ElementsAre(3, 4, 5));
  // No id is given again.
  EXPECT_EQ(this->read().entries.back().id, 5);
}

TYPED_TEST(AuditContract, WhatComesOftenPushesOutItsOwnKindOnly) {
  const AuditBounds bounds{.rows_max = 2};
  this->append({note(1, AuditEvent::kRevokeAsked), note(2, AuditEvent::kTokenRevoked)}, bounds);
  for (std::int64_t i = 3; i <= 9; ++i) this->append({note(i)}, bounds);
  EXPECT_THAT(this->times(), ElementsAre(1, 2, 8, 9));
  this->append({note(10, AuditEvent::kTokenIssued), note(11, AuditEvent::kPairRenewed)}, bounds);
  EXPECT_THAT(this->times(), ElementsAre(1, 8, 9, 10, 11));
  this->append({note(12, AuditEvent::kStopped), note(13, AuditEvent::kStarted)}, bounds);
  EXPECT_THAT(this->times(), ElementsAre(8, 9, 10, 11, 12, 13));
  // Members who come, log out and leave may be as many as tokens, and so may be the clients'
  // orders.
  this->append({note(14, AuditEvent::kEnrolled), note(15, AuditEvent::kEnrolmentEnded)}, bounds);
  EXPECT_THAT(this->times(), ElementsAre(8, 9, 12, 13, 14, 15));
  this->append({note(16, AuditEvent::kSignedOut), note(17, AuditEvent::kHandleRevoked)}, bounds);
  EXPECT_THAT(this->times(), ElementsAre(8, 9, 12, 13, 16, 17));
  this->append({note(18, AuditEvent::kSignOutAsked), note(19, AuditEvent::kHandleRevokeAsked)},
               bounds);
  EXPECT_THAT(this->times(), ElementsAre(8, 9, 12, 13, 18, 19));
  this->append({note(20, AuditEvent::kEnrolAsked), note(21, AuditEvent::kEnrolmentEndAsked)},
               bounds);
  EXPECT_THAT(this->times(), ElementsAre(8, 9, 12, 13, 20, 21));
  this->append({note(22, AuditEvent::kRemovalsLiftAsked), note(23, AuditEvent::kRemovalsLimited)},
               bounds);
  EXPECT_THAT(this->times(), ElementsAre(8, 9, 20, 21, 22, 23));
  this->append({note(24, AuditEvent::kTokenRevokeAsked), note(25, AuditEvent::kTokenRevokeAsked)},
               bounds);
  EXPECT_THAT(this->times(), ElementsAre(8, 9, 22, 23, 24, 25));
}

TYPED_TEST(AuditContract, TheOldestGoWhenTheyAreTooOld) {
  const AuditBounds bounds{.keep = kDay};
  this->append({note(1'000), note(2'000)}, bounds, at(2'000));
  const WallTime first_ends = at(1'010) + kDay;
  this->append({note(3'000)}, bounds, first_ends);
  EXPECT_THAT(this->times(), ElementsAre(1'000, 2'000, 3'000));
  this->append({note(4'000)}, bounds, first_ends + Duration{1});
  EXPECT_THAT(this->times(), ElementsAre(2'000, 3'000, 4'000));
  this->append({}, bounds, at(9'000) + kDay);
  EXPECT_THAT(this->times(), IsEmpty());
  this->harness_.reopen();
  this->append({note(5'000)}, bounds, at(5'000));
  EXPECT_EQ(this->read().entries.at(0).id, 5);
}

// A clock that is far ahead for a moment.
TYPED_TEST(AuditContract, OneAppendTakesNoMoreThanADayByAge) {
  const AuditBounds bounds{.keep = kDay};
  for (int day = 0; day < 5; ++day) {
    this->append({note(1'000 + day * kDay.count())}, bounds, std::nullopt);
  }
  const WallTime ahead = at(0) + 1'000 * kDay;
  this->append({}, bounds, std::nullopt);
  EXPECT_THAT(this->times(), SizeIs(5)) << "nothing goes by age without a time";
  this->append({}, bounds, ahead);
  EXPECT_THAT(this->times(), SizeIs(4));
  this->append({}, bounds, ahead);
  EXPECT_THAT(this->times(), SizeIs(3));
}

// What was noted while the clock was ahead neither stays for ever nor keeps what is behind it.
TYPED_TEST(AuditContract, AnEntryFromTheFutureHoldsNothingUp) {
  const AuditBounds bounds{.keep = kDay};
  const std::int64_t ahead = 1'000 * kDay.count();
  this->append({note(ahead), note(1'000), note(2'000), note(ahead + 1)}, bounds, std::nullopt);
  this->append({}, bounds, at(1'500) + kDay);
  EXPECT_THAT(this->times(), ElementsAre(2'000, ahead + 1));
  this->append({note(kDay.count())}, bounds, at(3'000) + kDay);
  EXPECT_THAT(this->times(), ElementsAre(ahead + 1, kDay.count()));
}

// For a reader that waits for more: it need not look at the same entries again.
TYPED_TEST(AuditContract, APageSaysHowFarItLooked) {
  EXPECT_EQ(this->read().last, 0);
  EXPECT_EQ(this->read({.after = 7}).last, 7);
  this->append({note(1), note(2, AuditEvent::kStarted), note(3)});
  const AuditPage notable = this->read({.notable = true});
  ASSERT_THAT(notable.entries, SizeIs(1));
  EXPECT_EQ(notable.entries[0].event, AuditEvent::kStarted);
  EXPECT_EQ(notable.last, 3);
  EXPECT_EQ(this->read({.after = notable.last, .notable = true}).last, 3);
  const AuditPage full = this->read({.limit = 1});
  EXPECT_EQ(full.next, 1);
  EXPECT_EQ(full.last, 1);
}

TYPED_TEST(AuditContract, IsNoPartOfWhatAStartLoads) {
  this->append({note(1)});
  EXPECT_EQ(testing::describe(Snapshot{}), testing::describe(this->reload()));
}

}  // namespace
}  // namespace rota

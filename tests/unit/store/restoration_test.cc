// What becomes of an earlier copy of the database that takes the place of the present one.

#include "store/restoration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "support/memory_store.h"
#include "support/store_rows.h"

namespace rota {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::make_call;
using testing::make_member;
using testing::make_token;

constexpr WallTime kNow{Duration{15'000}};  // the tokens of make_token() are alive

std::vector<std::string> texts(const std::vector<MemberKey>& keys) {
  std::vector<std::string> all;
  for (const MemberKey& key : keys) all.push_back(key.text());
  return all;
}

class RestorationTest : public ::testing::Test {
 protected:
  // The copy and the present database, both with member 1 and its pair; their numbers go on from
  // the same ones.
  void SetUp() override {
    const testing::Batch common{
        PutMember{make_member(1)}, PutToken{MemberId{1}, make_token(1, "access-1")},
        PutToken{MemberId{1}, make_token(2, "refresh-1", TokenKind::kRefresh)},
        PutCall{make_call(1)}, PutMeta{MetaKey::kRosterFingerprint, 5}};
    ASSERT_TRUE(copy.commit(common));
    ASSERT_TRUE(present.commit(common));
  }
  static void put(MemoryStore& store, const MemberRecord& member) {
    ASSERT_TRUE(store.commit(testing::Batch{PutMember{member}}));
  }
  static MemberRecord in_state(std::int64_t id, MemberState state) {
    MemberRecord member = make_member(id);
    member.state = state;
    return member;
  }
  static MemberRecord named(std::int64_t id, const std::string& key) {
    MemberRecord member = make_member(id);
    member.selectors.at(0).key = MemberKey::parse(key).value();
    return member;
  }
  static LoginEpoch epoch(std::uint8_t first) { return {first}; }
  LoginEpoch draw() { return epoch(++drawn); }

  // Carries over, and returns what the copy then has.
  Snapshot restored(bool same_database = true) {
    result = carry_over(copy.snapshot(), present.snapshot(), same_database, kNow,
                        [this] { return draw(); });
    const auto done = copy.commit(result.mutations);
    EXPECT_TRUE(done) << done.error().message;
    return copy.snapshot();
  }
  static const MemberRecord& member(const Snapshot& snapshot, std::int64_t id) {
    const auto found = std::ranges::find(snapshot.members, MemberId{id}, &MemberRecord::id);
    EXPECT_NE(found, snapshot.members.end());
    return *found;
  }
  static std::string status_of(const Snapshot& snapshot, std::string_view value) {
    for (const MemberRecord& each : snapshot.members) {
      for (const Token& token : each.tokens) {
        if (token.value->reveal() == value) return std::string(name_of(token.status));
      }
    }
    return "none";
  }

  MemoryStore copy;
  MemoryStore present;
  Restoration result;
  std::uint8_t drawn = 100;
};

TEST_F(RestorationTest, P1NoAccessTokenOfTheCopyIsServedUnasked) {
  const Snapshot after = restored();
  EXPECT_EQ("superseded", status_of(after, "access-1"));
  EXPECT_EQ("current", status_of(after, "refresh-1")) << "it is how to ask";
  EXPECT_EQ(0U, after.meta.roster) << "the roster is compared anew";
  EXPECT_THAT(result.blocked, IsEmpty());
  EXPECT_THAT(result.left, IsEmpty());
}

TEST_F(RestorationTest, P4ABlockIsNeverForgotten) {
  put(present, in_state(1, MemberState::kBlocked));
  put(present, in_state(7, MemberState::kBlocked));
  const Snapshot after = restored();
  EXPECT_EQ(MemberState::kBlocked, member(after, 1).state);
  EXPECT_EQ("revoking", status_of(after, "access-1"));
  EXPECT_EQ("revoking", status_of(after, "refresh-1"));
  EXPECT_THAT(texts(result.blocked), ElementsAre("id:1", "id:7"));
  ASSERT_EQ(2U, after.members.size());
  EXPECT_EQ(MemberState::kBlocked, after.members[1].state);
}

TEST_F(RestorationTest, P4ABlockThatTheCopyHasStays) {
  put(copy, in_state(1, MemberState::kBlocked));
  const Snapshot after = restored();
  EXPECT_EQ(MemberState::kBlocked, member(after, 1).state);
  EXPECT_THAT(texts(result.let_in), ElementsAre("id:1"));
}

TEST_F(RestorationTest, P4WhoLeftStaysOut) {
  put(copy, make_member(2));
  put(copy, make_member(3));
  put(present, in_state(1, MemberState::kRetiring));
  put(present, in_state(2, MemberState::kRetired));
  const Snapshot after = restored();  // member 3 left, and is forgotten
  for (const std::int64_t id : {1, 2, 3}) {
    EXPECT_EQ(MemberState::kRetiring, member(after, id).state) << id;
    EXPECT_FALSE(member(after, id).selectors.at(0).in_roster) << id;
  }
  EXPECT_EQ("revoking", status_of(after, "access-1"));
  EXPECT_THAT(texts(result.left), ElementsAre("id:1", "id:2", "id:3"));
}

TEST_F(RestorationTest, WhoIsMissingElsewhereOrUnreadableHasNotLeft) {
  put(copy, make_member(3));
  Snapshot damaged = present.snapshot();
  damaged.rows_set_aside = 1;
  const auto draw_one = [this] { return draw(); };
  EXPECT_THAT(carry_over(copy.snapshot(), damaged, true, kNow, draw_one).left, IsEmpty());
  EXPECT_EQ(MemberState::kActive, member(restored(false), 3).state) << "another database";
}

TEST_F(RestorationTest, P13AMismatchStays) {
  put(present, in_state(1, MemberState::kMismatched));
  EXPECT_EQ(MemberState::kMismatched, member(restored(), 1).state);
}

TEST_F(RestorationTest, P3TokensOfAfterTheCopyComeOnTheLedger) {
  ASSERT_TRUE(present.commit(testing::Batch{
      EraseToken{TokenId{1}}, PutToken{MemberId{1}, make_token(3, "access-2")},
      PutToken{MemberId{1},
               make_token(2, "refresh-1", TokenKind::kRefresh, TokenStatus::kSuperseded)},
      PutToken{MemberId{1}, make_token(4, "refresh-2", TokenKind::kRefresh)},
      PutMember{make_member(5)}, PutToken{MemberId{5}, make_token(6, "access-5")}}));
  const Snapshot after = restored();
  EXPECT_EQ("superseded", status_of(after, "access-1"));
  EXPECT_EQ("superseded", status_of(after, "access-2"));
  EXPECT_EQ("current", status_of(after, "refresh-2"));
  EXPECT_EQ("superseded", status_of(after, "access-5"));
  EXPECT_EQ(3, result.tokens);
  EXPECT_THAT(texts(result.came), ElementsAre("id:5"));
  std::set<TokenId> ids;
  for (const MemberRecord& each : after.members) {
    for (const Token& token : each.tokens) EXPECT_TRUE(ids.insert(token.id).second);
  }
}

// Two databases that went their own ways have given the same numbers to other things.
TEST_F(RestorationTest, NumbersOfAnotherDatabaseDoNotMix) {
  ASSERT_TRUE(copy.commit(testing::Batch{PutMember{named(2, "email:old@b.c")},
                                         PutToken{MemberId{2}, make_token(3, "old")},
                                         PutCall{make_call(2, 2)}}));
  ASSERT_TRUE(present.commit(testing::Batch{PutMember{named(2, "email:new@b.c")},
                                            PutToken{MemberId{2}, make_token(3, "new")},
                                            PutCall{make_call(2, 2)}}));
  const Snapshot after = restored(false);
  ASSERT_EQ(3U, after.members.size());
  EXPECT_EQ("email:old@b.c", member(after, 2).selectors.at(0).key.text());
  EXPECT_EQ("old", member(after, 2).tokens.at(0).value->reveal());
  EXPECT_EQ("new", after.members.at(2).tokens.at(0).value->reveal());
  ASSERT_EQ(4U, after.calls.size()) << "both journals";
  EXPECT_EQ(after.members.at(2).id, after.calls.back().member);
  EXPECT_EQ(2, result.calls);
}

TEST_F(RestorationTest, P7TheJournalOfNowCounts) {
  CallRow answered = make_call(1);
  answered.fate = CallFate::kAnswered;
  answered.closed_at = kNow;
  answered.closed_stamp = BootStamp{.boot = BootId{9}, .at = BootTime{Duration{77}}};
  ASSERT_TRUE(present.commit(
      testing::Batch{PutCall{answered}, PutCall{make_call(2)}, PutMeta{MetaKey::kCommitBoot, 9},
                     PutMeta{MetaKey::kCommitAtMs, 80}, PutMeta{MetaKey::kPausedUntilMs, 90}}));
  const Snapshot after = restored();
  ASSERT_EQ(2U, after.calls.size()) << "a call that both know is one call";
  EXPECT_EQ(CallFate::kAnswered, after.calls[0].fate);
  EXPECT_EQ(answered.closed_stamp, after.calls[0].closed_stamp);
  EXPECT_EQ(1, result.calls);
  EXPECT_EQ(BootId{9}, after.meta.last_commit.boot) << "by this the stamps are read";
  EXPECT_EQ(BootTime{Duration{90}}, after.meta.paused_until.at);
}

TEST_F(RestorationTest, LoginsAreThoseOfNow) {
  MemberRecord signed_out = make_member(1);
  signed_out.login_epoch = epoch(42);
  signed_out.handles = {{.holder = "user:web", .number = 3}};
  signed_out.signed_out_at = WallTime{Duration{9}};
  put(present, signed_out);
  const MemberRecord after = member(restored(), 1);
  EXPECT_EQ(epoch(42), after.login_epoch) << "a handle from before the sign-out stays dead";
  EXPECT_EQ(signed_out.handles, after.handles);
  EXPECT_EQ(signed_out.signed_out_at, after.signed_out_at);
}

// An address that belonged to one person of Circle's, and now to another.
TEST_F(RestorationTest, P13OneAddressOfTwoPeopleMakesThemNotOne) {
  MemberRecord then = named(2, "email:shared@b.c");
  then.community_member_id = 20;
  MemberRecord now_there = named(3, "email:shared@b.c");
  now_there.community_member_id = 30;
  put(copy, then);
  put(present, now_there);
  ASSERT_TRUE(present.commit(testing::Batch{PutToken{MemberId{3}, make_token(9, "of-30")}}));
  const Snapshot after = restored(false);
  for (const MemberRecord& each : after.members) {
    for (const Token& token : each.tokens) {
      if (token.value->reveal() == "of-30") EXPECT_EQ(30, each.community_member_id);
    }
  }
  EXPECT_EQ("superseded", status_of(after, "of-30"));
}

// A name that was a record of its own: in one of the two databases, or in both.
TEST_F(RestorationTest, P4ABlockOfAnotherNameIsNotLost) {
  MemberRecord pinned = make_member(1);
  pinned.community_member_id = 10;
  MemberRecord with_name = pinned;
  with_name.selectors.push_back(named(2, "email:alias@b.c").selectors.at(0));
  put(copy, with_name);
  put(present, pinned);
  MemberRecord alias = named(2, "email:alias@b.c");
  alias.state = MemberState::kBlocked;
  put(present, alias);
  EXPECT_EQ(MemberState::kBlocked, member(restored(), 1).state);
}

TEST_F(RestorationTest, P4ABlockOfAMergedMemberHoldsForAllItsNames) {
  put(copy, named(2, "email:alias@b.c"));
  MemberRecord merged = in_state(1, MemberState::kBlocked);
  merged.selectors.push_back(named(2, "email:alias@b.c").selectors.at(0));
  put(present, merged);
  const Snapshot after = restored();
  EXPECT_EQ(MemberState::kBlocked, member(after, 1).state);
  EXPECT_EQ(MemberState::kBlocked, member(after, 2).state);
}

TEST_F(RestorationTest, WhoIsEnrolledIsWhatTheDatabaseOfNowSays) {
  MemberRecord enrolled = named(2, "email:a@b.c");
  enrolled.selectors.at(0).in_roster = false;
  enrolled.selectors.at(0).enrolments = {{.client = "user:old", .tags = {}, .since = {}}};
  put(copy, enrolled);
  enrolled.selectors.at(0).enrolments = {{.client = "user:new", .tags = {}, .since = {}}};
  put(present, enrolled);
  const Snapshot after = restored();
  EXPECT_EQ("user:new", member(after, 2).selectors.at(0).enrolments.at(0).client);
}

TEST_F(RestorationTest, P7WithoutADatabaseOfNowAWindowCountsAsFull) {
  put(copy, in_state(4, MemberState::kBlocked));
  MemberRecord logged_in = make_member(1);
  logged_in.login_epoch = epoch(7);
  logged_in.handles = {{.holder = "user:web", .number = 3}};
  put(copy, logged_in);
  const Restoration plain = start_from(copy.snapshot(), 25, kNow, [this] { return draw(); });
  ASSERT_TRUE(copy.commit(plain.mutations));
  const Snapshot after = copy.snapshot();
  EXPECT_EQ(26U, after.calls.size());
  const CallRow& assumed = after.calls.back();
  EXPECT_TRUE(assumed.closed_at.has_value());
  EXPECT_FALSE(assumed.closed_stamp.has_value()) << "so it counts from the start of the daemon on";
  EXPECT_EQ("superseded", status_of(after, "access-1"));
  EXPECT_EQ(MemberState::kBlocked, member(after, 4).state);
  EXPECT_NE(epoch(7), member(after, 1).login_epoch) << "it may have been signed out since";
  EXPECT_THAT(member(after, 1).handles, IsEmpty());
  EXPECT_EQ(0U, after.meta.roster);
}

}  // namespace
}  // namespace rota

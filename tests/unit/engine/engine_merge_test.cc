#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/engine/engine_box.h"

// What two entries had that turn out to be one member, and what two members share: nothing of it is
// lost, and nothing counts twice.
namespace rota::test {
namespace {

constexpr std::string_view kSsoKey = "sso:grace";

// Grace by her address, with a pair, and an SSO id that nobody knows to be hers: its first issue is
// under way.
EngineBox box_before_a_merge() {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry(kSsoKey)});
  box.settle();
  return box;
}

void merge(EngineBox& box) {
  box.reply(box.newest_call(), issued("access-2", "refresh-1", box.circle()));
  box.settle();
  ASSERT_EQ(box.engine.members().size(), 1U);
}

std::vector<CallRow> doubts_of(const EngineBox& box, MemberId member) {
  std::vector<CallRow> doubts;
  const Snapshot found = box.durable.snapshot();
  for (const CallRow& row : found.calls) {
    if (row.doubt_until && row.member == member) doubts.push_back(row);
  }
  return doubts;
}

TEST(EngineMerge, P3ADoubtGoesOverToTheMemberThatTheEntryTurnedOutToBe) {
  EngineBox box = box_before_a_merge();
  box.reply(box.newest_call(), transient(TransientReason::kNoReply));
  box.settle();
  ASSERT_EQ(doubts_of(box, MemberId{2}).size(), 1U);
  box.run_for(1min);
  merge(box);
  EXPECT_EQ(box.engine.journal().doubts_of(MemberId{1}), 1U);
  EXPECT_EQ(doubts_of(box, MemberId{1}).size(), 1U);
  EXPECT_EQ(doubts_of(box, MemberId{2}).size(), 0U);
  EngineBox again = box.restarted(1min);
  again.start();
  EXPECT_EQ(again.engine.journal().doubts_of(MemberId{1}), 1U);
}

TEST(EngineMerge, P12TheLaterUseCountsAndIsOnRecord) {
  EngineBox box = box_with_grace();
  box.run_for(2h);
  box.roster({entry(kGraceKey), entry(kSsoKey)});
  box.settle();
  box.used({MemberId{2}});
  const WallTime used = box.circle();
  for (const command::Call& call : box.open_calls()) {
    if (call.request.kind == CallKind::kIssue) {
      box.reply(call, issued("access-2", "refresh-1", box.circle()));
      break;
    }
  }
  box.settle();
  ASSERT_EQ(box.engine.members().size(), 1U);
  EXPECT_EQ(box.slot(kGraceKey).record.last_used, used);
  box.run_for(1min);
  EXPECT_EQ(box.durable.snapshot().members.at(0).last_used, used) << "a restart knows it too";
}

TEST(EngineMerge, P9WhoAsksBeforeTheMergeIsDurableWaitsForTheMemberThatItIs) {
  EngineBox box = box_before_a_merge();
  box.reply(box.newest_call(), issued("access-2", "refresh-1", box.circle()));
  ASSERT_EQ(box.engine.members().size(), 1U);
  const Published* shown = box.table.find(kSsoKey);
  ASSERT_NE(shown, nullptr);
  ASSERT_EQ(shown->member, MemberId{2}) << "the table does not know of the merge yet";
  const WaitId wait = box.wait(2);
  box.used({MemberId{2}});
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_EQ(box.served(kSsoKey), "access-2");
}

TEST(EngineMerge, P4ARotationThatWasAskedForByOneNameIsReportedOnce) {
  EngineBox box = box_before_a_merge();
  const OperatorId op = box.operate(kSsoKey, OperatorAction::kRotate);
  box.settle();
  EXPECT_EQ(box.slot(kSsoKey).rotations_asked, 1U);
  merge(box);
  ASSERT_NE(box.report_of(op), nullptr);
  EXPECT_TRUE(is_success((*box.report_of(op))->end));
  EXPECT_EQ(box.slot(kGraceKey).rotations_asked, 0U);
  EXPECT_TRUE(box.slot(kGraceKey).operations.empty());
}

TEST(EngineMerge, P4ARotationGoesOnWhereTheMergeBringsNoNewToken) {
  EngineBox box = box_before_a_merge();
  const OperatorId op = box.operate(kSsoKey, OperatorAction::kRotate);
  box.settle();
  box.reply(box.newest_call(), issued("access-1", "refresh-1", box.circle()));
  box.settle();
  ASSERT_EQ(box.engine.members().size(), 1U);
  ASSERT_NE(box.report_of(op), nullptr) << "Circle gave the token of before: said, not waited for";
  EXPECT_FALSE(is_success((*box.report_of(op))->end));
  EXPECT_EQ(box.slot(kGraceKey).rotations_asked, 0U);
}

TEST(EngineMerge, P12TheMergedMemberCountsOnce) {
  EngineBox box = box_before_a_merge();
  ASSERT_EQ(box.engine.census().in_state(MemberState::kActive), 2U);
  merge(box);
  EXPECT_EQ(box.engine.census().in_state(MemberState::kActive), 1U);
  EXPECT_EQ(box.engine.census().fresh(box.circle()), 1U);
  EXPECT_EQ(box.engine.members().upkeep().kept(), 1U);
  EXPECT_EQ(box.table.size(), 1U);
}

// A retirement of one entry while the other's issue is under way is one of the same person.
TEST(EngineMerge, P4WhatAnotherEntrysCallBringsIsRevokedIfTheMemberWasOutMeanwhile) {
  EngineBox box = box_before_a_merge();
  const command::Call issue = box.newest_call();
  ASSERT_EQ(issue.request.member.text(), kSsoKey);
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  box.operate(kGraceKey, OperatorAction::kReinstate);
  box.settle();
  box.reply(issue, issued("access-2", "refresh-2", box.circle()));
  box.settle();
  ASSERT_EQ(box.engine.members().size(), 1U);
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.durable.find_token("access-2")->status, TokenStatus::kRevoking);
  EXPECT_EQ(box.durable.find_token("refresh-2")->status, TokenStatus::kRevoking);
}

// Grace's address leads to member 43 by now. What came under it is on her record, and on the record
// of that member, who is served it.
EngineBox box_with_a_shared_pair() {
  MemberRecord grace = member(1, MemberState::kMismatched, kGraceKey);
  grace.community_member_id = 42;
  grace.community_id = 1;
  grace.tokens = {access_token(1, "theirs", TokenStatus::kSuperseded),
                  refresh_token(2, "their-refresh", TokenStatus::kSuperseded),
                  access_token(3, "own", TokenStatus::kSuperseded)};
  MemberRecord other = member(2, MemberState::kActive, "id:43");
  other.community_member_id = 43;
  other.community_id = 1;
  other.tokens = {access_token(4, "theirs"), refresh_token(5, "their-refresh")};
  EngineBox box(snapshot_of({grace, other}));
  box.start();
  box.settle();
  return box;
}

TEST(EngineMerge, P4AMismatchedMembersEndRevokesNothingThatAnotherIsServed) {
  struct Case {
    const char* what;
    void (*ends)(EngineBox&);
  };
  for (const Case& c :
       {Case{"dropped", [](EngineBox& box) { box.roster({entry("id:43")}); }},
        Case{"retired",
             [](EngineBox& box) { box.roster({entry("id:43"), entry(kGraceKey, true)}); }},
        Case{"revoked", [](EngineBox& box) { box.operate(kGraceKey, OperatorAction::kRevoke); }},
        Case{"reinstated",
             [](EngineBox& box) { box.operate(kGraceKey, OperatorAction::kReinstate); }}}) {
    SCOPED_TRACE(c.what);
    EngineBox box = box_with_a_shared_pair();
    c.ends(box);
    box.settle();
    bool revoked_own = false;
    for (int i = 0; i < 20 && !box.open_calls().empty(); ++i) {
      const command::Call call = box.oldest_call();
      if (call.request.kind == CallKind::kIssue) {
        box.reply(call, MemberUnknown{});
      } else {
        EXPECT_EQ(call.request.token->reveal(), "own");
        revoked_own = true;
        box.reply(call, Revoked{});
      }
      box.settle();
    }
    EXPECT_TRUE(revoked_own) << "what is the member's own is revoked";
    EXPECT_EQ(box.served("id:43"), "theirs");
    EXPECT_EQ(box.durable.find_token("their-refresh")->status, TokenStatus::kCurrent);
  }
}

// Circle's tokens may live longer than its documents say, and an issue may hand out an older one.
TEST(EngineDoubts, P3ADoubtLastsAsLongAsTheLongestTokenSeen) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey), entry("id:7")});
  box.settle();
  constexpr Duration kLongRefresh = std::chrono::days{60};
  constexpr Duration kLongAccess = 6h;
  for (const command::Call& call : box.open_calls()) {
    const bool first = call.request.member.text() == kGraceKey;
    Issued reply = issued(first ? "a" : "b", first ? "ra" : "rb", box.circle(), first ? 42 : 7);
    if (first) {
      reply.pair.refresh_expires_at = box.circle() + kLongRefresh;
      reply.pair.access.expires_at = box.circle() + kLongAccess;
    }
    box.reply(call, reply);
    box.settle();
  }
  const auto lose = [](EngineBox& at, std::string_view key, CallKind kind) {
    for (const command::Call& call : at.open_calls()) {
      if (call.request.kind == kind) at.reply(call, transient(TransientReason::kNoReply));
    }
    at.settle();
    const auto doubts = doubts_of(at, at.slot(key).record.id);
    const auto row = std::ranges::find(doubts, kind, &CallRow::kind);
    return row == doubts.end() ? Duration{0} : *row->doubt_until - at.circle();
  };
  box.run_for(51min);
  EXPECT_GE(lose(box, "id:7", CallKind::kRefresh), kLongAccess);
  box.roster({entry(kGraceKey), entry("id:7"), entry("id:8")});
  box.settle();
  EXPECT_GE(lose(box, "id:8", CallKind::kIssue), kLongRefresh);
  EngineBox again = box.restarted(1min);
  again.start();
  again.roster({entry(kGraceKey), entry("id:7"), entry("id:8"), entry("id:9")});
  again.settle();
  EXPECT_GE(lose(again, "id:9", CallKind::kIssue), kLongRefresh - 1h) << "after a restart too";
}

TEST(EngineDoubts, P3ANewRefreshTokenOfARefreshGoesOnTheLedgerAndIsUsed) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  Refreshed reply = refreshed("access-2", box.circle() + 1h);
  reply.refresh = NewRefreshToken{make_secret("refresh-2"), box.circle() + 24h * 20};
  box.reply(box.oldest_call(), reply);
  ASSERT_TRUE(box.commit_pending());
  EXPECT_EQ(box.served(kGraceKey), "access-1") << "P2";
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "access-2");
  ASSERT_NE(box.durable.find_token("refresh-2"), nullptr);
  EXPECT_EQ(box.durable.find_token("refresh-2")->status, TokenStatus::kCurrent);
  EXPECT_EQ(box.durable.find_token("refresh-1")->status, TokenStatus::kRevoking);
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  EXPECT_EQ(box.calls.back().request.token->reveal(), "refresh-1") << "the old one is revoked";
  EngineBox again = box.restarted(1min);
  again.start();
  again.run_for(50min);
  const command::Call next = again.oldest_call();
  ASSERT_EQ(next.request.kind, CallKind::kRefresh);
  EXPECT_EQ(next.request.token->reveal(), "refresh-2") << "and the new one used";
  // A lost reply may have brought the next one.
  again.reply(next, transient(TransientReason::kNoReply));
  again.settle();
  const auto doubts = doubts_of(again, MemberId{1});
  ASSERT_EQ(doubts.size(), 1U);
  EXPECT_GE(*doubts.front().doubt_until - again.circle(), std::chrono::days{20});
}

TEST(EngineDoubts, P4ANewRefreshTokenThatALeaversRefreshBringsIsRevoked) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  const command::Call refresh = box.oldest_call();
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  Refreshed reply = refreshed("access-2", box.circle() + 1h);
  reply.refresh = NewRefreshToken{make_secret("refresh-2"), std::nullopt};
  box.reply(refresh, reply);
  box.settle();
  ASSERT_NE(box.durable.find_token("refresh-2"), nullptr);
  EXPECT_EQ(box.durable.find_token("refresh-2")->status, TokenStatus::kRevoking);
  EXPECT_GE(box.durable.find_token("refresh-2")->expires_at - box.circle(), std::chrono::days{30})
      << "its end is not said: the longest it can have";
}

}  // namespace
}  // namespace rota::test

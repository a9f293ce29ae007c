#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// P13: who a member is.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

TEST(EngineIdentity, P13TwoEntriesThatAreOneMemberShareItsTokens) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("sso:grace")});
  box.settle();
  const WaitId wait = box.wait(2);
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-1", box.circle()));
  EXPECT_EQ(box.engine.members().size(), 1U);
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  for (const std::string_view key :
       {kGraceKey, std::string_view("sso:grace"), std::string_view("id:42")}) {
    EXPECT_EQ(box.served(key), "access-2") << key;
  }
  EXPECT_EQ(box.table.size(), 1U);
  EXPECT_EQ(box.told("alias"), 1U);
  // The last of its names counts.
  box.roster({entry("sso:grace")});
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "access-2");
  box.roster({entry("sso:grace"), entry(kGraceKey, true)});
  box.settle();
  EXPECT_EQ(box.served("sso:grace"), "") << "any retired entry wins";

  EngineBox again = box.restarted(1min);
  again.start();
  EXPECT_EQ(again.engine.members().size(), 1U);
  EXPECT_EQ(again.slot("sso:grace").record.selectors.size(), 2U);
}

TEST(EngineIdentity, P13ARetiredIdWinsOverAnEmailThatTurnsOutToBeIt) {
  EngineBox box;
  box.start();
  box.roster({entry("id:42", true), entry(kGraceKey)});
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.engine.members().size(), 1U);
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kRetired);
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  EXPECT_THAT(box.open_calls(), IsEmpty());
}

TEST(EngineIdentity, P13AnOperatorsBlockHoldsUnderEveryName) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("sso:grace")});
  box.settle();
  const OperatorId op = box.operate("sso:grace", OperatorAction::kRevoke);
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-1", box.circle()));
  EXPECT_EQ(box.slot("sso:grace").record.state, MemberState::kBlocked);
  EXPECT_EQ(box.served(kGraceKey), "");
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  ASSERT_NE(box.report_of(op), nullptr);
  EXPECT_TRUE(is_success((*box.report_of(op))->end));
}

TEST(EngineIdentity, P13RevokeAllSurvivesTheMergeOfTwoOfItsMembers) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("sso:grace")});
  box.settle();
  const OperatorId op = box.revoke_all();
  box.settle();
  for (int i = 0; i < 10 && !box.open_calls().empty(); ++i) {
    const auto call = box.oldest_call();
    if (call.request.kind == CallKind::kIssue) {
      box.reply(call, issued("access-2", "refresh-2", box.circle()));
    } else {
      box.reply(call, Revoked{});
    }
    box.settle();
  }
  ASSERT_NE(box.report_of(op), nullptr);
  EXPECT_TRUE(is_success((*box.report_of(op))->end));
  EXPECT_EQ(box.engine.members().size(), 1U);
}

TEST(EngineIdentity, P13AnEmailThatLeadsToAnotherMemberIsServedNothing) {
  EngineBox box = box_with_grace();
  box.run_for(std::chrono::days{0} + 50min);
  box.reply_last(CallKind::kRefresh, RefreshTokenDead{});
  box.settle();
  const WaitId wait = box.wait(1, 30s, fingerprint_of("access-1"));
  box.reply_last(CallKind::kIssue, issued("theirs", "their-refresh", box.circle(), 43));
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kMismatched);
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.table.find(kGraceKey)->state, MemberState::kMismatched);
  EXPECT_EQ(box.answer_of(wait), WaitResult::kMismatched);
  EXPECT_EQ(box.told("mismatched"), 1U) << "an operator is asked";
  EXPECT_EQ(box.slot(kGraceKey).record.community_member_id, 42);
  EXPECT_NE(box.durable.find_token("their-refresh"), nullptr) << "P3: it stays on the ledger";
  box.run_for(48h);
  EXPECT_THAT(box.open_calls(), IsEmpty()) << "nothing is done about it without an operator";
}

// A member with two names, an address the later one, whose pair is due for its renewal.
EngineBox box_with_two_names(Duration pair_age = 28 * 24h) {
  MemberRecord record = member_with_pair();
  record.selectors = {selector("sso:grace"), selector(kGraceKey)};
  record.selectors[0].resolved_at = kT0 - 3h;
  record.selectors[1].resolved_at = kT0 - 3h + 1s;
  record.tokens[1] = refresh_token(2, "refresh-1", TokenStatus::kCurrent, kT0 - pair_age);
  EngineBox box(snapshot_of({record}));
  box.start();
  box.settle();
  return box;
}

// Answers the next issue call, which must be by this name, and revocations before it.
void answer_issue(EngineBox& box, std::string_view name, const Outcome& outcome) {
  for (int i = 0; i < 5 && !box.open_calls().empty(); ++i) {
    const command::Call call = box.oldest_call();
    if (call.request.kind == CallKind::kIssue) {
      EXPECT_EQ(call.request.member.text(), name);
      box.reply(call, outcome);
      box.settle();
      return;
    }
    box.reply(call, Revoked{});
    box.settle();
  }
  FAIL() << "no issue call for " << name;
}

TEST(EngineIdentity, P13EveryNameIsAskedForWhenThePairIsRenewed) {
  EngineBox box = box_with_two_names();
  box.advance(1h);
  box.settle();
  answer_issue(box, "sso:grace", issued("access-2", "refresh-2", box.circle()));
  EXPECT_EQ(box.served("sso:grace"), "access-2");
  answer_issue(box, kGraceKey, issued("access-3", "refresh-3", box.circle()));
  EXPECT_EQ(box.served(kGraceKey), "access-3");
  for (const command::Call& call : box.open_calls()) {
    EXPECT_NE(call.request.kind, CallKind::kIssue) << "one round, and no more";
  }
  EngineBox again = box.restarted(1min);
  again.start();
  again.settle();
  for (const command::Call& call : again.open_calls()) {
    EXPECT_NE(call.request.kind, CallKind::kIssue) << "nor after a restart";
  }
}

TEST(EngineIdentity, P13AnAddressThatBecameAnotherPersonsIsServedNothingAndTheOtherNamesGoOn) {
  EngineBox box = box_with_two_names();
  box.advance(1h);
  box.settle();
  answer_issue(box, "sso:grace", issued("access-2", "refresh-2", box.circle()));
  answer_issue(box, kGraceKey, issued("theirs", "their-refresh", box.circle(), 43));
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kMismatched);
  EXPECT_EQ(box.told("mismatched"), 1U) << "an operator is asked";
  EXPECT_NE(box.durable.find_token("their-refresh"), nullptr) << "P3: it stays on the ledger";
  EXPECT_EQ(box.served("sso:grace"), "access-2");
  EXPECT_EQ(box.served("id:42"), "access-2") << "the id is the member's still";
  EngineBox again = box.restarted(1min);
  again.start();
  again.settle();
  EXPECT_EQ(again.served(kGraceKey), "");
  EXPECT_EQ(again.served("sso:grace"), "access-2");
  EXPECT_EQ(again.served("id:42"), "access-2");

  // The operator takes the address for whoever has it now.
  box.operate(kGraceKey, OperatorAction::kReinstate);
  box.settle();
  for (int i = 0; i < 6 && box.served(kGraceKey).empty(); ++i) {
    for (const command::Call& call : box.open_calls()) {
      if (call.request.kind == CallKind::kIssue) {
        box.reply(call, issued("theirs-2", "their-refresh-2", box.circle(), 43));
      } else {
        box.reply(call, Revoked{});
      }
      box.settle();
    }
  }
  EXPECT_EQ(box.served(kGraceKey), "theirs-2");
  EXPECT_EQ(box.served("sso:grace"), "access-2");
  EXPECT_EQ(box.served("id:43"), "theirs-2");
}

TEST(EngineIdentity, P13WhatCameForAPersonWhoIsAMemberHereIsThatMembers) {
  MemberRecord grace = member_with_pair();
  grace.selectors = {selector("sso:grace"), selector(kGraceKey)};
  grace.selectors[0].resolved_at = kT0 - 3h;
  grace.selectors[1].resolved_at = kT0 - 3h + 1s;
  grace.tokens[1] = refresh_token(2, "refresh-1", TokenStatus::kCurrent, kT0 - 28 * 24h);
  MemberRecord other = member(2, MemberState::kActive, "id:43", {access_token(3, "theirs-1")});
  other.tokens.push_back(refresh_token(4, "their-refresh"));
  other.community_member_id = 43;
  other.community_id = 1;
  EngineBox box(snapshot_of({grace, other}));
  box.start();
  box.settle();
  box.advance(30min);
  box.settle();
  answer_issue(box, "sso:grace", issued("access-2", "refresh-2", box.circle()));
  answer_issue(box, kGraceKey, issued("theirs-2", "their-refresh", box.circle(), 43));
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.served("id:43"), "theirs-2");
  EXPECT_EQ(box.served("id:42"), "access-2");
  // The address leaves the roster: what is served under the other name is not revoked with it.
  box.roster({entry("sso:grace"), entry("id:43")});
  box.settle();
  box.run_for(1min);
  EXPECT_EQ(box.durable.find_token("theirs-2")->status, TokenStatus::kCurrent);
  EXPECT_EQ(box.durable.find_token("their-refresh")->status, TokenStatus::kCurrent);
  EXPECT_EQ(box.served("id:43"), "theirs-2");
}

// The address leads to nobody, and leaves the roster; the member is blocked then by its id.
TEST(EngineIdentity, P13ANameThatWasSplitOffNeverStandsForTheMember) {
  EngineBox box = box_with_two_names();
  box.roster({entry("sso:grace"), entry(kGraceKey), entry("id:42")});
  box.settle();
  answer_issue(box, "sso:grace", issued("access-2", "refresh-2", box.circle()));
  answer_issue(box, kGraceKey, MemberUnknown{});
  box.roster({entry("sso:grace"), entry("id:42")});
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kRetired);
  EngineBox again = box.restarted(1min);
  again.start();
  again.settle();
  EXPECT_EQ(again.served("id:42"), "access-2");
  again.operate("id:42", OperatorAction::kRevoke);
  again.roster({entry("sso:grace"), entry("id:42"), entry(kGraceKey)});
  again.settle();
  EXPECT_EQ(again.slot(kGraceKey).record.state, MemberState::kActive);
  for (int i = 0; i < 10 && !again.open_calls().empty(); ++i) {
    const command::Call call = again.oldest_call();
    if (call.request.kind == CallKind::kIssue) {
      again.reply(call, issued("access-3", "refresh-3", again.circle()));
    } else {
      again.reply(call, Revoked{});
    }
    again.settle();
  }
  EXPECT_EQ(again.engine.members().size(), 1U);
  EXPECT_EQ(again.slot(kGraceKey).record.state, MemberState::kBlocked) << "under every name";
  EXPECT_EQ(again.served(kGraceKey), "");
}

TEST(EngineIdentity, P13ANameThatLeadsToNobodyIsServedNothingUntilItLeadsBack) {
  EngineBox box = box_with_two_names();
  box.advance(1h);
  box.settle();
  answer_issue(box, "sso:grace", issued("access-2", "refresh-2", box.circle()));
  answer_issue(box, kGraceKey, MemberUnknown{});
  EXPECT_EQ(box.served("id:42"), "access-2");
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kUnknown);
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.served("sso:grace"), "access-2");
  box.run_for(10min);
  answer_issue(box, kGraceKey, issued("access-3", "refresh-3", box.circle()));
  EXPECT_EQ(box.served(kGraceKey), "access-3") << "it is one member with the other name again";
  EXPECT_EQ(box.served("sso:grace"), "access-3");
  EXPECT_EQ(box.engine.members().size(), 1U);
}

TEST(EngineIdentity, P13AReinstatementCountsOnceEveryNameWasAskedFor) {
  EngineBox box = box_with_two_names(Duration{0});
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.operate(kGraceKey, OperatorAction::kReinstate);
  box.settle();
  const WaitId wait = box.wait(1, 30s);
  box.settle();
  answer_issue(box, "sso:grace", issued("access-2", "refresh-2", box.circle()));
  EXPECT_EQ(box.served("sso:grace"), "") << "not before the address was asked for too";
  EXPECT_EQ(box.answer_of(wait), std::nullopt);
  answer_issue(box, kGraceKey, issued("theirs", "their-refresh", box.circle(), 43));
  EXPECT_EQ(box.served("sso:grace"), "access-2");
  EXPECT_EQ(box.served(kGraceKey), "");
}

TEST(EngineIdentity, P13AnUnknownMemberIsAskedForEverMoreRarely) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kUnknown);
  const WaitId wait = box.wait(1);
  box.settle();
  EXPECT_EQ(box.answer_of(wait), WaitResult::kUnknown);
  for (const Duration gap : {Duration(10min), Duration(10min), Duration(20min), Duration(40min)}) {
    box.run_for(gap - 1ms);
    EXPECT_THAT(box.open_calls(), IsEmpty()) << gap.count();
    box.run_for(1ms);
    box.reply_last(CallKind::kIssue, MemberUnknown{});
  }
  EXPECT_EQ(box.told("unknown"), 1U);
  box.operate(kGraceKey, OperatorAction::kReinstate);
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  EXPECT_EQ(box.served(kGraceKey), "access-1");
}

}  // namespace
}  // namespace rota::test

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/rotator/engine_box.h"

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
  EXPECT_EQ(box.engine.size(), 1U);
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
  EXPECT_EQ(again.engine.size(), 1U);
  EXPECT_EQ(again.slot("sso:grace").record.selectors.size(), 2U);
}

TEST(EngineIdentity, P13ARetiredIdWinsOverAnEmailThatTurnsOutToBeIt) {
  EngineBox box;
  box.start();
  box.roster({entry("id:42", true), entry(kGraceKey)});
  box.reply_last(CallKind::kIssue, issued("access-1", "refresh-1", box.circle()));
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.engine.size(), 1U);
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
  EXPECT_TRUE((*box.report_of(op))->done);
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
  EXPECT_TRUE((*box.report_of(op))->done);
  EXPECT_EQ(box.engine.size(), 1U);
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

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/engine/engine_box.h"

// Refresh tokens are not in memory: the store hands out what a call sends.
namespace rota::test {
namespace {

const Token* current_refresh(const EngineBox& box) {
  return current(box.slot(kGraceKey).record, TokenKind::kRefresh);
}

std::string_view sent_by(const command::Call& call) { return call.request.token->reveal(); }

TEST(EngineAtRest, P10MemoryLetsGoOfARefreshTokenOnceItIsDurable) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  box.settle();
  box.reply(box.newest_call(), issued("access-1", "refresh-1", box.circle()));
  ASSERT_NE(current_refresh(box), nullptr);
  EXPECT_NE(current_refresh(box)->value, nullptr) << "nobody else has it yet";
  box.settle();
  EXPECT_EQ(current_refresh(box)->value, nullptr);
  ASSERT_NE(box.durable.find_token("refresh-1"), nullptr);
}

TEST(EngineAtRest, AFailedCommitLosesNothing) {
  EngineBox box;
  box.start();
  box.roster({entry(kGraceKey)});
  box.settle();
  box.reply(box.newest_call(), issued("access-1", "refresh-1", box.circle()));
  ASSERT_TRUE(box.commit_pending());
  box.commit_fail();
  EXPECT_NE(current_refresh(box)->value, nullptr);
  box.run_for(1min);
  EXPECT_EQ(current_refresh(box)->value, nullptr);
  box.run_for(1h);
  EXPECT_EQ(sent_by(box.newest_call()), "refresh-1");
}

TEST(EngineAtRest, ACallSendsWhatTheStoreHandsOut) {
  EngineBox box = box_with_grace();
  EngineBox again = box.restarted(1s);
  again.start();
  ASSERT_EQ(current_refresh(again)->value, nullptr);
  again.run_for(50min);
  ASSERT_EQ(again.newest_call().request.kind, CallKind::kRefresh);
  EXPECT_EQ(sent_by(again.newest_call()), "refresh-1");
  again.reply(again.newest_call(), refreshed("access-2", again.circle() + 1h));
  again.settle();
  EXPECT_EQ(again.served(kGraceKey), "access-2");
  EXPECT_EQ(current_refresh(again)->value, nullptr);
}

TEST(EngineAtRest, P4ALeaversRefreshTokenIsRevoked) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey, true)});
  box.settle();
  ASSERT_EQ(box.newest_call().request.kind, CallKind::kRevokeRefresh);
  EXPECT_EQ(sent_by(box.newest_call()), "refresh-1");
  EXPECT_EQ(box.durable.find_token("refresh-1")->status, TokenStatus::kRevoking)
      << "its state changed on disk, and its value stayed";
}

TEST(EngineAtRest, ATokenWhoseRowIsDamagedIsSetAsideAndANewPairIssued) {
  EngineBox box = box_with_grace();
  box.durable.damage(current_refresh(box)->id);
  const std::size_t calls = box.calls.size();
  box.run_for(51min);
  EXPECT_EQ(current_refresh(box), nullptr);
  EXPECT_EQ(box.told("rows_set_aside"), 1U);
  EXPECT_EQ(box.engine.rows_set_aside(), 1);
  EXPECT_EQ(box.served(kGraceKey), "access-1") << "it is alive";
  ASSERT_EQ(box.calls.size(), calls + 1) << "the refresh was not sent";
  EXPECT_EQ(box.newest_call().request.kind, CallKind::kIssue);
  box.reply(box.newest_call(), issued("access-2", "refresh-2", box.circle()));
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

TEST(EngineAtRest, ALeaverWhoseRefreshTokenIsDamagedIsRetiredAllTheSame) {
  EngineBox box = box_with_grace();
  box.durable.damage(current_refresh(box)->id);
  const OperatorId op = box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  ASSERT_EQ(box.newest_call().request.kind, CallKind::kRevokeAccess);
  box.reply(box.newest_call(), Revoked{});
  box.settle();
  ASSERT_NE(box.report_of(op), nullptr);
  EXPECT_EQ((*box.report_of(op))->end, OperationEnd::kRevoked);
  EXPECT_THAT((*box.report_of(op))->revocations,
              ::testing::Contains(::testing::Field(&RevocationLine::result, "set aside")));
}

TEST(EngineAtRest, IfTheDiskDoesNotGiveItTheCallIsMadeLater) {
  EngineBox box = box_with_grace();
  const std::size_t calls = box.calls.size();
  box.fail_opening = ErrorKind::kIo;
  while (box.fail_opening) {
    box.advance(10s);
    if (box.commit_pending()) box.commit_ok();
  }
  box.settle();
  EXPECT_EQ(box.calls.size(), calls) << "it was not sent";
  EXPECT_EQ(box.told("call_failed"), 1U);
  EXPECT_NE(current_refresh(box), nullptr) << "it is still on the ledger";
  EXPECT_EQ(box.durable.open_calls(), 0U) << "its row is closed";
  box.run_for(5min);
  ASSERT_EQ(box.calls.size(), calls + 1);
  EXPECT_EQ(sent_by(box.newest_call()), "refresh-1");
}

TEST(EngineAtRest, P4ARevocationWhoseTokenTheDiskDoesNotGiveIsMadeLater) {
  EngineBox box = box_with_grace();
  box.fail_opening = ErrorKind::kIo;
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  EXPECT_FALSE(box.fail_opening);
  EXPECT_EQ(box.told("call_failed"), 1U);
  box.reply_last(CallKind::kRevokeAccess, Revoked{});  // it does not wait for the disk
  box.run_for(5min);
  ASSERT_EQ(box.newest_call().request.kind, CallKind::kRevokeRefresh);
  EXPECT_EQ(sent_by(box.newest_call()), "refresh-1");
}

// An SSO id that was another member's, and whose token is still to be revoked, turns out to be
// Grace's.
TEST(EngineAtRest, P3AMergeMovesATokenBeforeItForgetsTheMemberThatHadIt) {
  MemberRecord other = member(2, MemberState::kActive, "sso:grace",
                              {refresh_token(9, "refresh-9", TokenStatus::kRevoking)});
  other.selectors.at(0).resolved_at = {};
  EngineBox box(snapshot_of({member_with_pair(), other}));
  box.start();
  box.settle();
  while (box.engine.members().size() == 2) {
    const command::Call call = box.oldest_call();
    const bool issues = call.request.kind == CallKind::kIssue;
    box.reply(call, issues ? Outcome(issued("access-2", "refresh-1", box.circle()))
                           : Outcome(transient(TransientReason::kServerError)));
    if (box.engine.members().size() == 2) box.run_for(1min);
  }
  ASSERT_TRUE(box.commit_pending());
  const auto moves = std::ranges::find_if(*box.pending, [](const Mutation& change) {
    const auto* put = std::get_if<PutToken>(&change);
    return put != nullptr && put->token.id == TokenId{9} && put->token.value == nullptr;
  });
  ASSERT_NE(moves, box.pending->end());
  EXPECT_TRUE(std::none_of(box.pending->begin(), moves, [](const Mutation& change) {
    return std::holds_alternative<ForgetMember>(change);
  })) << "its seal is bound to the member's row";
  box.settle();
  ASSERT_NE(box.durable.find_token("refresh-9"), nullptr);
  EXPECT_EQ(box.durable.find_member(MemberId{2}), nullptr);
}

}  // namespace
}  // namespace rota::test

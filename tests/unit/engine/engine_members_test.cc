#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/next_action.h"
#include "tests/unit/engine/engine_box.h"

// One member after another: rotation and retirement.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// The member is out and back while a call is in flight that was made before: whatever token it
// brings is revoked, and a call of its own gets the next one.
TEST(EngineRetirement, P4WhatACallInFlightBringsIsRevokedThoughTheMemberIsBack) {
  struct Case {
    const char* what;
    bool blocks;
    const char* brings;
  };
  for (const Case& c : {Case{"retired, a new token", false, "access-2"},
                        Case{"retired, the same token", false, "access-1"},
                        Case{"blocked, a new token", true, "access-2"},
                        Case{"blocked, the same token", true, "access-1"}}) {
    SCOPED_TRACE(c.what);
    EngineBox box = box_with_grace();
    box.run_for(50min);
    const command::Call refresh = box.oldest_call();
    ASSERT_EQ(refresh.request.kind, CallKind::kRefresh);
    if (c.blocks) {
      box.operate(kGraceKey, OperatorAction::kRevoke);
      box.settle();
      box.operate(kGraceKey, OperatorAction::kReinstate);
    } else {
      box.roster({entry("id:7")});
      box.settle();
      box.roster({entry("id:7"), entry(kGraceKey)});
    }
    box.settle();
    ASSERT_EQ(box.slot(kGraceKey).record.state, MemberState::kActive);
    const WaitId wait = box.wait(1, 60s);
    box.reply(refresh, refreshed(c.brings, box.circle() + 1h));
    box.settle();
    EXPECT_EQ(box.served(kGraceKey), "");
    EXPECT_EQ(box.answer_of(wait), std::nullopt) << "it waits on for a token that it may have";
    ASSERT_NE(box.durable.find_token(c.brings), nullptr);
    EXPECT_EQ(box.durable.find_token(c.brings)->status, TokenStatus::kRevoking);
    std::vector<std::string> revoked;
    for (int i = 0; i < 20 && box.served(kGraceKey).empty(); ++i) {
      for (const command::Call& call : box.open_calls()) {
        if (call.request.kind == CallKind::kIssue) {
          const bool ours = call.request.member.text() == kGraceKey;
          box.reply(call, issued(ours ? "fresh" : "seven", ours ? "fresh-r" : "seven-r",
                                 box.circle(), ours ? 42 : 7));
        } else {
          revoked.emplace_back(call.request.token->reveal());
          box.reply(call, Revoked{});
        }
        box.settle();
      }
    }
    EXPECT_EQ(box.served(kGraceKey), "fresh");
    EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
    box.run_for(1s);
    for (const command::Call& call : box.open_calls()) {
      if (call.request.token) revoked.emplace_back(call.request.token->reveal());
    }
    EXPECT_THAT(revoked, testing::Contains("refresh-1"));
  }
}

// Its row was written before the block; whoever is back gets a call of its own.
TEST(EngineRetirement, P4ACallThatWasNotSentBeforeABlockIsNotSentAfterIt) {
  EngineBox box = box_with_grace();
  box.advance(50min);
  ASSERT_TRUE(box.commit_pending());
  const std::size_t sent = box.calls.size();
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.operate(kGraceKey, OperatorAction::kReinstate);
  box.commit_ok();
  ASSERT_EQ(box.calls.size(), sent) << "the refresh was made before the block";
  box.settle();
  ASSERT_GT(box.calls.size(), sent);
  EXPECT_EQ(box.calls[sent].request.kind, CallKind::kRevokeRefresh);
}

// Until Circle has told the time, nobody is forgotten.
void confirm_the_time_a_year_later(EngineBox& box) {
  box.advance(24h * 400);
  box.roster({entry("email:ada@example.com"), entry("id:8")});
  box.settle();
  for (const command::Call& call : box.open_calls()) {
    const bool issues = call.request.kind == CallKind::kIssue;
    box.reply(call, issues ? Outcome{MemberUnknown{}} : transient(TransientReason::kNoReply),
              box.circle());
  }
  box.run_for(1h);
}

TEST(EngineRetirement, P4ABlockThatNoRosterNamesIsNeverForgotten) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  box.reply_last(CallKind::kRevokeAccess, Revoked{});
  box.roster({entry("email:ada@example.com")});
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  confirm_the_time_a_year_later(box);
  box.roster({entry("email:ada@example.com"), entry(kGraceKey)});
  box.settle();
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kBlocked);
  EXPECT_EQ(box.table.find(kGraceKey)->state, MemberState::kBlocked);
}

// Its tokens run out before any could be revoked, long after the block.
TEST(EngineRetirement, P4ABlockWhoseTokensRanOutIsNotForgotten) {
  EngineBox box = box_with_grace();
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  box.reply_last(CallKind::kRevokeRefresh, transient(TransientReason::kNoReply));
  box.roster({entry("email:ada@example.com")});
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  confirm_the_time_a_year_later(box);
  ASSERT_NE(box.engine.find(MemberKey::parse(kGraceKey).value()), nullptr);
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kBlocked);
  EXPECT_THAT(box.slot(kGraceKey).record.tokens, IsEmpty());
}

TEST(EngineMembers, ATokenIsRefreshedAheadOfItsEnd) {
  EngineBox box = box_with_grace();
  box.run_for(50min - 1ms);
  EXPECT_THAT(box.open_calls(), IsEmpty());
  box.run_for(1ms);
  ASSERT_THAT(box.open_calls(), SizeIs(1));
  EXPECT_EQ(box.oldest_call().request.token->reveal(), "refresh-1");
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  EXPECT_EQ(box.served(kGraceKey), "access-2");
  EXPECT_EQ(box.durable.find_token("access-1")->status, TokenStatus::kSuperseded);
  box.run_for(10min + kLedgerSlack);
  EXPECT_EQ(box.durable.find_token("access-1"), nullptr) << "over, so off the ledger";
}

TEST(EngineMembers, TokensThatAreOverGoTogetherOnceASecond) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1")});
  box.settle();
  box.reply(box.oldest_call(), issued("a1", "r1", box.circle(), 1), box.circle());
  box.settle();
  box.run_for(500ms);
  box.roster({entry("id:1"), entry("id:2")});
  box.settle();
  box.reply(box.oldest_call(), issued("a2", "r2", box.circle(), 2), box.circle());
  box.settle();
  box.run_for(51min);
  ASSERT_THAT(box.open_calls(), SizeIs(2));
  for (const char* fresh : {"b1", "b2"}) {
    box.reply(box.oldest_call(), refreshed(fresh, box.circle() + 2h));
  }
  box.settle();
  box.run_for(9min + kLedgerSlack - 500ms);
  EXPECT_EQ(box.durable.find_token("a1"), nullptr);
  box.run_for(999ms);
  EXPECT_NE(box.durable.find_token("a2"), nullptr) << "over for half a second";
  box.run_for(1ms);
  EXPECT_EQ(box.durable.find_token("a2"), nullptr);
}

TEST(EngineMembers, OneCallServesAllThatWait) {
  EngineBox box = box_with_grace();
  box.advance(2h);
  box.settle();
  std::vector<WaitId> waits;
  for (int i = 0; i < 50; ++i) waits.push_back(box.wait(1));
  box.settle();
  ASSERT_THAT(box.calls, SizeIs(2)) << "the issue, and one refresh for all of them";
  const WaitId cancelled = waits.back();
  box.engine.on_wait_cancelled(cancelled);
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  for (const WaitId wait : waits) {
    EXPECT_EQ(box.answer_of(wait),
              wait == cancelled ? std::nullopt : std::optional(WaitResult::kServe));
  }
  EXPECT_EQ(box.engine.waits(), 0U);
}

TEST(EngineMembers, AWaitEndsWithWhatIsAliveOrWithNothing) {
  EngineBox box = box_with_grace();
  box.advance(55min);
  box.settle();
  const WaitId plain = box.wait(1, 2s, std::nullopt, false, 30min);
  const WaitId strict = box.wait(1, 2s, std::nullopt, true, 30min);
  box.run_for(2s);
  EXPECT_EQ(box.answer_of(plain), WaitResult::kServe);
  EXPECT_EQ(box.answer_of(strict), WaitResult::kUnavailable);
  const WaitId gone = box.wait(99);
  box.settle();
  EXPECT_EQ(box.answer_of(gone), WaitResult::kUnknown);
}

TEST(EngineMembers, AForcedRefreshNeedNotWaitForATokenThatCameByItself) {
  EngineBox box = box_with_grace();  // its token is new
  const WaitId wait = box.wait(1, 10s, fingerprint_of("access-1"));
  box.settle();
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe) << "at once";
  EXPECT_EQ(box.served(kGraceKey), "access-2");
}

TEST(EngineMembers, P7ForcedRefreshesAreTenSecondsApart) {
  EngineBox box = box_with_grace();
  box.wait(1, 10s, fingerprint_of("access-1"));
  box.settle();
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  const WaitId hurried = box.wait(1, 9s, fingerprint_of("access-2"));
  const WaitId patient = box.wait(1, 11s, fingerprint_of("access-2"));
  box.settle();
  EXPECT_EQ(box.answer_of(hurried), WaitResult::kUnavailable) << "no call can come in time";
  EXPECT_EQ(box.answer_of(patient), std::nullopt);
  box.run_for(10s - 1ms);
  EXPECT_THAT(box.open_calls(), IsEmpty());
  box.run_for(1ms);
  box.reply_last(CallKind::kRefresh, refreshed("access-3", box.circle() + 1h));
  EXPECT_EQ(box.answer_of(patient), WaitResult::kServe);
}

TEST(EngineMembers, P4P9ARetirementDuringARefreshRevokesItsResultToo) {
  EngineBox box = box_with_grace();
  box.run_for(50min);
  ASSERT_THAT(box.open_calls(), SizeIs(1));
  box.roster({entry(kGraceKey, true)});
  EXPECT_EQ(box.served(kGraceKey), "access-1");
  box.settle();
  EXPECT_EQ(box.served(kGraceKey), "") << "P4: nothing from the commit on";
  EXPECT_EQ(box.table.find(kGraceKey)->state, MemberState::kRetiring);
  EXPECT_THAT(box.open_calls(), SizeIs(1)) << "P9: the refresh is still in flight";
  box.reply_last(CallKind::kRefresh, refreshed("access-2", box.circle() + 1h));
  EXPECT_EQ(box.served(kGraceKey), "");
  EXPECT_EQ(box.oldest_call().request.token->reveal(), "refresh-1");
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  std::vector<std::string> revoked;
  for (int i = 0; i < 2; ++i) {
    revoked.emplace_back(box.oldest_call().request.token->reveal());
    box.reply_last(CallKind::kRevokeAccess, i == 0 ? Outcome{Revoked{}} : Outcome{AlreadyDead{}});
  }
  EXPECT_THAT(revoked, testing::UnorderedElementsAre("access-1", "access-2"));
  EXPECT_EQ(box.slot(kGraceKey).record.state, MemberState::kRetired);
  EXPECT_THAT(box.open_calls(), IsEmpty());
  box.run_for(24h * 91);
  EXPECT_EQ(box.engine.members().size(), 1U) << "the roster still names it";
  box.roster({entry("email:ada@example.com")});
  box.settle();
  box.reply_last(CallKind::kIssue, MemberUnknown{});
  box.advance(1ms);
  box.settle();
  EXPECT_EQ(box.table.find(kGraceKey), nullptr) << "gone for ninety days: forgotten";
}

TEST(EngineMembers, P5ARevocationIsTriedUntilItIsAcknowledgedOrOver) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey, true)});
  box.reply_last(CallKind::kRevokeRefresh, Revoked{});
  int tries = 0;
  while (box.slot(kGraceKey).record.state == MemberState::kRetiring) {
    ASSERT_LT(++tries, 1'000);
    if (box.open_calls().empty()) {
      const auto wake = box.engine.next_wake(box.now);
      ASSERT_TRUE(wake && *wake > box.now.boot);
      box.advance(*wake - box.now.boot);
      box.settle();
      continue;
    }
    box.reply_last(CallKind::kRevokeAccess, transient(TransientReason::kUnclearReply));
  }
  EXPECT_GT(tries, 10);
  EXPECT_GE(box.circle(), kT0 + 1h + kLedgerSlack) << "P5: an unclear reply is no acknowledgement";
  EXPECT_EQ(box.engine.journal().doubts(), 0U) << "a revocation leaves none";
}

// P4, P8: people are removed at Circle first, and then from the roster.
TEST(EngineMembers, P8LeaversThatCircleHasRemovedDelayNobody) {
  EngineBox box;
  box.start();
  const std::vector<std::string> leavers{"id:1", "id:2", "id:3", "id:4"};
  std::vector<RosterEntry> before{entry("id:9")};
  for (const std::string& key : leavers) before.push_back(entry(key));
  box.roster(before);
  box.settle();
  for (const auto& call : box.open_calls()) {
    const std::int64_t id = call.request.member.id();
    box.reply(call, test::issued(fmt::format("access-{}", id), fmt::format("refresh-{}", id),
                                 box.circle(), id));
  }
  box.settle();
  box.roster({entry("id:9")});
  box.settle();
  for (int round = 0; round < 2; ++round) {  // the refresh tokens, and then the access tokens
    for (const auto& call : box.open_calls()) {
      box.reply(call, call.request.kind == CallKind::kRevokeRefresh ? Outcome{AlreadyDead{}}
                                                                    : Outcome{MemberGone{}});
    }
    box.settle();
  }
  EXPECT_THAT(box.open_calls(), IsEmpty());
  EXPECT_EQ(box.engine.gate().breaker().state(), BreakerState::kClosed);
  EXPECT_EQ(box.told("breaker"), 0U);
  for (const std::string& key : leavers) {
    EXPECT_EQ(box.slot(key).record.state, MemberState::kRetired) << key;
    ASSERT_THAT(box.slot(key).record.tokens, SizeIs(1)) << "the person may be restored";
    EXPECT_EQ(box.slot(key).record.tokens.front().status, TokenStatus::kMemberGone);
  }
  // One is restored at Circle: the token that it had is revoked for good when it is asked again.
  box.run_for(kGoneRetryMin);
  ASSERT_THAT(box.open_calls(), SizeIs(leavers.size()));
  for (const auto& call : box.open_calls()) box.reply(call, Revoked{});
  box.settle();
  for (const std::string& key : leavers) {
    EXPECT_THAT(box.slot(key).record.tokens, IsEmpty()) << key;
  }
}

}  // namespace
}  // namespace rota::test

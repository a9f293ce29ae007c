#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// What the engine puts on the audit trail: all that is durable of what it does, and nothing else.
namespace rota::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "event member [detail] token", the token by its value; then nothing of it is left.
std::vector<std::string> take_trail(EngineBox& box) {
  std::vector<std::string> trail;
  for (const command::Note& note : box.audited) {
    std::string token;
    for (const char* each : {"access-1", "refresh-1", "access-2", "access-3", "refresh-3"}) {
      if (note.key.token == fingerprint_of(each)) token = std::string(" ") + each;
    }
    trail.push_back(
        fmt::format("{} {} [{}]{}", name_of(note.key.event), note.member, note.key.detail, token));
  }
  box.audited.clear();
  return trail;
}

TEST(EngineAudit, TellsOfEachTokenOnceItIsDurable) {
  EngineBox box = box_with_grace();
  EXPECT_THAT(take_trail(box),
              ElementsAre("roster_applied  [1 added, 0 changed, 0 retired]",
                          "token_issued email:grace@example.com [refresh] refresh-1",
                          "token_issued email:grace@example.com [access] access-1"));
  box.run_for(50min);
  box.reply(box.newest_call(), refreshed("access-2", box.circle() + 1h));
  EXPECT_THAT(take_trail(box), IsEmpty());
  box.commit_fail();
  EXPECT_THAT(take_trail(box), IsEmpty()) << "a token that is not durable was not given";
  box.advance(10s);
  box.settle();
  EXPECT_THAT(take_trail(box),
              ElementsAre("token_refreshed email:grace@example.com [access] access-2"));
}

TEST(EngineAudit, TellsOfARetirementAndOfEachRevocation) {
  EngineBox box = box_with_grace();
  take_trail(box);
  box.roster({});
  box.settle();
  EXPECT_THAT(take_trail(box), ElementsAre("member_retired email:grace@example.com [was active]",
                                           "roster_applied  [0 added, 0 changed, 1 retired]"));
  box.reply(box.newest_call(), Revoked{}, box.circle());
  box.settle();
  EXPECT_THAT(take_trail(box), ElementsAre("token_revoked email:grace@example.com "
                                           "[refresh: revoked] refresh-1"));
  box.reply_last(CallKind::kRevokeAccess,
                 Transient{.reason = TransientReason::kNoReply, .why = "words of others"});
  EXPECT_THAT(take_trail(box), ElementsAre("revocation_failed email:grace@example.com "
                                           "[access: no_reply] access-1"));
  box.advance(2h + kLedgerSlack);
  box.settle();
  EXPECT_THAT(take_trail(box), testing::Contains("revocation_over email:grace@example.com [access] "
                                                 "access-1"));
}

// Circle gave them, whatever Rota does with them.
TEST(EngineAudit, TellsOfTokensThatAreNotKept) {
  EngineBox leaver = box_with_grace();
  leaver.run_for(50min);
  const command::Call refresh = leaver.newest_call();
  leaver.roster({});
  leaver.settle();
  take_trail(leaver);
  leaver.reply(refresh, refreshed("access-2", leaver.circle() + 1h));
  leaver.settle();
  EXPECT_THAT(take_trail(leaver),
              testing::Contains("token_refreshed email:grace@example.com [access] access-2"));

  EngineBox other = box_with_grace();
  other.run_for(50min);
  other.reply_last(CallKind::kRefresh, RefreshTokenDead{});
  take_trail(other);
  other.reply_last(CallKind::kIssue, issued("access-3", "refresh-3", other.circle(), 43));
  EXPECT_THAT(take_trail(other),
              ElementsAre("token_issued email:grace@example.com [refresh] refresh-3",
                          "token_issued email:grace@example.com [access] access-3",
                          "member_mismatched email:grace@example.com []"));
}

TEST(EngineAudit, TellsWhoseTokensCameByAnothersName) {
  EngineBox box = box_with_grace();
  box.roster({entry(kGraceKey), entry("id:43")});
  box.settle();
  box.reply_last(CallKind::kIssue, issued("access-2", "refresh-2", box.circle(), 43));
  box.run_for(50min);
  for (const command::Call& call : box.open_calls()) box.reply(call, RefreshTokenDead{});
  box.settle();
  take_trail(box);
  for (const command::Call& call : box.open_calls()) {
    box.reply(call, issued("access-3", "refresh-3", box.circle(), 43));
  }
  box.settle();
  const auto trail = take_trail(box);
  for (const char* token : {"[refresh by the name email:grace@example.com] refresh-3",
                            "[access by the name email:grace@example.com] access-3"}) {
    EXPECT_THAT(trail, testing::Contains(fmt::format("token_issued id:43 {}", token)));
  }
}

TEST(EngineAudit, TellsOfOperators) {
  EngineBox box = box_with_grace();
  take_trail(box);
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  EXPECT_THAT(take_trail(box), ElementsAre("member_blocked email:grace@example.com []"));
  box.operate(kGraceKey, OperatorAction::kReinstate);
  box.settle();
  EXPECT_THAT(take_trail(box), ElementsAre("member_reinstated email:grace@example.com []"));
  box.revoke_all();
  box.settle();
  EXPECT_THAT(take_trail(box), ElementsAre("member_blocked email:grace@example.com []"));
  box.revoke_all();
  box.operate(kGraceKey, OperatorAction::kRevoke);
  box.settle();
  EXPECT_THAT(take_trail(box), IsEmpty()) << "it is blocked already";
}

TEST(EngineAudit, TellsOfAHeldPlanOnceAndOfItsApproval) {
  EngineBox box;
  box.start();
  std::vector<RosterEntry> entries;
  for (int id = 1; id <= 10; ++id) entries.push_back(entry(fmt::format("id:{}", id)));
  box.roster(entries);
  box.settle();
  take_trail(box);
  box.roster({entry("id:1")});
  box.settle();
  box.roster({entry("id:1")});
  box.settle();
  const std::string id = box.reloads.back().id;
  EXPECT_THAT(take_trail(box),
              ElementsAre(fmt::format("plan_held  [plan {}, which would retire 9]", id),
                          "roster_applied  [0 added, 0 changed, 9 held]",
                          "roster_applied  [0 added, 0 changed, 9 held]"));
  box.roster({entry("id:1")}, id);
  box.settle();
  const auto trail = take_trail(box);
  ASSERT_EQ(trail.size(), 11U);
  EXPECT_EQ(trail.front(), fmt::format("plan_approved  [plan {}, which retires 9]", id));
  EXPECT_EQ(trail.back(), "roster_applied  [0 added, 0 changed, 9 retired]");
}

// The way into trouble and out of it, each once, and without the words of others.
TEST(EngineAudit, TellsWhenTheBreakerOpensAndCloses) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1"), entry("id:2"), entry("id:3")});
  box.settle();
  take_trail(box);
  ASSERT_EQ(box.open_calls().size(), 3U);
  for (const auto& call : box.open_calls()) {
    box.reply(call, Transient{.reason = TransientReason::kServerError,
                              .why = "words of others",
                              .symptom = {.kind = Symptom::Kind::kStatus, .status = 503}});
  }
  box.settle();
  EXPECT_THAT(take_trail(box), ElementsAre("breaker_opened  [Circle answers 503]"));
  box.run_for(30s);
  const auto answer = [&box](const Outcome& outcome) {
    box.reply(box.oldest_call(), outcome);
    box.settle();
  };
  answer(AppTokenRefused{});
  EXPECT_THAT(take_trail(box), ElementsAre("app_token_refused  []"));
  box.run_for(30s);
  answer(AppTokenRefused{});
  EXPECT_THAT(take_trail(box), IsEmpty()) << "one alarm";
  box.run_for(30s);
  const auto id = box.oldest_call().request.member.id();
  answer(issued("access-1", "refresh-1", box.circle(), id));
  EXPECT_THAT(take_trail(box), testing::Contains("app_token_accepted  []"));
}

TEST(EngineAudit, TellsThatCallsWorkAgain) {
  EngineBox box;
  box.start();
  box.roster({entry("id:1")});
  box.settle();
  box.reply(box.oldest_call(), NotEligible{});
  box.settle();
  const auto opened = take_trail(box);
  ASSERT_FALSE(opened.empty());
  EXPECT_THAT(opened.back(), testing::StartsWith("breaker_opened  ["));
  box.run_for(30s);
  box.reply(box.oldest_call(), issued("access-1", "refresh-1", box.circle(), 1));
  box.settle();
  EXPECT_THAT(take_trail(box), testing::Contains("breaker_closed  []"));
}

}  // namespace
}  // namespace rota::test

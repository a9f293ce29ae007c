#include "engine/outbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "tests/unit/plan/records.h"

namespace rota {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;
using testing::IsEmpty;

using State = Outbox::State;

constexpr WaitAnswer kServe{.result = WaitResult::kServe};

BootTime at(Duration since_boot) { return BootTime{since_boot}; }

Error disk_full() { return {.kind = ErrorKind::kFull, .message = "no space left"}; }

// One word for each change, so that a failed test shows which batch it saw.
std::string word(const Mutation& change) {
  if (const auto* put = std::get_if<PutToken>(&change)) {
    return "put " + std::to_string(static_cast<std::int64_t>(put->token.id));
  }
  if (const auto* erase = std::get_if<EraseToken>(&change)) {
    return "erase " + std::to_string(static_cast<std::int64_t>(erase->token));
  }
  if (const auto* forget = std::get_if<ForgetMember>(&change)) {
    return "forget " + std::to_string(static_cast<std::int64_t>(forget->member));
  }
  if (const auto* call = std::get_if<PutCall>(&change)) {
    return "call " + std::to_string(static_cast<std::int64_t>(call->row.id));
  }
  if (std::holds_alternative<Scrub>(change)) return "scrub";
  if (std::holds_alternative<PutMeta>(change)) return "meta";
  return "?";
}

std::vector<std::string> words(const std::vector<Mutation>& changes) {
  std::vector<std::string> words;
  for (const Mutation& change : changes) words.push_back(word(change));
  return words;
}

Mutation erase(std::int64_t token) { return EraseToken{TokenId{token}}; }

Mutation put(std::int64_t member, std::int64_t token) {
  return PutToken{.member = MemberId{member}, .token = test::access_token(token, "access")};
}

Mutation row_of(std::int64_t call) {
  PutCall put{};
  put.row.id = CallId{call};
  return put;
}

Mutation forget(std::int64_t member) { return ForgetMember{MemberId{member}}; }

command::Reloaded reloaded(std::uint64_t reload) {
  return {.reload = ReloadId{reload}, .plan = std::make_shared<RosterPlan>()};
}

class OutboxTest : public testing::Test {
 protected:
  std::vector<std::string> begin(BootTime now = {}) { return words(outbox.begin({}, now)); }
  void fail_commit() { outbox.failed(disk_full(), at(5s)); }

  Outbox outbox;
};

TEST_F(OutboxTest, IsEmptyAtFirst) {
  EXPECT_EQ(outbox.state(), State::kIdle);
  EXPECT_TRUE(outbox.is_empty());
  EXPECT_TRUE(outbox.is_durable());
  EXPECT_FALSE(outbox.has_changes());
  EXPECT_EQ(outbox.failures(), 0);
  EXPECT_FALSE(outbox.error());
  EXPECT_EQ(outbox.held_back(), 0U);
}

TEST_F(OutboxTest, P2WhatFollowsLeavesOnlyOnceItIsDurable) {
  outbox.change(erase(1));
  outbox.then(command::Withdraw{MemberId{1}});
  outbox.then(command::Publish{});
  outbox.answer(WaitId{2}, kServe);
  outbox.report(OperatorId{3});
  outbox.change(row_of(4));
  outbox.send_when_durable(CallId{4});
  outbox.change(row_of(5));
  outbox.send_when_durable(CallId{5});
  EXPECT_EQ(outbox.held_back(), 2U) << "the answer and the report";

  EXPECT_THAT(begin(), ElementsAre("erase 1", "call 4", "call 5"));
  EXPECT_EQ(outbox.held_back(), 2U);
  EXPECT_FALSE(outbox.is_empty());

  const Outbox::Released released = outbox.committed();
  ASSERT_EQ(released.then.size(), 2U);
  EXPECT_TRUE(std::holds_alternative<command::Withdraw>(released.then[0])) << "in order";
  EXPECT_TRUE(std::holds_alternative<command::Publish>(released.then[1]));
  ASSERT_TRUE(released.answers.contains(WaitId{2}));
  EXPECT_THAT(released.reports, ElementsAre(OperatorId{3}));
  EXPECT_THAT(released.calls, ElementsAre(CallId{4}, CallId{5}));
  EXPECT_TRUE(outbox.is_empty());
  EXPECT_EQ(outbox.held_back(), 0U);
}

TEST_F(OutboxTest, P2WhatGathersDuringACommitWaitsForTheNextOne) {
  outbox.change(erase(1));
  begin();
  outbox.change(erase(2));
  outbox.answer(WaitId{2}, kServe);

  EXPECT_THAT(outbox.committed().answers, IsEmpty());
  EXPECT_EQ(outbox.state(), State::kIdle);
  EXPECT_FALSE(outbox.is_durable()) << "a change waits";
  EXPECT_THAT(begin(), ElementsAre("erase 2"));
  EXPECT_TRUE(outbox.committed().answers.contains(WaitId{2}));
}

TEST_F(OutboxTest, TheClosingChangesAreTheLastOfTheBatch) {
  outbox.changes().push_back(erase(1));
  EXPECT_THAT(words(outbox.begin({PutMeta{}}, {})), ElementsAre("erase 1", "meta"));
}

TEST_F(OutboxTest, WithoutAChangeWhatGatheredLeavesAtOnce) {
  outbox.answer(WaitId{1}, kServe);
  outbox.report(OperatorId{2});
  outbox.then(command::Publish{});
  EXPECT_TRUE(outbox.is_durable());
  EXPECT_FALSE(outbox.is_empty()) << "something is about to leave";

  const Outbox::Released released = outbox.release_unchanged();
  EXPECT_TRUE(released.answers.contains(WaitId{1}));
  EXPECT_THAT(released.reports, ElementsAre(OperatorId{2}));
  EXPECT_EQ(released.then.size(), 1U);
  EXPECT_TRUE(outbox.is_empty());
}

TEST_F(OutboxTest, TheLaterAnswerToAWaitCounts) {
  outbox.answer(WaitId{1}, kServe);
  outbox.answer(WaitId{1}, {.result = WaitResult::kRetired});
  EXPECT_EQ(outbox.release_unchanged().answers.at(WaitId{1}).result, WaitResult::kRetired);
}

TEST_F(OutboxTest, AfterAFailureTheStoreGetsTheVerySameChanges) {
  outbox.change(erase(1));
  outbox.report(OperatorId{1});
  begin();
  fail_commit();
  outbox.change(erase(2));
  outbox.scrub();
  outbox.report(OperatorId{2});
  EXPECT_TRUE(outbox.has_changes());
  EXPECT_THAT(words(outbox.again(at(5s))), ElementsAre("erase 1"));
  fail_commit();
  EXPECT_THAT(words(outbox.again(at(6s))), ElementsAre("erase 1"));
  EXPECT_THAT(outbox.committed().reports, ElementsAre(OperatorId{1}));
  EXPECT_THAT(begin(), ElementsAre("erase 2", "scrub"));
}

TEST_F(OutboxTest, ASeriesOfFailuresIsNewsOnce) {
  outbox.change(erase(1));
  begin();
  EXPECT_TRUE(outbox.failed(disk_full(), at(3s)));
  EXPECT_EQ(outbox.state(), State::kRetrying);
  EXPECT_EQ(outbox.retry_at(), at(3s));
  EXPECT_EQ(outbox.failures(), 1);
  EXPECT_FALSE(outbox.is_durable());

  outbox.again(at(3s));
  EXPECT_EQ(outbox.state(), State::kRunning);
  EXPECT_FALSE(outbox.failed({.kind = ErrorKind::kIo, .message = "later"}, at(7s)));
  EXPECT_EQ(outbox.retry_at(), at(7s));
  EXPECT_EQ(outbox.failures(), 2);
  ASSERT_TRUE(outbox.error());
  EXPECT_EQ(outbox.error()->message, "later");

  outbox.again(at(7s));
  outbox.committed();
  EXPECT_EQ(outbox.state(), State::kIdle);
  EXPECT_EQ(outbox.failures(), 0);
  EXPECT_FALSE(outbox.error());

  outbox.change(erase(2));
  begin();
  EXPECT_TRUE(outbox.failed(disk_full(), at(9s))) << "the one before had worked";
}

TEST_F(OutboxTest, ABatchRunsFromTheLastTimeTheStoreGotIt) {
  EXPECT_EQ(outbox.running_for(at(9s)), 0s) << "the store has none";
  outbox.change(erase(1));
  begin(at(1s));
  EXPECT_EQ(outbox.running_for(at(4s)), 3s);
  fail_commit();
  EXPECT_EQ(outbox.running_for(at(9s)), 0s);
  outbox.again(at(5s));
  EXPECT_EQ(outbox.running_for(at(6s)), 1s);
}

TEST_F(OutboxTest, ABatchScrubsOnceHoweverManyLeaveInIt) {
  outbox.scrub();
  outbox.change(erase(1));
  outbox.scrub();
  EXPECT_THAT(begin(), ElementsAre("scrub", "erase 1"));
  outbox.scrub();
  outbox.committed();
  EXPECT_THAT(begin(), ElementsAre("scrub")) << "the next batch scrubs for itself";
}

TEST_F(OutboxTest, ABatchThatFailedStaysAsItWasThoughItsMemberIsForgottenMeanwhile) {
  outbox.change(put(1, 10));
  EXPECT_THAT(begin(), ElementsAre("put 10"));
  outbox.change(forget(1));
  fail_commit();
  EXPECT_THAT(words(outbox.again({})), ElementsAre("put 10"));
  outbox.committed();
  EXPECT_THAT(begin(), ElementsAre("forget 1"));
}

TEST_F(OutboxTest, AnswersAndReportsAreWithdrawnFromBothBatches) {
  outbox.change(erase(1));
  outbox.answer(WaitId{1}, kServe);
  outbox.report(OperatorId{1});
  begin();
  outbox.change(erase(2));
  outbox.answer(WaitId{1}, kServe);
  outbox.answer(WaitId{2}, kServe);
  outbox.report(OperatorId{1});
  outbox.report(OperatorId{2});
  EXPECT_EQ(outbox.held_back(), 6U) << "of both batches";

  outbox.withdraw_answer(WaitId{1});
  outbox.withdraw_report(OperatorId{1});
  EXPECT_EQ(outbox.held_back(), 2U);
  const Outbox::Released first = outbox.committed();
  EXPECT_THAT(first.answers, IsEmpty());
  EXPECT_THAT(first.reports, IsEmpty());
  begin();
  const Outbox::Released second = outbox.committed();
  EXPECT_EQ(second.answers.size(), 1U);
  EXPECT_TRUE(second.answers.contains(WaitId{2}));
  EXPECT_THAT(second.reports, ElementsAre(OperatorId{2}));
}

TEST_F(OutboxTest, ReloadsAreWithdrawnFromBothBatchesAndTheirRostersStay) {
  outbox.change(erase(1));
  outbox.then(reloaded(1));
  outbox.then(command::RosterInForce{.reload = ReloadId{1}});
  begin();
  fail_commit();
  outbox.change(erase(2));
  outbox.then(reloaded(2));
  EXPECT_THAT(outbox.withdraw_reloaded(),
              ElementsAre(Field(&command::Reloaded::reload, ReloadId{1}),
                          Field(&command::Reloaded::reload, ReloadId{2})));
  EXPECT_THAT(outbox.withdraw_reloaded(), IsEmpty()) << "each is told once";

  outbox.again({});
  const Commands first = outbox.committed().then;
  ASSERT_EQ(first.size(), 1U);
  EXPECT_TRUE(std::holds_alternative<command::RosterInForce>(first[0]));
  begin();
  EXPECT_THAT(outbox.committed().then, IsEmpty());
}

TEST_F(OutboxTest, WhatIsDurableAlreadyIsTakenWithoutACommit) {
  outbox.change(erase(1));
  outbox.then(command::Publish{});
  EXPECT_EQ(outbox.take_then().size(), 1U);
  EXPECT_THAT(outbox.take_then(), IsEmpty());
  EXPECT_THAT(begin(), ElementsAre("erase 1")) << "the changes stay";
}

TEST_F(OutboxTest, P2AMergedMemberIsFollowedUntilTheTableKnows) {
  outbox.change(forget(1));
  outbox.merged(MemberId{1}, MemberId{2});
  EXPECT_EQ(outbox.owner_of(MemberId{1}), MemberId{2});
  begin();
  EXPECT_EQ(outbox.owner_of(MemberId{1}), MemberId{2});
  EXPECT_EQ(outbox.owner_of(MemberId{9}), MemberId{9}) << "nothing became of it";
  outbox.committed();
  EXPECT_EQ(outbox.owner_of(MemberId{1}), MemberId{1}) << "the table shows it no more";
}

TEST_F(OutboxTest, MergesAreFollowedOverBothBatches) {
  outbox.change(forget(1));
  outbox.merged(MemberId{1}, MemberId{2});
  outbox.change(forget(2));
  outbox.merged(MemberId{2}, MemberId{3});
  begin();
  outbox.change(forget(3));
  outbox.merged(MemberId{3}, MemberId{4});
  EXPECT_EQ(outbox.owner_of(MemberId{1}), MemberId{4});
  EXPECT_EQ(outbox.owner_of(MemberId{3}), MemberId{4});
  outbox.committed();
  EXPECT_EQ(outbox.owner_of(MemberId{3}), MemberId{4}) << "its batch still gathers";
  EXPECT_EQ(outbox.owner_of(MemberId{1}), MemberId{1});
}

// "1:7" for each Publish: the member, and the fingerprint of its token.
std::vector<std::string> tokens_of(const Outbox::Released& released) {
  std::vector<std::string> words;
  for (const Command& command : released.then) {
    const Published& row = std::get<command::Publish>(command).row;
    words.push_back(std::to_string(static_cast<std::int64_t>(row.member)) + ":" +
                    std::to_string(row.fingerprint));
  }
  return words;
}

Command publish(std::int64_t member, Fingerprint token) {
  Published row;
  row.member = MemberId{member};
  row.access_token = make_secret("access");
  row.fingerprint = token;
  return command::Publish{std::move(row)};
}

TEST_F(OutboxTest, ATokenThatIsGivenBackLeavesBothBatchesAndItsSuccessorStays) {
  for (const bool named : {true, false}) {
    outbox = {};
    outbox.change(erase(1));
    outbox.then(publish(1, 7));
    outbox.then(publish(2, 7));
    begin();
    outbox.change(forget(9));
    outbox.merged(MemberId{9}, MemberId{1});
    outbox.then(publish(1, 7));
    outbox.then(publish(9, 7));
    outbox.then(publish(1, 8));
    EXPECT_THAT(named ? outbox.unserve(MemberId{1}, 7) : outbox.unserve(MemberId{1}),
                ElementsAre(MemberId{1}, MemberId{9}));
    EXPECT_THAT(tokens_of(outbox.committed()), ElementsAre("1:0", "2:7"));
    begin();
    EXPECT_THAT(tokens_of(outbox.committed()), ElementsAre("1:0", "9:0", named ? "1:8" : "1:0"));
  }
}

TEST_F(OutboxTest, P11TagsThatARosterTakesAwayLeaveBothBatches) {
  const auto tagged = [](std::int64_t member) {
    auto shown = std::get<command::Publish>(publish(member, 7));
    shown.row.tags = {"a", "b"};
    return shown;
  };
  const auto tags_in = [](const Outbox::Released& released) {
    std::vector<std::string> texts;
    for (const Command& command : released.then) {
      const Published& row = std::get<command::Publish>(command).row;
      texts.push_back(
          fmt::format("{}:{}", std::to_underlying(row.member), fmt::join(row.tags, "")));
    }
    return texts;
  };
  outbox.change(erase(1));
  outbox.then(tagged(1));
  outbox.then(tagged(2));
  begin();
  outbox.change(forget(9));
  outbox.merged(MemberId{9}, MemberId{1});
  outbox.then(tagged(9));
  EXPECT_THAT(outbox.keep_tags(MemberId{1}, {"b"}), ElementsAre(MemberId{1}, MemberId{9}));
  EXPECT_THAT(tags_in(outbox.committed()), ElementsAre("1:b", "2:ab"));
  begin();
  EXPECT_THAT(tags_in(outbox.committed()), ElementsAre("9:b"));
}

TEST_F(OutboxTest, AStepOutOfItsStateEndsTheProcess) {
  EXPECT_DEATH(begin(), "check failed") << "there is no change";
  EXPECT_DEATH(outbox.again({}), "check failed");
  EXPECT_DEATH(outbox.committed(), "check failed");
  EXPECT_DEATH(outbox.failed(disk_full(), {}), "check failed");
  outbox.change(erase(1));
  EXPECT_DEATH(outbox.release_unchanged(), "check failed") << "there is a change";
  begin();
  outbox.change(erase(2));
  EXPECT_DEATH(begin(), "check failed") << "one at a time";
  EXPECT_DEATH(outbox.again({}), "check failed") << "it has not failed";
}

TEST_F(OutboxTest, P3ACallWithoutItsJournalRowEndsTheProcess) {
  outbox.send_when_durable(CallId{1});
  EXPECT_DEATH(outbox.release_unchanged(), "check failed") << "no change at all";
  outbox.change(erase(1));
  outbox.change(row_of(2));
  EXPECT_DEATH(begin(), "check failed") << "the row of another call";
  outbox.change(row_of(1));
  EXPECT_THAT(begin(), ElementsAre("erase 1", "call 2", "call 1"));
}

TEST_F(OutboxTest, P3TheJournalRowOfAnEarlierBatchIsNotEnough) {
  outbox.change(row_of(1));
  begin();
  outbox.send_when_durable(CallId{1});
  outbox.change(erase(1));
  outbox.committed();
  EXPECT_DEATH(begin(), "check failed");
}

}  // namespace
}  // namespace rota

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/health.h"
#include "tests/unit/engine/engine_box.h"

// More members than the budget keeps fresh: who is, and what the others get.
namespace rota::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// 18 background calls in five minutes and a call every 50 minutes for each member: 180 fit.
constexpr int kMembers = 200;
constexpr std::size_t kFits = 180;

Policy small_budget() {
  Policy policy = exact_policy();
  policy.requests_per_window = 20;
  return policy;
}

// As many digits each, so that the order of the keys is that of the numbers.
constexpr std::int64_t kFirst = 1'000;
std::string key_of(std::int64_t id) { return fmt::format("id:{}", kFirst + id); }

EngineBox crowded_box() {
  EngineBox box({}, small_budget());
  box.start();
  std::vector<RosterEntry> entries;
  for (int id = 1; id <= kMembers; ++id) entries.push_back(entry(key_of(id)));
  box.roster(entries);
  box.settle();
  return box;
}

// Answers every call at once with new tokens, for this long.
void run_answering(EngineBox& box, Duration d, Duration step = 10s) {
  const BootTime end = box.now.boot + d;
  while (box.now.boot < end) {
    box.run_for(step);
    for (const auto& call : box.open_calls()) {
      const std::int64_t id = call.request.member.id();
      const std::string access = fmt::format("a{}-{}", id, box.calls.size());
      if (call.request.kind == CallKind::kIssue) {
        box.reply(call, issued(access, fmt::format("r{}", id), box.circle(), id), box.circle());
      } else {
        box.reply(call, refreshed(access, box.circle() + 1h), box.circle());
      }
      box.settle();
    }
  }
}

std::size_t served(const EngineBox& box) {
  std::size_t count = 0;
  for (int id = 1; id <= kMembers; ++id) count += box.served(key_of(id)).empty() ? 0 : 1;
  return count;
}

TEST(EngineUpkeep, AsManyAsFitAreKeptFreshAndTheOthersAreIssuedOnDemand) {
  EngineBox box = crowded_box();
  EXPECT_EQ(box.engine.members().upkeep().capacity(), kFits);
  EXPECT_EQ(box.engine.members().upkeep().left_out(), kMembers - kFits);
  run_answering(box, 3h);
  EXPECT_EQ(served(box), kFits);
  EXPECT_EQ(box.engine.census().fresh(box.circle()), kFits) << "all of them, after three hours";
  EXPECT_EQ(count_members(box.engine, box.now).overdue, 0U);

  const MemberId last{kMembers};
  EXPECT_EQ(box.served(key_of(kMembers)), "");
  const WaitId wait = box.wait(kMembers);
  run_answering(box, 5s, 1s);
  EXPECT_EQ(box.answer_of(wait), WaitResult::kServe);
  EXPECT_TRUE(box.engine.members().keeps(*box.engine.find(last))) << "used last, so it comes in";
  EXPECT_EQ(box.engine.members().upkeep().kept(), kFits);
  run_answering(box, 2h);
  EXPECT_NE(box.served(key_of(kMembers)), "");
}

TEST(EngineUpkeep, TheLastUseOutlivesAKill) {
  EngineBox box = crowded_box();
  box.used({MemberId{195}});
  EXPECT_TRUE(box.engine.members().keeps(box.slot(key_of(195))));
  box.run_for(15s);  // by then it is on record
  EngineBox again = box.restarted(1min);
  again.start();
  EXPECT_TRUE(again.engine.members().keeps(again.slot(key_of(195))));
  EXPECT_FALSE(again.engine.members().keeps(again.slot(key_of(180))));
}

TEST(EngineUpkeep, UsesAreWrittenRarelyAndAllOfThemAtAStop) {
  EngineBox box = crowded_box();
  for (int minute = 0; minute < 50; ++minute) {
    box.used({MemberId{1}});
    run_answering(box, 1min);
  }
  const WallTime last = box.slot(key_of(1)).record.last_used;
  EXPECT_GT(last, box.durable.find_member(MemberId{1})->last_used + 40min);
  box.stop();
  box.settle();
  EXPECT_EQ(box.durable.find_member(MemberId{1})->last_used, last);
}

TEST(EngineUpkeep, AfterAnOutageWhatIsInUseComesFirst) {
  EngineBox box({}, small_budget());
  box.start();
  std::vector<RosterEntry> entries;
  for (int id = 1; id <= 40; ++id) entries.push_back(entry(key_of(id)));
  box.roster(entries);
  box.settle();
  run_answering(box, 20min);
  ASSERT_EQ(served(box), 40U);
  for (int id = 31; id <= 40; ++id) box.used({MemberId{id}});
  box.advance(5h);  // as a suspend: every token ends
  box.settle();
  const std::size_t before = box.calls.size();
  run_answering(box, 5min);
  ASSERT_GT(box.calls.size(), before + 10);
  std::size_t in_use = 0;
  for (std::size_t i = before; i < before + 10; ++i) {
    in_use += box.calls[i].request.member.id() > kFirst + 30 ? 1 : 0;
  }
  EXPECT_GE(in_use, 8U) << "but for the least share of the others";
}

}  // namespace
}  // namespace rota::test

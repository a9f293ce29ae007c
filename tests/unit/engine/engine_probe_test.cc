#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/unit/engine/engine_box.h"

// Where Circle answers an early refresh with the token that it gave before, one a day asks whether
// that still holds.
namespace rota::test {
namespace {

std::string key_of(std::int64_t id) { return fmt::format("id:{}", id); }

// A Circle that gives no new access token before the old one's end.
class ProbeTest : public testing::Test {
 protected:
  // Members whose tokens end together.
  void start(std::int64_t members) {
    box.start();
    std::vector<RosterEntry> entries;
    for (std::int64_t id = 1; id <= members; ++id) entries.push_back(entry(key_of(id)));
    box.roster(entries);
    learn(members);
  }
  // Until the refreshes that are due next have taught, from which on probes are counted.
  void learn(std::int64_t members) {
    run(2h);
    ASSERT_TRUE(box.engine.facts().early_refresh_useless);
    ASSERT_EQ(early.size(), static_cast<std::size_t>(members)) << "all were due at once";
    early = {early.back()};
  }

  void run(Duration d) {
    for (const BootTime end = box.now.boot + d; box.now.boot < end;) {
      box.run_for(10s);
      for (const auto& call : box.open_calls()) answer(call);
    }
  }

  void answer(const command::Call& call) {
    const std::int64_t id = call.request.member.id();
    const std::string fresh = fmt::format("a{}-{}", id, ++answers);
    const Token* access = current(box.slot(key_of(id)).record, TokenKind::kAccess);
    if (call.request.kind == CallKind::kIssue) {
      box.reply(call, issued(fresh, fmt::format("r{}", id), box.circle(), id), box.circle());
    } else if (gives_early || access == nullptr || box.circle() >= access->expires_at) {
      box.reply(call, refreshed(fresh, box.circle() + 1h), box.circle());
    } else {
      early.push_back(box.circle());
      if (failing.contains(early.size())) {
        box.reply(call, Transient{.reason = TransientReason::kServerError, .why = "a test"},
                  box.circle());
      } else {
        box.reply(call, refreshed(access->value->reveal(), access->expires_at), box.circle());
      }
    }
    box.settle();
  }

  void expect_a_probe_a_day() const {
    ASSERT_EQ(early.size(), 3U) << "the one that taught, and a probe on each of the next two days";
    for (std::size_t i = 1; i < early.size(); ++i) {
      EXPECT_GE(early[i] - early[i - 1], 23h) << i;
      EXPECT_LE(early[i] - early[i - 1], 26h) << i;
    }
  }

  EngineBox box;
  bool gives_early = false;
  std::size_t answers = 0;
  std::vector<WallTime> early;    // when a refresh came before the end of the token
  std::set<std::size_t> failing;  // which of these fail, counted from the one that taught, 1
};

TEST_F(ProbeTest, IsOnceADay) {
  start(1);
  run(70h);
  expect_a_probe_a_day();
  EXPECT_LE(box.calls.size(), 3 * 24U + 4);
}

TEST_F(ProbeTest, IsOnceADayForAllMembersTogether) {
  start(5);
  run(70h);
  expect_a_probe_a_day();
}

TEST_F(ProbeTest, TheFirstIsADayAfterTheReplyThatTaught) {
  start(1);
  gives_early = true;
  run(60h);  // the probe finds that early refreshes are of use
  ASSERT_FALSE(box.engine.facts().early_refresh_useless);
  gives_early = false;
  early.clear();
  learn(1);
  run(70h);
  expect_a_probe_a_day();
}

TEST_F(ProbeTest, ThatFailsIsNotMadeAgainOnThatDay) {
  start(1);
  failing = {2};
  run(70h);
  expect_a_probe_a_day();
}

TEST_F(ProbeTest, ThatFailsIsNotMadeAgainByAnotherMember) {
  start(5);
  failing = {2, 3};
  run(70h);
  expect_a_probe_a_day();
}

}  // namespace
}  // namespace rota::test

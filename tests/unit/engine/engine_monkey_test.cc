#include <gtest/gtest.h>

#include "tests/unit/engine/engine_box.h"

// Events in random order, with every kind of outcome: nothing throws or aborts, the engine never
// asks to be woken at once forever, and the checks of EngineBox (P2, P3, P9) hold at every command.
// What a seed does is the same in every run.
namespace rota::test {
namespace {

constexpr int kKeys = 12;

std::string key_of(std::uint64_t i) {
  // Every Circle member from 1 to 4 has three names.
  const std::uint64_t id = 1 + i % 4;
  switch (i % 3) {
    case 0:
      return fmt::format("id:{}", id);
    case 1:
      return fmt::format("email:m{}@example.com", id);
    default:
      return fmt::format("sso:m{}", id);
  }
}

class Monkey {
 public:
  explicit Monkey(std::uint64_t seed) : random_(seed), policy_(exact_policy()) {
    policy_.requests_per_window = 30;
    policy_.max_in_flight = 1 + random_.below(6);
    policy_.jitter = 0.1;
    if (random_.below(2) == 0) policy_.revoke_superseded_after = 2min;
    box_.emplace(Snapshot{}, policy_);
    box_->start();
  }

  void step() {
    switch (random_.below(14)) {
      case 0:
        roster();
        break;
      case 1:
        for (int i = 0; i < 3; ++i) wait();
        break;
      case 2:
        box_->operate(key_of(random_.below(kKeys)), static_cast<OperatorAction>(random_.below(3)));
        break;
      case 3:
        if (random_.below(20) == 0) box_->revoke_all();
        break;
      case 4:
        box_->new_app_token();
        break;
      case 5:
        if (random_.below(10) == 0) restart();
        break;
      case 6:
        if (box_->commit_pending()) box_->commit_fail();
        break;
      case 7:
        box_->run_for(random_.up_to(30min));
        break;
      case 8:
        box_->advance(random_.up_to(Duration{5'000}));
        break;
      case 9:
        if (random_.below(10) == 0) box_->run_for(std::chrono::days{random_.below(100)});
        break;
      default:
        if (box_->commit_pending() && random_.below(2) == 0) box_->commit_ok();
        reply();
    }
  }

  // All is answered in the end, and no slot of flight or budget is lost.
  void finish() {
    box_->stop();
    for (int i = 0; i < 100 && !box_->engine.drained(); ++i) {
      box_->advance(6s);
      box_->settle();
      while (!box_->open_calls().empty()) reply();
    }
    EXPECT_TRUE(box_->engine.drained());
    EXPECT_EQ(box_->engine.waits(), 0U);
    EXPECT_EQ(box_->answers.size(), waits_);
    EXPECT_EQ(box_->engine.gate().in_flight(), 0U);
    EXPECT_EQ(box_->durable.open_calls(), 0U);
  }

  std::size_t replies() const { return replies_; }

 private:
  void roster() {
    std::vector<RosterEntry> entries;
    std::vector<bool> seen(kKeys);
    for (std::uint64_t i = 0; i < 1 + random_.below(kKeys); ++i) {
      const std::uint64_t k = random_.below(kKeys);
      if (seen[k]) continue;
      seen[k] = true;
      entries.push_back(entry(key_of(k), random_.below(5) == 0));
    }
    box_->roster(entries);
  }

  void wait() {
    const MemberSlot* slot = box_->find(key_of(random_.below(kKeys)));
    if (slot == nullptr) return;
    ++waits_;
    const auto refused = random_.below(3) == 0 && !slot->record.tokens.empty()
                             ? std::optional(slot->record.tokens.front().fingerprint)
                             : std::nullopt;
    box_->wait(static_cast<std::int64_t>(slot->record.id), random_.up_to(20s), refused,
               random_.below(2) == 0, random_.up_to(2h));
  }

  void restart() {
    box_->settle();
    box_.emplace(box_->restarted(random_.up_to(1h)));
    waits_ = 0;
    box_->start();
  }

  void reply() {
    const auto open = box_->open_calls();
    if (open.empty()) return;
    ++replies_;
    const command::Call& call = open[random_.below(open.size())];
    box_->reply(call, outcome(call.request), box_->circle() + Duration{1'000} - random_.up_to(2s));
  }

  Outcome outcome(const AuthRequest& request) {
    switch (random_.below(12)) {
      case 0:
        return AppTokenRefused{};
      case 1:
        return Throttled{random_.below(2) == 0 ? std::nullopt : std::optional<Duration>(7s)};
      case 2:
        return transient(static_cast<TransientReason>(random_.below(5)));
      case 3:
        return NotEligible{};
      default:
        break;
    }
    const WallTime circle = box_->circle();
    const std::string n =
        fmt::to_string(++tokens_ / (1 + random_.below(2)));  // at times one seen before
    switch (request.kind) {
      case CallKind::kIssue: {
        if (random_.below(8) == 0) return MemberUnknown{};
        const std::string& value = request.member.value;
        const std::string digits = value.substr(value.find_first_of("1234"), 1);
        const std::int64_t id = random_.below(12) == 0 ? 9 : std::stoll(digits);
        return issued(fmt::format("a{}-{}", id, n), fmt::format("r{}-{}", id, n), circle, id);
      }
      case CallKind::kRefresh:
        if (random_.below(8) == 0) return RefreshTokenDead{};
        return refreshed("b" + n, circle + random_.up_to(1h));
      case CallKind::kRevokeRefresh:
      case CallKind::kRevokeAccess:
        if (random_.below(2) == 0) return AlreadyDead{};
        return Revoked{};
    }
    return Revoked{};
  }

  Random random_;
  Policy policy_;
  std::optional<EngineBox> box_;
  std::size_t waits_ = 0, tokens_ = 0, replies_ = 0;
};

TEST(EngineMonkey, AnyOrderOfEventsIsSurvived) {
  std::size_t replies = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Monkey monkey(seed);
    for (int i = 0; i < 400; ++i) ASSERT_NO_FATAL_FAILURE(monkey.step());
    monkey.finish();
    replies += monkey.replies();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(replies, 5'000U) << "the events led to too little";
}

}  // namespace
}  // namespace rota::test

#include "engine/quota_turn.h"

#include <algorithm>
#include <utility>

#include "engine/engine.h"

namespace rota {
namespace {

constexpr Duration kShareEvery = std::chrono::seconds{10};
// Smaller changes are not worth a look at who is kept fresh.
constexpr std::size_t kShareSteps = 20;

}  // namespace

void QuotaTurn::begin(Engine& engine, Now now) {
  engine.share_budget();
  completed_ = engine.gate().completed();
  recall(engine, now.boot);
  tell_share(engine, now);
}

void QuotaTurn::recall(Engine& engine, BootTime now) {
  held_ = engine.gate().in_flight();
  completed_ = engine.gate().completed();
  budget_.recall(engine.budget().ended(now), held_, now);
}

void QuotaTurn::count_ended(const Engine& engine, BootTime now) {
  const auto ended = static_cast<std::size_t>(engine.gate().completed() - completed_);
  if (ended == 0) return;
  completed_ += ended;
  budget_.complete(ended, now);
  held_ -= std::min(held_, ended);
}

bool QuotaTurn::settle(Engine& engine, Now now, const std::function<void(Commands)>& carry_out) {
  count_ended(engine, now.boot);
  if (budget_.lost(now.boot)) recall(engine, now.boot);
  tell_share(engine, now);
  std::size_t lacking = 0;
  while (sum_of(engine.wanted_calls()) > 0) {
    const CallCounts got = budget_.take(engine.wanted_calls(), now.boot);
    lacking = sum_of(engine.wanted_calls()) - sum_of(got);
    if (sum_of(got) == 0) break;
    held_ += sum_of(got);
    const std::size_t before = engine.gate().in_flight();
    Commands commands;
    engine.on_quota(got, now, commands);
    carry_out(std::move(commands));
    if (engine.gate().in_flight() == before) break;  // something else holds them back now
  }
  const std::size_t open = engine.gate().in_flight();
  if (held_ > open) {
    budget_.give_back(held_ - open);
    held_ = open;
  }
  return lacking > 0;
}

// What others do not use counts too: it is lent.
void QuotaTurn::tell_share(Engine& engine, Now now) {
  if (share_told_at_ && now.boot < *share_told_at_ + kShareEvery) return;
  share_told_at_ = now.boot;
  const SharedBudget::View seen = budget_.view(now.boot);
  const std::size_t others = seen.used - std::min(seen.used, seen.own);
  const std::size_t share = std::max(seen.share, seen.limit - std::min(seen.limit, others));
  const std::size_t change = std::max(share, share_told_) - std::min(share, share_told_);
  if (change * kShareSteps <= seen.limit) return;
  share_told_ = share;
  engine.on_share(share, now);
}

}  // namespace rota

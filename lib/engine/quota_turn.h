#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/time.h"
#include "engine/commands.h"
#include "plan/shared_budget.h"

namespace rota {

class Engine;

// Brings the engine and a budget that it shares with others together, after each turn of the
// driver. The engine says which calls lack nothing but the budget (Engine::wanted_calls()); this
// takes them from the budget, hands them to the engine, and counts those that are over. Pure, and
// single-threaded, as the engine is: the driver owns both, and the budget outlives this.
class QuotaTurn {
 public:
  explicit QuotaTurn(SharedBudget& budget) : budget_(budget) {}

  // Once, before Engine::start().
  void begin(Engine& engine, Now now);
  // After each turn. `carry_out` carries out commands of the engine, and must not call this. True:
  // calls wait for the budget, so tick the engine and settle again after kTryAgain.
  bool settle(Engine& engine, Now now, const std::function<void(Commands)>& carry_out);
  static constexpr Duration kTryAgain{100};

 private:
  void count_ended(const Engine& engine, BootTime now);
  void recall(Engine& engine, BootTime now);
  void tell_share(Engine& engine, Now now);

  SharedBudget& budget_;
  std::size_t held_ = 0;         // calls that were taken, and are neither over nor given back
  std::uint64_t completed_ = 0;  // of the engine's calls, those that the budget knows to be over
  std::optional<BootTime> share_told_at_;
  std::size_t share_told_ = 0;
};

}  // namespace rota

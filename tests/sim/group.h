#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "plan/budget_sheet.h"
#include "plan/shared_budget.h"
#include "sim/chronicle.h"
#include "sim/options.h"

namespace rota::sim {

class World;

// Worlds side by side, each with a daemon and a Circle of its own, on one machine: the daemons
// share a budget (plan/budget_sheet.h). The events of all worlds happen in the order of their time.
// Besides the promises of each world, P7 is checked over the sum of their calls.
class Group {
 public:
  struct Options {
    std::uint64_t seed = 1;
    std::size_t worlds = 2;
    bool short_of_calls = false;  // all worlds together need more than the budget has
  };
  explicit Group(const Options& options);
  ~Group();
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  void run();
  // Of all worlds; those of the sum begin with "P7".
  std::vector<std::string> breaches() const;
  Chronicle::Tally tally() const;
  // Of the calls that the budget allows, the part that was made at the busiest time.
  double busiest() const;

 private:
  class Member;

  void look(const World& sender);

  const std::size_t limit_;
  std::vector<std::uint64_t> words_;
  BudgetSheet::Alive alive_;
  std::vector<std::unique_ptr<World>> worlds_;
  std::size_t most_ = 0;
};

}  // namespace rota::sim

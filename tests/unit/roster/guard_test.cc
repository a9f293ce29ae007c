#include "roster/guard.h"

#include <gtest/gtest.h>

#include <array>

namespace rota {
namespace {

TEST(Guard, HoldsOnlyWhatIsMoreThanCountAndMoreThanFraction) {
  struct Row {
    std::size_t retire;
    std::size_t active;
    GuardPolicy policy;
    bool held;
  };
  const std::array rows{
      Row{0, 0, {}, false},
      Row{0, 100, {}, false},
      Row{5, 5, {}, false},  // all of a small roster, but not more than the count
      Row{6, 6, {}, true},
      Row{5, 10'000, {}, false},
      Row{6, 299, {}, true},   // more than 5.98
      Row{6, 300, {}, false},  // exactly a fiftieth
      Row{6, 301, {}, false},
      Row{200, 10'000, {}, false},
      Row{201, 10'000, {}, true},
      Row{29, 100, {0, 0.29}, false},  // 0.29 * 100 is a little less than 29
      Row{30, 100, {0, 0.29}, true},
      Row{1, 1'000'000, {0, 0.0}, true},
      Row{0, 1'000'000, {0, 0.0}, false},
      Row{1'000'000, 1'000'000, {0, 1.0}, false},  // 1 never holds
      Row{1'000'000, 1'000'000, {1'000'000, 0.0}, false},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(held_by_guard(row.retire, row.active, row.policy), row.held)
        << row.retire << " of " << row.active;
  }
}

}  // namespace
}  // namespace rota

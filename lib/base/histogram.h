#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace rota {

// Counts how long things took, for metrics: how many of them took at most each of kBounds, and how
// long all took together. Pure; for one thread.
class Histogram {
 public:
  using Time = std::chrono::microseconds;

  // From a commit on a fast disk to a client's longest wait.
  static constexpr std::array<Time, 15> kBounds{
      Time{500},       Time{1'000},     Time{2'500},     Time{5'000},      Time{10'000},
      Time{25'000},    Time{50'000},    Time{100'000},   Time{250'000},    Time{500'000},
      Time{1'000'000}, Time{2'500'000}, Time{5'000'000}, Time{10'000'000}, Time{30'000'000}};

  // Less than nothing counts as nothing: a clock was set.
  void add(Time took) {
    took = std::max(took, Time{0});
    const auto bound = std::ranges::lower_bound(kBounds, took);
    ++counts_.at(static_cast<std::size_t>(bound - kBounds.begin()));
    sum_ += took;
  }

  // How many took at most kBounds[bound]; with `bound` kBounds.size(), all of them.
  std::uint64_t at_most(std::size_t bound) const {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= bound; ++i) count += counts_.at(i);
    return count;
  }
  std::uint64_t count() const { return at_most(kBounds.size()); }
  Time sum() const { return sum_; }

 private:
  std::array<std::uint64_t, kBounds.size() + 1> counts_{};  // the last: longer than all bounds
  Time sum_{0};
};

}  // namespace rota

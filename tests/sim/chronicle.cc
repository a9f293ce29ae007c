#include "sim/chronicle.h"

#include <fmt/format.h>

namespace rota::sim {

void Chronicle::note(std::string_view event, Duration time, std::string_view detail) {
  constexpr std::uint64_t kFnvPrime = 0x100000001b3U;
  const auto mix = [this](std::uint64_t value) { hash_ = (hash_ ^ value) * kFnvPrime; };
  for (const char c : event) mix(static_cast<unsigned char>(c));
  for (const char c : detail) mix(static_cast<unsigned char>(c));
  mix(static_cast<std::uint64_t>(time.count()));
  const auto known = tally_.find(event);
  if (known != tally_.end()) {
    ++known->second;
  } else {
    tally_.emplace(event, 1);
  }
  if (trace_) fmt::print("{:>12} {} {}\n", time.count(), event, detail);
}

void Chronicle::breach(std::string_view what, Duration time) {
  ++breach_count_;
  const std::string promise(what.substr(0, what.find(':')));
  if (++told_[promise] <= kBreachesMax) {
    breaches_.push_back(fmt::format("{} (seed {}, at {} ms)", what, seed_, time.count()));
  }
  if (trace_) fmt::print("{:>12} BREACH {}\n", time.count(), what);
}

std::size_t Chronicle::count(std::string_view event) const {
  const auto it = tally_.find(event);
  return it == tally_.end() ? 0 : it->second;
}

}  // namespace rota::sim

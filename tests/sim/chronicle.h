#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace rota::sim {

// What happened in a world: a hash over all events in their order, how often each kind of event
// happened, and which promises were broken.
class Chronicle {
 public:
  using Tally = std::map<std::string, std::size_t, std::less<>>;

  Chronicle(std::uint64_t seed, bool trace) : seed_(seed), trace_(trace) {}

  void note(std::string_view event, Duration time, std::string_view detail = {});
  void breach(std::string_view what, Duration time);

  const std::vector<std::string>& breaches() const { return breaches_; }
  std::size_t breach_count() const { return breach_count_; }
  std::uint64_t hash() const { return hash_; }
  const Tally& tally() const { return tally_; }
  std::size_t count(std::string_view event) const;

 private:
  static constexpr std::size_t kBreachesMax = 20;  // only the first ones of each promise are kept

  const std::uint64_t seed_;
  const bool trace_;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  Tally tally_;
  std::vector<std::string> breaches_;
  std::size_t breach_count_ = 0;
  Tally told_;  // breaches of each promise
};

}  // namespace rota::sim

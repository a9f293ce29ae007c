#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/enumerators.h"

namespace rota {

// The queues of calls to Circle, most urgent first.
enum class Lane : std::uint8_t {
  kWaiting,     // a client waits for this token
  kRevocation,  // a leaver's token is still alive
  kRefresh,     // an access token is due by its deadline
  kRenewal,     // a refresh token nears its end
  kIssue,       // the first pair of a member that nobody has asked for yet
  kSuperseded,  // a newer token replaced it and it is still alive; its member stays
};
inline constexpr auto kLanes = enumerators_from<Lane::kWaiting>();
inline constexpr std::size_t kLaneCount = kLanes.size();

// What the rest of Rota has to know of a lane.
struct LaneTraits {
  Lane lane;
  std::string_view name;
  bool client_waits;   // its calls may use the whole budget, and probe an open breaker early
  bool brings_tokens;  // its calls bring tokens
  bool is_background;  // it leaves the reserve of the budget and of the calls in flight to others
};
// In the order of the enum.
inline constexpr auto kLaneTraits = std::to_array<LaneTraits>({
    // lane, name, client_waits, brings_tokens, is_background
    {Lane::kWaiting, "waiting", true, true, false},
    {Lane::kRevocation, "revocation", false, false, false},
    {Lane::kRefresh, "refresh", false, true, true},
    {Lane::kRenewal, "renewal", false, true, true},
    {Lane::kIssue, "issue", false, true, true},
    {Lane::kSuperseded, "superseded", false, false, true},
});
static_assert(std::ranges::equal(kLaneTraits, kLanes, {}, &LaneTraits::lane),
              "each lane has a row, at its place");

constexpr std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }
constexpr const LaneTraits& traits_of(Lane lane) { return kLaneTraits.at(index_of(lane)); }
constexpr std::string_view name_of(Lane lane) { return traits_of(lane).name; }

// Decides which lane sends next: the most urgent one that is ready. But every kLeastShare-th call
// goes to the ready lane that was served the longest ago, so no lane starves.
class LanePicker {
 public:
  // `ready` by index_of(). None if no lane is ready. Each pick counts as a call: send it.
  std::optional<Lane> pick(const std::array<bool, kLaneCount>& ready);

  static constexpr std::uint64_t kLeastShare = 8;

 private:
  std::uint64_t picks_ = 0;
  std::array<std::uint64_t, kLaneCount> last_pick_{};
};

}  // namespace rota

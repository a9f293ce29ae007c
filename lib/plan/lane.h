#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

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
inline constexpr std::size_t kLaneCount = 6;
inline constexpr std::array<Lane, kLaneCount> kLanes{Lane::kWaiting, Lane::kRevocation,
                                                     Lane::kRefresh, Lane::kRenewal,
                                                     Lane::kIssue,   Lane::kSuperseded};

constexpr std::size_t index_of(Lane lane) { return static_cast<std::size_t>(lane); }
std::string_view name_of(Lane lane);

// Whether the calls of a lane bring tokens.
constexpr bool brings_tokens(Lane lane) {
  return lane != Lane::kRevocation && lane != Lane::kSuperseded;
}

// Whether a lane leaves the budget's reserve to the others.
constexpr bool is_background(Lane lane) {
  return lane != Lane::kWaiting && lane != Lane::kRevocation;
}

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

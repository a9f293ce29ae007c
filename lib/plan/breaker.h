#pragma once

#include <optional>
#include <set>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "model/outcome.h"
#include "model/record.h"

namespace rota {

// Why no ordinary call is sent.
enum class BreakerState {
  kClosed,           // all is well
  kAppTokenRefused,  // 401 about the app token: an operator's matter
  kNotEligible,      // 403 about the community: an operator's matter
  kFailing,          // several members in a row got no usable reply
};
std::string_view name_of(BreakerState state);

// The breaker for the whole upstream (P8): open, it lets one probe at a time through, at growing
// distances. Only failures of different members open it, so that one bad member stops nobody else,
// and no reply counts that is about one token or one member (Transient::about_one).
class Breaker {
 public:
  // Whether a call may be sent: always when closed; when open, one at a time and not before
  // probe_at(). A waiting client's call may probe kUrgentProbeGap after the last one.
  bool may_send(BootTime now, std::size_t in_flight, bool urgent) const;
  std::optional<BootTime> probe_at(bool urgent) const;  // none when closed

  // Takes note of an outcome. True when this changed the state: worth one line in the log.
  bool on_outcome(const Outcome& outcome, MemberId member, BootTime now, Random& random);
  // A new app token was read: what was refused before may pass now. True when this closed it.
  bool on_new_app_token();

  BreakerState state() const { return state_; }

  static constexpr std::size_t kFailingMembers = 3;
  static constexpr Duration kProbeGapMin{1'000};
  static constexpr Duration kProbeGapMax{30'000};
  static constexpr Duration kUrgentProbeGap{1'000};

 private:
  void open(BreakerState why, BootTime now, Random& random);
  void close();

  BreakerState state_ = BreakerState::kClosed;
  std::set<MemberId> failing_;  // since the last usable reply, at most kFailingMembers of them
  int probes_ = 0;
  BootTime last_probe_{};
  BootTime probe_at_{};
};

}  // namespace rota

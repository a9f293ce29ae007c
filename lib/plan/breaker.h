#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "base/random.h"
#include "base/time.h"
#include "model/outcome.h"
#include "model/record.h"

namespace rota {

// Whether ordinary calls are held back, and why.
enum class BreakerState {
  kClosed,           // all is well
  kAppTokenRefused,  // 401 about the app token: an operator must act
  kNotEligible,      // 403 about the community: an operator must act
  kFailing,          // several members in a row got no usable reply
};
std::string_view name_of(BreakerState state);

// The breaker for the whole upstream (P8). While it is open, it lets one probe at a time through,
// at growing intervals. One refusal of the app token or of the community opens it. Any other
// failure must hit kFailingMembers different members without a usable reply in between, so one bad
// member stops nobody else. Nor do several: a member that failed in kBadSpells spells while calls
// of others worked is known to be bad, and its failures say nothing until one of its calls works.
// Replies about one token or one member (Transient::about_one) never open the breaker. If nothing
// works for the members that clients wait for, these clients send probe after probe, and all of
// them fail. So an urgent probe does not put off the next ordinary one, which may be that of a
// member for whom all works. Times are on the boot clock, and are given in order.
class Breaker {
 public:
  // Whether a call may be sent. Closed: always. Open: only if no call is in flight, and not before
  // probe_at(). An urgent call, for which a client waits, may probe kUrgentProbeGap after the last
  // probe.
  bool may_send(BootTime now, std::size_t in_flight, bool urgent) const;
  std::optional<BootTime> probe_at(bool urgent) const;  // none if closed

  // Takes note of every outcome. `urgent`: a client waited for this call. True if this changed the
  // state: worth one line in the log.
  bool on_outcome(const Outcome& outcome, MemberId member, bool urgent, BootTime now,
                  Random& random);
  // A new app token was read: what Circle refused before may pass now. True if this closed the
  // breaker; one that is open because calls fail stays open.
  bool on_new_app_token();

  BreakerState state() const { return state_; }

  static constexpr std::size_t kFailingMembers = 3;
  static constexpr int kBadSpells = 2;
  // So many different members in one spell open it, even if all of them are known to be bad.
  static constexpr std::size_t kFailingMax = 64;
  // How many members are remembered that may be bad.
  static constexpr std::size_t kSuspectsMax = 10'000;
  static constexpr Duration kProbeGapMin{1'000};
  static constexpr Duration kProbeGapMax{30'000};
  static constexpr Duration kUrgentProbeGap{1'000};

 private:
  void open(BreakerState why, bool urgent, BootTime now, Random& random);
  void close();
  void worked(MemberId member);
  bool opens() const;
  bool is_bad(MemberId member) const;

  BreakerState state_ = BreakerState::kClosed;
  std::set<MemberId> failing_;        // since the last usable reply
  std::map<MemberId, int> suspects_;  // in how many spells they failed and others did not
  int probes_ = 0;
  BootTime last_probe_{};
  BootTime probe_at_{};
};

}  // namespace rota

#include "plan/dead_arrivals.h"

#include <algorithm>

namespace rota {

DeadArrivals::News DeadArrivals::on_arrival(MemberId member, bool dead, BootTime now,
                                            Random& random) {
  if (!dead) {
    in_a_row_.clear();
    probes_ = 0;
    const bool was_last = members_.erase(member) > 0 && members_.empty();
    if (was_last) alarmed_ = false;
    return was_last ? News::kOver : News::kNone;
  }
  const bool is_first = members_.empty();
  members_.insert(member);
  // A call that was in flight when the gate began to hold back is no probe.
  const bool straggler = holds_back() && now < probe_at_;
  if (!holds_back()) in_a_row_.insert(member);
  if (holds_back() && !straggler) {
    constexpr int kDoublingsMax = 10;
    const auto gap = std::min(kProbeGapMax, kProbeGapMin * (1 << std::min(probes_, kDoublingsMax)));
    ++probes_;
    probe_at_ = now + gap / 2 + random.up_to(gap / 2);
  }
  if (members_.size() >= kMembers && !alarmed_) {
    alarmed_ = true;
    return News::kAlarm;
  }
  return is_first ? News::kFirst : News::kNone;
}

void DeadArrivals::forget(MemberId member) {
  members_.erase(member);
  if (members_.empty()) alarmed_ = false;
}

}  // namespace rota

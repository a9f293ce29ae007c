#include "plan/lane.h"

namespace rota {

std::optional<Lane> LanePicker::pick(const std::array<bool, kLaneCount>& ready) {
  std::optional<Lane> chosen;
  for (const Lane lane : kLanes) {
    if (!ready[index_of(lane)]) continue;
    if (!chosen) chosen = lane;
    const bool fairness_turn = (picks_ + 1) % kLeastShare == 0;
    if (fairness_turn && last_pick_[index_of(lane)] < last_pick_[index_of(*chosen)]) chosen = lane;
  }
  if (chosen) last_pick_[index_of(*chosen)] = ++picks_;
  return chosen;
}

}  // namespace rota

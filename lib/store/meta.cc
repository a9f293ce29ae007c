#include "store/meta.h"

#include <algorithm>
#include <cstddef>

namespace rota {

bool is_time(MetaKey key) {
  switch (key) {
    case MetaKey::kLastCircleTimeMs:
    case MetaKey::kClockSkewMs:
    case MetaKey::kEarlyProbeAtMs:
    case MetaKey::kPausedUntilMs:
    case MetaKey::kClockOffsetMs:
    case MetaKey::kCommitAtMs:
      return true;
    case MetaKey::kEarlyRefreshUseless:
    case MetaKey::kRefreshRotates:
    case MetaKey::kPausedBoot:
    case MetaKey::kClockBoot:
    case MetaKey::kCommitBoot:
    case MetaKey::kRosterFingerprint:
    case MetaKey::kApprovedRoster:
    case MetaKey::kCommitNumber:
    case MetaKey::kHeldClient1:
    case MetaKey::kHeldClient2:
    case MetaKey::kHeldClient3:
    case MetaKey::kHeldClient4:
      return false;
  }
  return false;
}

bool take_over(Meta& meta, MetaKey key, std::int64_t value) {
  switch (key) {
    case MetaKey::kLastCircleTimeMs:
      meta.last_circle_time = WallTime{Duration{value}};
      return true;
    case MetaKey::kEarlyRefreshUseless:
      meta.early_refresh_useless = value != 0;
      return true;
    case MetaKey::kRefreshRotates:
      meta.refresh_rotates = value != 0;
      return true;
    case MetaKey::kClockSkewMs:
      meta.clock_skew = Duration{value};
      return true;
    case MetaKey::kEarlyProbeAtMs:
      meta.early_probe_at = WallTime{Duration{value}};
      return true;
    case MetaKey::kPausedBoot:
      meta.paused_until.boot = BootId{value};
      return true;
    case MetaKey::kPausedUntilMs:
      meta.paused_until.at = BootTime{Duration{value}};
      return true;
    case MetaKey::kClockBoot:
      meta.clock_boot = BootId{value};
      return true;
    case MetaKey::kClockOffsetMs:
      meta.clock_offset = Duration{value};
      return true;
    case MetaKey::kRosterFingerprint:
      meta.roster = static_cast<Fingerprint>(value);
      return true;
    case MetaKey::kApprovedRoster:
      meta.approved_roster = static_cast<Fingerprint>(value);
      return true;
    case MetaKey::kCommitNumber:
      return true;  // the store's own
    case MetaKey::kCommitBoot:
      meta.last_commit.boot = BootId{value};
      return true;
    case MetaKey::kCommitAtMs:
      meta.last_commit.at = BootTime{Duration{value}};
      return true;
    case MetaKey::kHeldClient1:
    case MetaKey::kHeldClient2:
    case MetaKey::kHeldClient3:
    case MetaKey::kHeldClient4: {
      const auto place = std::ranges::find(kHeldClientKeys, key) - kHeldClientKeys.begin();
      meta.held_clients.at(static_cast<std::size_t>(place)) = static_cast<Fingerprint>(value);
      return true;
    }
  }
  return false;
}

}  // namespace rota

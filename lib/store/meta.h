#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/fingerprint.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// Single numbers that survive a restart: a store keeps a row for each. The enum's numbers are in
// databases.
enum class MetaKey {
  kLastCircleTimeMs = 1,     // the latest Circle time seen (P1), milliseconds since 1970
  kEarlyRefreshUseless = 2,  // 1 once Circle answered an early refresh with the old token
  kClockSkewMs = 3,          // Circle's clock minus this machine's wall clock, as last learned
  kEarlyProbeAtMs = 4,       // when to ask again whether early refreshes are of use
  kPausedBoot = 5,           // a pause that Circle asked for: the boot of kPausedUntilMs
  kPausedUntilMs = 6,        // the end of that pause on that boot's clock
  kClockBoot = 7,            // the boot of kClockOffsetMs
  kClockOffsetMs = 8,        // Circle's time minus that boot's clock, as last learned
  kCommitBoot = 9,           // the boot of kCommitAtMs
  kCommitAtMs = 10,          // when the last commit was made, on that boot's clock
  kCommitNumber = 12,        // how many commits there were; only the store itself writes it
  kRosterFingerprint = 11,   // of the files of a roster that is all in force; 0 if none is
  kRefreshRotates = 13,      // 1 once a refresh brought a new refresh token too
  kApprovedRoster = 14,      // of the files of an approved roster that is not all in force yet
  // The fingerprints of the names of clients that may remove no more members until an operator
  // lifts that; 0: none.
  kHeldClient1 = 15,
  kHeldClient2 = 16,
  kHeldClient3 = 17,
  kHeldClient4 = 18,
};
inline constexpr std::array kHeldClientKeys{MetaKey::kHeldClient1, MetaKey::kHeldClient2,
                                            MetaKey::kHeldClient3, MetaKey::kHeldClient4};
using HeldClients = std::array<Fingerprint, kHeldClientKeys.size()>;

// The meaning of these numbers. A number that was never stored has the value below.
struct Meta {
  std::optional<WallTime> last_circle_time;
  Duration clock_skew{0};
  Fingerprint roster = 0;           // kRosterFingerprint
  Fingerprint approved_roster = 0;  // kApprovedRoster
  bool early_refresh_useless = false;
  bool refresh_rotates = false;
  std::optional<WallTime> early_probe_at;
  BootStamp paused_until;
  BootId clock_boot{};  // the boot of clock_offset; 0 if the offset was never learned
  Duration clock_offset{0};
  BootStamp last_commit;
  HeldClients held_clients{};
};

// Whether `key`'s value is a time or a duration. A store checks such a value before anybody
// calculates with it.
bool is_time(MetaKey key);

// Takes one stored number over into `meta`. False, and nothing changes, if no key has this number:
// then another program or a later version wrote it.
[[nodiscard]] bool take_over(Meta& meta, MetaKey key, std::int64_t value);

}  // namespace rota

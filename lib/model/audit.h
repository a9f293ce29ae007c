#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/enumerators.h"
#include "base/fingerprint.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// The kinds of events on the audit trail. The numbers are in databases: add new ones at the end,
// with the next number.
enum class AuditEvent {
  kTokenFetched = 1,      // a client got the member's access token, by a fetch or a watch
  kTokenIssued = 2,       // Circle gave the member a new pair
  kTokenRefreshed = 3,    // Circle gave a new access token for a refresh token
  kPairRenewed = 4,       // a new pair before the refresh token's end
  kTokenRevoked = 5,      // Circle says that it is dead
  kRevocationFailed = 6,  // one attempt; it is tried again
  kRevocationOver = 7,    // nothing is left to revoke: it died of age, or Circle removed its member
  kMemberRetired = 8,     // the roster no longer wants it
  kMemberReturned = 9,    // the roster wants it again
  kMemberBlocked = 10,    // revoked by an operator
  kMemberReinstated = 11,  // let in again by an operator
  kMemberMismatched = 12,  // its selector leads to another member at Circle (P13)
  kRosterApplied = 13,
  kPlanHeld = 14,
  kPlanApproved = 15,
  kReloaded = 16,
  kReloadFailed = 17,
  kGrantsChanged = 18,
  kAppTokenChanged = 19,
  // Requests on the admin socket, and who made them.
  kRotateAsked = 20,
  kRevokeAsked = 21,
  kReinstateAsked = 22,
  kRevokeAllAsked = 23,
  kReloadAsked = 24,
  kApproveAsked = 25,
  // If no kStopped comes before a kStarted, the process died, and the entries of its last second
  // may be missing.
  kStarted = 26,
  kStopped = 27,
  kEnrolled = 28,        // a client, who is named, says that a name is a member
  kEnrolmentEnded = 29,  // it no longer does
  kSignedOut = 30,       // all access tokens on record were given to revocation
  // Requests on any socket, and who made them.
  kSignOutAsked = 31,
  kEnrolAsked = 32,
  kEnrolmentEndAsked = 33,
  kRemovalsLimited = 34,  // a client's removals are held until an operator lifts that
  kHandleRevoked = 35,    // a client's handle of the member
  kClientRefused = 36,    // a listener's client did not say who it is
  // A request on the admin socket, and who made it.
  kRemovalsLiftAsked = 37,
  // Requests on a token socket, and who made them.
  kHandleRevokeAsked = 38,  // a client wants its handle dead
  kTokenRevokeAsked = 39,   // a client gives one access token back
  // A request on the admin socket, and who made it.
  kBackupAsked = 40,
  kRestored = 41,  // an earlier copy of the database took its place
  // What Circle is to rotad. They come in turns: one opens the breaker, another one closes it.
  kBreakerOpened = 42,     // calls fail, or Circle refuses the community: one probe at a time
  kBreakerClosed = 43,     // calls work again
  kAppTokenRefused = 44,   // the same as kBreakerOpened, for an operator to mend
  kAppTokenAccepted = 45,  // Circle takes the app token that it refused
};
inline constexpr auto kAuditEvents = enumerators_from<AuditEvent::kTokenFetched>();
std::string_view name_of(AuditEvent event);

// The trail's parts. Each has its own bounds, so frequent events push out only events of their own
// part. The numbers are in databases.
enum class AuditShare {
  kFetches = 1,    // who got a token: as many as clients make
  kRotations = 2,  // what Circle gave and what it revoked, and logins and logouts: as many as
                   // members make
  kDeeds = 3,      // what operators did, and who came and went
};
AuditShare share_of(AuditEvent event);

// Who it was: as the kernel said when the client connected, or, on a listener, by the name of its
// [[client]]. An unknown part is kNoId, 0 for the pid, or empty for the name.
struct AuditCaller {
  static constexpr std::uint32_t kNoId = static_cast<std::uint32_t>(-1);  // no process can have it

  std::uint32_t uid = kNoId;
  std::uint32_t gid = kNoId;
  std::int32_t pid = 0;
  std::string client{};

  bool operator==(const AuditCaller&) const = default;
};

// Notes with equal keys become one entry with a count.
struct AuditKey {
  AuditEvent event{};
  MemberId member{};      // 0: about no member
  Fingerprint token = 0;  // 0: about no token; only its keyed hash leaves the process
  AuditCaller caller{};
  std::string detail{};  // a few words, never a secret

  bool operator==(const AuditKey&) const = default;
};

// What is to be put on the trail.
struct AuditNote {
  AuditKey key;
  std::string member{};  // its member key, or empty
  WallTime at;           // the first and the last time, on this machine's clock
  WallTime last_at;
  std::uint64_t count = 1;
  std::uint64_t order = 0;  // which of the notes with one `at` came first
};
// Sorts them by the time at which each happened first.
void sort_notes(std::vector<AuditNote>& notes);

// What is on the trail. Later entries have larger ids.
struct AuditEntry {
  std::int64_t id = 0;
  WallTime at, last_at;
  std::uint64_t count = 0;
  AuditEvent event{};
  std::string member;
  AuditCaller caller{};
  std::string token;  // the token's keyed hash in hex, or empty
  std::string detail;
};

// How much of each share of the trail is kept. The oldest entries of the share go first.
struct AuditBounds {
  Duration keep = std::chrono::days{90};
  std::size_t rows_max = 1'000'000;

  bool operator==(const AuditBounds&) const = default;
};

}  // namespace rota

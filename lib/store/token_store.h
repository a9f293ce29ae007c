#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/fingerprint.h"
#include "base/result.h"
#include "model/audit.h"
#include "model/record.h"

namespace rota {

// One change of what is durable. Tokens are shared with the record that they came from.
struct PutMember {
  MemberRecord row;  // its `tokens` are ignored: tokens have mutations of their own
};
struct ForgetMember {
  MemberId member{};  // and all its tokens
};
struct PutToken {
  MemberId member{};  // also moves a token to another member
  Token token;
};
// When a member's token was last asked for. Nothing happens if the member is not on record.
struct PutUse {
  MemberId member{};
  WallTime at;
};
struct EraseToken {
  TokenId token{};  // the sealed bytes are overwritten (secure_delete)
};
struct PutCall {
  CallRow row;
};
struct EraseCall {
  CallId call{};
};
// After this batch the sealed bytes of erased tokens are in no file any more: what is left of them
// in the write-ahead log goes too. It is made good later where the disk does not let it happen now.
struct Scrub {};
// Single numbers that must survive a restart.
enum class MetaKey {
  kLastCircleTimeMs = 1,     // the latest Circle time seen (P1), milliseconds since 1970
  kEarlyRefreshUseless = 2,  // 1 once Circle answered an early refresh with the old token
  kClockSkewMs = 3,          // Circle's clock minus this machine's wall clock, as last learned
  kEarlyProbeAtMs = 4,       // when to ask again whether early refreshes are of use
  kPausedBoot = 5,           // a pause that Circle asked for: the BootId of kPausedUntilMs
  kPausedUntilMs = 6,        // and its end on that boot's clock
  kClockBoot = 7,            // Circle's clock as last learned: the BootId of kClockOffsetMs
  kClockOffsetMs = 8,        // and Circle's time minus that boot's clock
  kCommitBoot = 9,           // the last commit of all: the BootId of kCommitAtMs
  kCommitAtMs = 10,          // and its moment on that boot's clock
  kCommitNumber = 12,        // how many commits there were: the store itself counts
  kRosterFingerprint = 11,   // of the roster that is in force as it stands, bit by bit; 0: none is
  kRefreshRotates = 13,      // 1 once a refresh brought a new refresh token too
  kApprovedRoster = 14,      // of the roster whose retirements were approved and are not all done
};
struct PutMeta {
  MetaKey key{};
  std::int64_t value = 0;
};

using Mutation = std::variant<PutMember, ForgetMember, PutUse, PutToken, EraseToken, PutCall,
                              EraseCall, Scrub, PutMeta>;

// A start found a database that is not the one that this machine used last. Its current access
// tokens count as superseded: Circle is to be asked before any is served.
struct OtherDatabase {
  enum class Kind {
    kOlder,    // the same at an earlier time: a copy that was put back
    kAnother,  // one that was made elsewhere or at another time
    kNew,      // one that was made now, because the one before is gone
  };
  Kind kind{};
  std::int64_t commits_missing = 0;  // of kOlder
};

// All that is durable, as a start finds it.
struct Snapshot {
  std::vector<MemberRecord> members;  // with their tokens
  std::vector<CallRow> calls;         // the journal: the rows not yet erased
  std::optional<WallTime> last_circle_time;
  Duration clock_skew{0};
  Fingerprint roster = 0;           // kRosterFingerprint
  Fingerprint approved_roster = 0;  // kApprovedRoster
  bool early_refresh_useless = false;
  bool refresh_rotates = false;
  std::optional<WallTime> early_probe_at;
  BootStamp paused_until;
  BootId clock_boot{};  // with clock_offset; 0: never learned
  Duration clock_offset{0};
  BootStamp last_commit;
  std::optional<OtherDatabase> other;
  // The next free ids: larger than any id ever used, erased rows included.
  MemberId next_member{1};
  TokenId next_token{1};
  CallId next_call{1};
  std::int64_t rows_set_aside =
      0;  // tokens that did not open, records that were changed: they stay
};

// What of the audit trail is to be read, in the order of its ids.
struct AuditQuery {
  std::int64_t after = 0;  // an entry's id
  std::size_t limit = 100;
  std::optional<WallTime> since{};     // those that were so at this time, or later
  std::vector<std::string> members{};  // only those about one of these keys; none: all
  std::optional<Fingerprint> token{};  // only those about this token
};
struct AuditPage {
  std::vector<AuditEntry> entries;
  // Where to go on; none: that was all. A page may be short, and even empty, and yet not the last.
  std::optional<std::int64_t> next;
};
// Entries that one read looks at, so that no commit waits long behind it.
inline constexpr std::size_t kAuditScanMax = 5'000;
// Entries over the bounds that one append removes; more go with the next ones.
inline constexpr std::size_t kAuditPruneMax = 5'000;

// The most of a share's time that one append removes by age: a clock that is wrong once does no
// more.
inline constexpr Duration kAuditAgeStep = std::chrono::days{1};

// Where tokens are durable. Used by one thread at a time (the store thread); blocking.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  virtual Result<Snapshot> load() = 0;
  // All of it or nothing, and synced to disk when it returns success. After a failure (kFull, kIo,
  // kBusy) nobody knows whether it is there: make the same call again, with the same mutations.
  // Applying them twice is harmless.
  virtual Result<void> commit(std::span<const Mutation> mutations) = 0;

  // To be asked now and then: whether what is committed still goes where it is to be found again.
  // Does what an earlier commit owes, such as a Scrub that the disk refused.
  virtual Result<void> look_after() { return {}; }

  // Puts these at the end of the audit trail, all or nothing and synced, and removes from its
  // beginning what is over the bounds; by age only if `now` is given, kAuditAgeStep of it at most.
  // Entries of a time after `now` are of no age: they go with older ones behind them. Not to be
  // repeated after a success.
  virtual Result<void> append_audit(std::span<const AuditNote> notes, const AuditBounds& bounds,
                                    std::optional<WallTime> now) = 0;
  virtual Result<AuditPage> read_audit(const AuditQuery& query) = 0;
};

}  // namespace rota

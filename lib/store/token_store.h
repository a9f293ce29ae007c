#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/fingerprint.h"
#include "base/result.h"
#include "model/audit.h"
#include "model/record.h"
#include "store/meta.h"

namespace rota {

// Changes of what is durable. A token's secret is shared with the record that it came from.
struct PutMember {
  MemberRecord row;  // its `tokens` and `last_used` are ignored: they have their own mutations
};
struct ForgetMember {
  // The batch, or an earlier one, has moved or erased its tokens by its end. Those that it moves
  // without their value are moved before this.
  MemberId member{};
};
struct PutToken {
  MemberId member{};  // must be on record by then; moves a token that another member has
  // Without a value, that on record stays. Then the token is on record, or this batch erases it
  // later or forgets the member: nobody else can make up for the value.
  Token token;
};
// When a client was last given the member's token. Nothing happens if the member is not on record.
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
// After this batch no file holds the sealed bytes of erased tokens: what is left of them in the
// write-ahead log goes too. If the disk refuses that now, it is retried later.
struct Scrub {};
// One number of Meta.
struct PutMeta {
  MetaKey key{};
  std::int64_t value = 0;
};

using Mutation = std::variant<PutMember, ForgetMember, PutUse, PutToken, EraseToken, PutCall,
                              EraseCall, Scrub, PutMeta>;

// A start found another database than the one that this machine used last. Circle may have revoked
// its access tokens meanwhile. So the current ones count as superseded, and none is served until
// Circle has answered a call about its member.
struct OtherDatabase {
  enum class Kind {
    kOlder,    // the same database as it was earlier: somebody put a copy back
    kAnother,  // a database that was made elsewhere or at another time
    kNew,      // this start made it, because the one before is gone
  };
  Kind kind{};
  std::int64_t commits_missing = 0;  // only with kOlder
};

// All that is durable when Rota starts.
struct Snapshot {
  // With their tokens. Refresh tokens have no value: TokenStore::open_tokens() has it. Each was
  // opened, so that those whose seal is broken are set aside.
  std::vector<MemberRecord> members;
  std::vector<CallRow> calls;  // the call journal, in the order of the ids
  Meta meta;
  std::optional<OtherDatabase> other;
  // The next free ids: larger than any id that was ever used, including those of erased rows.
  MemberId next_member{1};
  TokenId next_token{1};
  CallId next_call{1};
  // Rows that Rota does not believe: not loaded, but left in the database. Only those of the call
  // journal are loaded, as the worst that they can mean.
  std::int64_t rows_set_aside = 0;
  std::vector<std::string> set_aside{};  // for people: which these are, the first few of them
};

// Which entries of the audit trail to read, in the order of their ids.
struct AuditQuery {
  std::int64_t after = 0;  // only entries with a larger id
  std::size_t limit = 100;
  std::optional<WallTime> since{};     // only entries whose last time is this or later
  std::vector<std::string> members{};  // only those about one of these keys; empty: all
  std::optional<Fingerprint> token{};  // only those about this token
  bool notable = false;                // only those of is_notable()
};
struct AuditPage {
  std::vector<AuditEntry> entries;
  // The `after` of the next page; none if there is no more. A page that is not the last may be
  // short, or even empty.
  std::optional<std::int64_t> next;
  // All entries up to this id were looked at: the `after` for whoever waits for more.
  std::int64_t last = 0;
};
// How many entries one read looks at, so that no commit waits long for it.
inline constexpr std::size_t kAuditScanMax = 5'000;
// How many entries of a share that are over a bound one append removes; the next ones remove more.
inline constexpr std::size_t kAuditPruneMax = 5'000;

// A copy of all that is durable, sealed with the store key, in a file of the store's folder.
struct Backup {
  std::string path;
  std::uint64_t bytes = 0;
  WallTime made_at;  // on this machine's clock; a commit of before is in it
};

// How much of a share's time one append removes by age, counted from its oldest entry. So a clock
// that is wrong once removes no more than this.
inline constexpr Duration kAuditAgeStep = std::chrono::days{1};

// Values of tokens on record. Null: Rota does not believe the token's row, or there is none. The
// row is set aside.
using OpenedTokens = std::map<TokenId, SecretPtr>;

// Where tokens are durable. One thread at a time (the store thread) calls this; calls block on the
// disk.
class TokenStore {
 public:
  virtual ~TokenStore() = default;
  // All that is durable. Tokens and records that Rota does not believe are left out and counted.
  virtual Result<Snapshot> load() = 0;
  // Applies the mutations in order: all of them or none. They are synced to disk when this returns
  // success. After kFull, kIo or kBusy they may or may not be there: make the same call again, with
  // the same mutations. To apply them twice is harmless. kInvalid, and none is applied, if one
  // breaks a rule of validate.h.
  virtual Result<void> commit(std::span<const Mutation> mutations) = 0;

  // The values of these tokens, for the calls that send them: nobody keeps a refresh token in
  // memory. kIo, kBusy or kCorrupt if the disk does not give them now; then none is set aside.
  virtual Result<OpenedTokens> open_tokens(std::span<const TokenId> tokens) = 0;

  // The store thread calls this now and then. It checks that commits still go to the files that the
  // next start will find (kIo if not), and retries what the disk refused before, such as a Scrub.
  virtual Result<void> look_after() { return {}; }

  // Puts the notes at the end of the audit trail, all or none, and synced. Then removes the oldest
  // entries of each share that are over the bounds: over `rows_max` always, and over `keep` only if
  // `now` (this machine's clock) is given. Entries with a time after `now` have no age: they go
  // together with the old ones that come after them. Do not repeat a call that succeeded: the
  // notes would be there twice. If a failed call is repeated, they may be there twice too, since
  // the failed call may have had its effect.
  virtual Result<void> append_audit(std::span<const AuditNote> notes, const AuditBounds& bounds,
                                    std::optional<WallTime> now) = 0;
  // A page of the entries that the query asks for. Looks at kAuditScanMax entries at most.
  virtual Result<AuditPage> read_audit(const AuditQuery& query) = 0;

  // Begins a backup, or goes on with the one that has begun, for a few milliseconds; commits may
  // come in between, and are in it too. Nullopt: call it again. The file is the caller's from then
  // on, who opens it soon: a store keeps the last few only. After an error the backup is given up,
  // and the next call begins another. kInvalid: this store makes none. kFull: there is no room for
  // it. `now`: this machine's clock.
  virtual Result<std::optional<Backup>> continue_backup(WallTime /*now*/) {
    return fail(ErrorKind::kInvalid, "this store makes no backups");
  }
};

}  // namespace rota

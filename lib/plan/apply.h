#pragma once

#include <cstdint>
#include <vector>

#include "model/outcome.h"
#include "model/record.h"
#include "plan/lifecycle.h"

namespace rota {

// Gives out token ids; the store's counter goes on from it.
class TokenIds {
 public:
  explicit TokenIds(TokenId next) : next_(static_cast<std::int64_t>(next)) {}
  TokenId take() { return TokenId{next_++}; }

 private:
  std::int64_t next_;
};

// What a step changed in a record, to be made durable before anything of it is shown.
struct RecordChange {
  bool row = false;             // the member's own row
  std::vector<TokenId> put;     // tokens that are new or changed
  std::vector<TokenId> erased;  // tokens that are gone

  bool empty() const { return !row && put.empty() && erased.empty(); }
  void merge(RecordChange other);
};

// What one outcome meant for the rotation of its member.
enum class Progress {
  kRotated,     // there is a new access token
  kSame,        // Circle answered with the access token that was there already
  kPairLost,    // the refresh token is dead: a new pair is needed
  kRevocation,  // a token is dead, and Circle said so
  kMemberGone,  // Circle has removed the member that a token is of: unusable, but not revoked
  kUnknown,     // Circle has no such member
  kMismatched,  // the tokens belong to another member of Circle's (P13)
  kUnusable,    // an access token came that is to be revoked
  kNothing,     // the outcome says nothing about this member
};

struct Applied {
  Progress progress = Progress::kNothing;
  RecordChange change;
};

// Whether what a call brings may be used.
enum class Use {
  kKeep,    // as the member's state says
  kRevoke,  // a retirement, block or revocation came after the call was made (P4)
};

// Takes an outcome of `call` into the record (pure but for the ids). `token`: what the call was
// about. A retired or blocked member's new tokens go on the ledger to be revoked, and so do those
// of a call with Use::kRevoke, though the member be back. A token that is to be revoked stays so,
// whatever call brings it again. Issued pairs whose Circle member is another record's must have
// been merged before (merge_records).
Applied apply(MemberRecord& record, CallKind call, TokenId token, const Outcome& outcome,
              WallTime now, TokenIds& ids, Use use = Use::kKeep);

// Moves to another state; kNothing when it is the same already.
RecordChange enter(MemberRecord& record, LifecycleEvent event, WallTime now);

// Marks every token to be revoked, and those whose life is over as gone.
RecordChange revoke_all_tokens(MemberRecord& record, WallTime now);

// Circle knows the member again, or an operator asks again: tokens that counted as a removed
// member's are to be revoked like any other.
RecordChange revoke_gone_tokens(MemberRecord& record, WallTime now);

// Drops what has ended, and sends superseded tokens on to revocation where the policy says so.
RecordChange housekeep(MemberRecord& record, std::optional<Duration> revoke_superseded_after,
                       WallTime now);

// Whether an issued pair is of another member of Circle's than the record is pinned to (P13).
bool is_other_identity(const MemberRecord& record, const TokenPair& pair);

// An operator accepts whoever Circle says that a mismatched member is: what it was is forgotten,
// what is on record is revoked, and it starts from a fresh pair.
RecordChange accept_identity(MemberRecord& record, WallTime now);

// Moves `from`'s ledger to `into`, which turned out to be the member that those tokens are of.
RecordChange take_tokens(MemberRecord& into, MemberRecord& from, WallTime now);

// Two roster entries turned out to be one member of Circle's: `from`'s selectors and tokens go to
// `into`; the later current access token stays current. `from` is to be forgotten afterwards.
RecordChange merge_records(MemberRecord& into, MemberRecord& from, WallTime now);

}  // namespace rota

#pragma once

#include <cstdint>
#include <vector>

#include "model/outcome.h"
#include "model/record.h"
#include "plan/lifecycle.h"

namespace rota {

// Gives out token ids, each one once, starting with `next` (the store keeps where to go on).
class TokenIds {
 public:
  explicit TokenIds(TokenId next) : next_(static_cast<std::int64_t>(next)) {}
  TokenId take() { return TokenId{next_++}; }
  TokenId next() const { return TokenId{next_}; }

 private:
  std::int64_t next_;
};

// What a step changed in a record. The caller makes it durable before it shows any of it (P2).
struct RecordChange {
  bool row = false;             // the member's own row
  std::vector<TokenId> put;     // tokens that are new or changed; an id may be here twice
  std::vector<TokenId> erased;  // tokens that are gone
  // Login handles of before are dead: the caller draws a new login epoch. Comes with `row`.
  bool ends_logins = false;

  bool empty() const { return !row && put.empty() && erased.empty(); }
  // Adds the changes of a later step.
  void merge(RecordChange other);
};

// What one outcome meant for the rotation of its member.
enum class Progress {
  kRotated,     // there is a new access token
  kSame,        // Circle answered with the access token that the record already had
  kPairLost,    // the refresh token is dead: a new pair is needed
  kRevocation,  // a token is dead, and Circle said so
  kMemberGone,  // Circle has removed a token's member: the token is unusable, but not revoked
  kUnknown,     // Circle has no such member
  kMismatched,  // the tokens belong to another member at Circle (P13)
  kUnusable,    // an access token came that must be revoked
  kNothing,     // the outcome says nothing about this member
};

struct Applied {
  Progress progress = Progress::kNothing;
  RecordChange change;
};

// Whether what a call brings may be used.
enum class Use {
  kKeep,          // as the member's state says
  kRevokeAccess,  // a sign-out came after the call was made: not the access token
  kRevoke,        // a retirement, block or revocation came after the call was made (P4)
};

// Takes the outcome of `call` into the record. `token` is the token that the call was about; `now`
// is Circle's time. New tokens of a retired or blocked member go on the ledger to be revoked, and
// so do those of a call with Use::kRevoke, even if the member is back. A token that must be revoked
// stays so, whichever call brings it again (P4). If an issued pair is of a Circle member that
// another record has, the caller merges the two first (merge_records). Aborts if the outcome does
// not fit the call: Revoked, AlreadyDead and MemberGone come of revocations only.
Applied apply(MemberRecord& record, CallKind call, TokenId token, const Outcome& outcome,
              WallTime now, TokenIds& ids, Use use = Use::kKeep);

// Moves the record to next_state(). A member that comes to retire or to be blocked has all its
// tokens revoked; the logins of one that no longer keeps tokens have ended; the names of a member
// that is out or reinstated must be asked for again. If the state stays, the change is empty, but
// an operator's revocation still does revoke_gone_tokens(). A retirement leaves such tokens alone.
RecordChange enter(MemberRecord& record, LifecycleEvent event, WallTime now);

// The member signs out: all its access tokens are marked to be revoked, and its logins have ended.
// It stays what it is, and keeps its refresh token, which no client has seen.
RecordChange sign_out(MemberRecord& record, WallTime now);

// A client gives this access token back: it is marked to be revoked, and the member's logins stay.
// If the token was in force, the member counts as signed out until somebody asks for the next one.
RecordChange revoke_access_token(MemberRecord& record, TokenId id, WallTime now);

// Marks every token on the ledger to be revoked. Those that have ended stay until housekeep().
RecordChange revoke_all_tokens(MemberRecord& record, WallTime now);

// For when Circle knows the member again, or an operator asks again: marks the tokens that are
// kMemberGone to be revoked like any other.
RecordChange revoke_gone_tokens(MemberRecord& record, WallTime now);

// Drops tokens that ended kLedgerSlack ago, except current ones. Marks superseded access tokens to
// be revoked once they have been superseded for `revoke_superseded_after` (none: never), except
// those of a mismatched record, which may be another member's.
RecordChange housekeep(MemberRecord& record, std::optional<Duration> revoke_superseded_after,
                       WallTime now);

// Whether an issued pair belongs to another member at Circle than the one that the record is pinned
// to, or that an id among its selectors names (P13).
bool is_other_identity(const MemberRecord& record, const TokenPair& pair);

// An operator accepts the person to whom a mismatched member's names lead now: the record forgets
// its pin, all its tokens are marked to be revoked, and the member starts from a fresh pair.
RecordChange accept_identity(MemberRecord& record, WallTime now);

// Moves `from`'s ledger to `into`, which turned out to be the member that those tokens belong to.
// Of two current tokens of a kind, the one that ends later stays current.
RecordChange take_tokens(MemberRecord& into, MemberRecord& from, WallTime now);

// Two names turned out to be one member at Circle: `from`'s selectors go to `into`, and
// its tokens as take_tokens() says. `into` retires if is_wanted() is then false of it, and
// is blocked if `from` was. The caller forgets `from` afterwards.
RecordChange merge_records(MemberRecord& into, MemberRecord& from, WallTime now);

}  // namespace rota

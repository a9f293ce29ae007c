#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/time.h"
#include "model/member_key.h"
#include "model/record.h"
#include "store/token_store.h"

namespace rota {

// What becomes of an earlier copy of the database that is to take the place of the present one.
// Nothing that the present one can still tell is lost: members, tokens and calls that came after
// the copy go into it. Who is out in one of the two is out. If the present one cannot be read, the
// copy is taken as it is, and nothing is known of what came after it.
//
// In either case no access token of the copy is served before Circle has answered a call about its
// member (it may have been revoked since), the roster on disk is compared anew, and a login handle
// works only if it did before.
struct Restoration {
  // Of the present database, by what the copy alone would do to them, sorted:
  std::vector<MemberKey> blocked;  // an operator's block that the copy does not have
  std::vector<MemberKey> left;     // are out now, or gone, and in with the copy
  std::vector<MemberKey> came;     // unknown to the copy
  std::vector<MemberKey> let_in;   // reinstated since: the copy blocks them, and they stay out
  std::int64_t tokens = 0;         // alive, and unknown to the copy
  std::int64_t calls = 0;          // of the journal, and unknown to the copy
  // For the copy, to be committed in this order.
  std::vector<Mutation> mutations;
};

// Draws a new login epoch.
using DrawEpoch = std::function<LoginEpoch()>;

// `same_database`: the present database is the copied one, as it went on. `now`: Circle's time.
// Pure.
Restoration carry_over(Snapshot copy, Snapshot present, bool same_database, WallTime now,
                       const DrawEpoch& draw);

// Without a present database. All login handles are dead, since some may have been before.
// `unknown_calls`: how many calls count as made when the daemon starts, because nobody knows those
// of the last window (P7).
Restoration start_from(Snapshot copy, std::size_t unknown_calls, WallTime now,
                       const DrawEpoch& draw);

}  // namespace rota

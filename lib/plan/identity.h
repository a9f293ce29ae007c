#pragma once

#include <optional>

#include "base/time.h"
#include "model/record.h"
#include "plan/apply.h"

namespace rota {

// To whom a member's names lead at Circle (P13). An email address or SSO id may become another
// person's; a Circle id never does. So the record notes when an issue call by each name last led to
// this member, and Rota asks for each name at least once in the life of a pair. All times are on
// Circle's clock.

// The name for the next issue call: the address or SSO id that was asked for the longest ago. If
// the member has only ids, its primary_key().
const MemberKey& key_to_issue_by(const MemberRecord& record);

// Whether some name was not asked for since the member was last out. Until all were, nothing of the
// member is served.
bool has_unresolved_name(const MemberRecord& record);

// Whether Circle has said who the member is, and not that there is no such member since: it is
// active and pinned, each of its names leads to it, and no token on record is of a removed member.
// A member with ids alone must hold a token that came since it became active.
bool is_identified(const MemberRecord& record);

// When a name must be asked for again, even if there is no other reason for a call. None if no name
// can lead elsewhere. `pair_life`: how long a refresh token lives. Renewals ask in that time
// anyway, but may never come if refreshes bring new refresh tokens.
std::optional<WallTime> name_check_due(const MemberRecord& record, Duration pair_life);

// Notes that an issue call by `key` led to this member now. Changes nothing if the record does not
// have the key, or if the key is an id.
RecordChange note_resolved(MemberRecord& record, const MemberKey& key, WallTime now);

// For a member that is out, or was: each of its names must be asked for before anything of it is
// served again. The caller puts the record's row on record.
void forget_resolutions(MemberRecord& record);

// Whether the member is wanted even without its name `key`: it keeps tokens, and another of its
// names is in the roster or enrolled.
bool can_do_without(const MemberRecord& record, const MemberKey& key);

// For a name that leads to somebody else, or to nobody: takes `key` out of `record` and returns a
// record of its own for it, with this id, in the same state, pinned to the same member, without
// tokens. Aborts if `key` is not one of several names. The caller puts both on record.
MemberRecord split_name(MemberRecord& record, const MemberKey& key, MemberId id, WallTime now);

// If Circle's time turns out to be off by no more than this, the times on record stay as they are.
inline constexpr Duration kClockNoise{2'000};
// Names that were asked for within this time of each other count as asked for together.
inline constexpr Duration kNameRound = std::chrono::hours{1};
// A name is asked for again after this time at the latest, even if no pair must be renewed.
inline constexpr Duration kNameCheckMax = std::chrono::days{31};

}  // namespace rota

#pragma once

#include <optional>

#include "base/time.h"
#include "model/record.h"
#include "plan/apply.h"

namespace rota {

// Who a member's names lead to at Circle (P13). An email address or SSO id may become another
// person's, a Circle id never does. So the record notes when an issue call by each name last led
// to this member, and no name is left out for longer than a pair of tokens lasts.

// What the next issue call goes by: of the addresses and SSO ids the one that was asked for the
// longest ago, otherwise the id.
const MemberKey& key_to_issue_by(const MemberRecord& record);

// Some name was not asked for since the member was last out: nothing of it is served before.
bool has_unresolved_name(const MemberRecord& record);

// When a name has to be asked for again, without any other reason for a call. `pair_life`: how long
// a refresh token lives, which ends no name's time where refreshes bring new ones. None: no name
// can lead elsewhere.
std::optional<WallTime> name_check_due(const MemberRecord& record, Duration pair_life);

// An issue call by `key` led to this member.
RecordChange note_resolved(MemberRecord& record, const MemberKey& key, WallTime now);

// The member is out, or was: each of its names is asked for before anything is served again.
void forget_resolutions(MemberRecord& record);

// Whether `key` is one name of several, and the roster wants the member without it too.
bool can_do_without(const MemberRecord& record, const MemberKey& key);

// Takes `key` out of `record`, into a record of its own with this id, in the same state and pinned
// to the same member, without tokens: the name leads to somebody else, or to nobody.
MemberRecord split_name(MemberRecord& record, const MemberKey& key, MemberId id, WallTime now);

// Names that were asked for within this time count as asked for at once.
inline constexpr Duration kNameRound = std::chrono::hours{1};
// A name is asked for again after this at the latest, even if no pair has to be renewed.
inline constexpr Duration kNameCheckMax = std::chrono::days{31};

}  // namespace rota

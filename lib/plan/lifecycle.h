#pragma once

#include <vector>

#include "base/time.h"
#include "model/record.h"

namespace rota {

// How a member's state moves. Rows: what happens; columns: the state before; "=": no change.
//
//                      active     retiring   retired    blocked    unknown    mismatched
//   roster wants it    =          active     active     =          =          =
//   roster drops it    retiring   =          =          =          retiring   retiring
//   operator revokes   blocked    blocked    blocked    =          blocked    blocked
//   operator reinst.   =          =          =          by roster  active     by roster
//   no token left      =          retired    =          =          =          =
//   Circle: no member  unknown    =          =          =          =          =
//   Circle: issued     =          =          =          =          active     =
//   other identity     mismatched =          =          =          mismatched =
//
// A retired member that the roster does not name is forgotten after kTombstoneLife. A blocked one
// is never forgotten.
enum class LifecycleEvent {
  kWanted,
  kDropped,
  kOperatorRevokes,
  kOperatorReinstates,
  kNothingAlive,
  kCircleKnowsNone,
  kCircleIssued,
  kOtherIdentity,
};

// The state after `event`, as the table says. `wanted`: wanted_by_roster(), which decides in the
// cases "by roster" (wanted: active; otherwise: retiring).
MemberState next_state(MemberState state, LifecycleEvent event, bool wanted);

// Whether an operator can reinstate a member in this state.
bool can_be_reinstated(MemberState state);

// Whether tokens that arrive for a member in this state may be used.
bool keeps_tokens(MemberState state);

// Whether the roster wants this member: it has an entry that names the member, and none of those
// has retired = true.
bool wanted_by_roster(const MemberRecord& record);
// Whether the roster has any entry that names this member.
bool named_by_roster(const MemberRecord& record);

// The tags by which grants find the member, sorted, without repeats: those of its entries in the
// roster. If it has none there, those of the entries that were the last to leave.
std::vector<std::string> tags_of(const MemberRecord& record);

// Removes the tags of entries that left the roster if another entry is still in it, so that they do
// not come back when the last entry leaves. Returns whether the record changed.
bool forget_stale_tags(MemberRecord& record);

// Of selectors with equal keys, leaves one: the one that the roster in force names. A merged record
// can have two, and so can a record from before keys were compared without regard to case.
void unite_spellings(MemberRecord& record);

// The key by which lists and messages name the member: the first one in the roster, or the first
// one at all if none is. Aborts if the record has no selector.
const MemberKey& primary_key(const MemberRecord& record);

// How long a retired member's record answers 410 after the roster has dropped it.
inline constexpr Duration kTombstoneLife = std::chrono::days{90};

}  // namespace rota

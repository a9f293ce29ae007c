#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "model/record.h"

namespace rota {

// How a member's state moves. Rows: what happens; columns: the state before; "=": no change.
//
//                      active     retiring   retired    blocked    unknown    mismatched
//   it is wanted       =          active     active     =          =          =
//   it is dropped      retiring   =          =          =          retiring   retiring
//   operator revokes   blocked    blocked    blocked    =          blocked    blocked
//   operator reinst.   =          =          =          if wanted  active     if wanted
//   no token left      =          retired    =          =          =          =
//   Circle: no member  unknown    =          =          =          =          =
//   Circle: issued     =          =          =          =          active     =
//   other identity     mismatched =          =          =          mismatched =
//
// A member is wanted if the roster names it or a client has enrolled it, and no entry of the roster
// has retired = true. A retired member that the roster does not name is forgotten: after
// kTombstoneLife if a roster has ever named it, otherwise once nothing of it is in doubt. A blocked
// one is never forgotten.
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

// The state after `event`, as the table says. `wanted`: is_wanted(), which decides in the cases
// "if wanted" (wanted: active; otherwise: retiring).
MemberState next_state(MemberState state, LifecycleEvent event, bool wanted);

// Whether an operator can reinstate a member in this state.
bool can_be_reinstated(MemberState state);

// Whether tokens that arrive for a member in this state may be used.
bool keeps_tokens(MemberState state);

// Whether the member is to have tokens: the roster names it or a client has enrolled it, and no
// entry of the roster in force has retired = true.
bool is_wanted(const MemberRecord& record);
// Whether an entry of the roster in force keeps the member out.
bool retired_by_roster(const MemberRecord& record);
// Whether this client has enrolled it by any of its names; empty: whether any client has.
bool is_enrolled(const MemberRecord& record, std::string_view client = {});
// Whether a client has enrolled it and the roster in force does not name it.
bool only_enrolled(const MemberRecord& record);
// Whether a roster has ever named it.
bool leaves_tombstone(const MemberRecord& record);
// Whether the roster has any entry that names this member.
bool named_by_roster(const MemberRecord& record);

// The tags by which grants find the member, sorted, without repeats: those of its entries in the
// roster. If it has none there but is enrolled, those of all enrolments of the name that was
// enrolled first, so that enrolling a second name adds no tag. Otherwise those of the entries that
// were the last to leave the roster.
std::vector<std::string> tags_of(const MemberRecord& record);

// Removes the tags of entries that left the roster if the member is still named there or enrolled,
// so that they do not come back when it leaves. Returns whether the record changed.
bool forget_stale_tags(MemberRecord& record);

// A client enrols the member by `key`, which becomes a name of it if it is none yet. `name`, for
// people, is taken only if the member has none by this key. False: the record says all this
// already. The caller asks for is_wanted() before, since a member that is kept out is not enrolled.
bool enrol(MemberRecord& record, const MemberKey& key, const std::string& name,
           const Enrolment& enrolment);
// Ends what this client has enrolled, by all names of the member; empty: what any client has.
// Returns whether the record changed.
bool end_enrolments(MemberRecord& record, std::string_view client = {});
// The latest time at which a client asked for the member or enrolled it.
WallTime last_wanted(const MemberRecord& record);

// Of selectors with equal keys, leaves one, with the enrolments of both: the one that the roster in
// force names. A merged record can have two, and so can a record from before keys were compared
// without regard to case.
void unite_spellings(MemberRecord& record);

// The key by which lists and messages name the member: the first one in the roster, or the first
// enrolled one if none is there, or the first one at all. Aborts if the record has no selector.
const MemberKey& primary_key(const MemberRecord& record);

// How long a retired member's record answers 410 after the roster has dropped it.
inline constexpr Duration kTombstoneLife = std::chrono::days{90};

}  // namespace rota

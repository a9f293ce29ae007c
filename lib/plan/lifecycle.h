#pragma once

#include <vector>

#include "base/time.h"
#include "model/record.h"

namespace rota {

// How a member's state moves. Rows: what happens; columns: where it stands.
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
// Retired members that no roster names are forgotten after kTombstoneLife. A block is never
// forgotten.
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

// The state after `event`; the same state where the table has "=". `wanted`: what the roster says
// now.
MemberState next_state(MemberState state, LifecycleEvent event, bool wanted);

// Whether tokens that arrive for a member in this state may be used.
bool keeps_tokens(MemberState state);

// Whether the roster wants this member: some entry names it, and none that names it is retired.
bool wanted_by_roster(const MemberRecord& record);
bool named_by_roster(const MemberRecord& record);

// The tags that grant, sorted, without repeats: those of the entries in the roster while there is
// one, otherwise those of the last entries that left it.
std::vector<std::string> tags_of(const MemberRecord& record);

// Removes the tags of entries that left the roster while another entry stays, so that they do not
// come back when the last entry leaves. Says whether the record changed.
bool forget_stale_tags(MemberRecord& record);

// Leaves one selector of those whose keys are equal: the one that the roster in force names. A
// record of before keys were compared in their canonical form can have two, and so can a merged
// one.
void unite_spellings(MemberRecord& record);

// What people and lists call the member: its roster key, an entry in force before a removed one.
const MemberKey& primary_key(const MemberRecord& record);

inline constexpr Duration kTombstoneLife = std::chrono::days{90};

}  // namespace rota

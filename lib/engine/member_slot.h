#pragma once

#include <cstdint>
#include <string>

#include "base/slim_vector.h"
#include "base/small_optional.h"
#include "base/time.h"
#include "engine/census.h"
#include "engine/commands.h"
#include "engine/queue_places.h"
#include "engine/upkeep.h"
#include "model/audit.h"
#include "model/record.h"
#include "plan/next_action.h"

namespace rota {

// An enrolment that is not on the audit trail yet.
struct EnrolmentNote {
  MemberKey key;
  std::string client;    // as Enrolment::client
  AuditCaller caller{};  // nobody's: it was asked for before the last restart
};

// One member in the engine: its record, and its state that is not stored.
struct MemberSlot {
  MemberRecord record;
  Attempts attempts;
  QueuePlaces places;
  SmallOptional<CallId> in_flight;  // P9: one at a time
  // P4: tokens that calls with a smaller id bring are revoked, because the member left after those
  // calls were made. Not stored: after a restart no reply comes to a call of the process before.
  CallId revoked_before{};
  // The same for access tokens alone: the member signed out after those calls were made.
  CallId access_revoked_before{};
  SmallOptional<BootTime> signed_out_at;  // the last time in this process
  // An enrolled member that nobody asks for leaves at this time, and a leaver is not forgotten
  // before it. None: no time was given out.
  SmallOptional<BootTime> leaves_at;
  // Circle does not know it, and a client asks all the same: no answer yet.
  bool asked_anew = false;
  bool hurries_revocations = false;   // of the last sign-out (plan/next_action.h, Demand)
  std::uint32_t rotations_asked = 0;  // how many of `operations` want a new token
  SlimVector<EnrolmentNote> enrolments_to_note;  // once Circle has said who the member is
  SlimVector<WaitId> waiters;                    // not answered yet
  SlimVector<OperatorId> operations;             // that are not done with this member
  WallTime use_on_record;                        // record.last_used as it is stored
  WallTime in_use_since;                         // when a client asked for it after a long time
  SmallOptional<WallTime> ranked_use;  // the use by which Upkeep ranks it; none: not active
  Census::Entry counted;
};

}  // namespace rota

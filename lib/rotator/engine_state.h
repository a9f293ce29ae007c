#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "plan/next_action.h"
#include "rotator/census.h"
#include "rotator/messages.h"
#include "rotator/roster_job.h"
#include "rotator/upkeep.h"

namespace rota {

// By when a new member that nobody asks for has its first token, unless many came with it: then one
// of them gets one at least this often.
inline constexpr Duration kFirstIssueMax = std::chrono::minutes{5};

// One member in the engine: its record, and what is not durable.
struct MemberSlot {
  MemberRecord record;
  Attempts attempts;
  std::array<std::optional<WallTime>, kLaneCount> queued;  // its due time in each lane
  std::optional<WallTime> housekeeping;
  std::optional<CallId> in_flight;  // P9: one at a time
  // P4: what older calls bring is revoked, since the member was out after they were made. Need not
  // outlive the process: after a restart no reply comes to a call of the one before.
  CallId revoked_before{};
  std::vector<WaitId> waiters;
  std::vector<OperatorId> operations;  // that wait for something of this member
  std::size_t rotations_asked = 0;     // of those, the ones that want a new token
  WallTime use_on_record;              // record.last_used as the store has it
  WallTime in_use_since;               // when somebody asked for it after a long while
  std::optional<UseRank> use_rank;     // while active
  std::optional<Census::Entry> counted;
};

// A call from its journal row on until its reply.
struct CallState {
  CallId id{};
  CallKind kind = CallKind::kIssue;
  Lane lane = Lane::kIssue;
  MemberId member{};
  TokenId token{};
  std::optional<MemberKey> name{};  // what an issue call goes by
  std::optional<BootTime> sent_at;  // none: its journal row is not durable yet
  int app_token = 0;                // which one it was sent with
  std::uint64_t clock_doubts = 0;   // of Circle's time, until it was sent
};

// A client that waits.
struct WaitState {
  WaitRequest request;
  BootTime deadline;
  bool answered = false;  // by the batch that gathers or is being committed
};

// What an operator asked for, until it is done or its time is over.
struct Operation {
  OperatorAction action = OperatorAction::kRevoke;
  std::set<MemberId> members;  // those not done yet
  BootTime deadline;
  bool finished = false;  // its report is in the batch that gathers or is being committed
  OperatorReport report;
  std::map<std::pair<TokenKind, Fingerprint>, std::size_t> line_of{};  // of report.revocations
};

// A roster that was read, until it is in force or refused.
struct RosterTask {
  std::shared_ptr<RosterJob> job;
  std::string approve{};
  bool or_nothing = false;             // unless it is the plan that `approve` names
  std::vector<ReloadId> in_force{};    // to be told once it is in force
  std::vector<ReloadId> unanswered{};  // of those, the ones that have heard nothing yet
  std::vector<std::shared_ptr<const void>> spent{};  // destroyed with this task, off the loop
};

// One that somebody asks about, and that does not come into force.
struct RosterLook {
  PlanId plan{};
  std::shared_ptr<RosterJob> job;
};

// What becomes durable together, and what may follow only then.
struct Batch {
  std::vector<Mutation> mutations;
  Commands then;                 // in order
  std::vector<CallId> send;      // journaled here
  bool scrubs = false;           // there is a Scrub among the mutations
  std::size_t roster_steps = 0;  // that a roster job has made in it
  // After all of `then`. What is over before the batch is durable is taken out again, so that a
  // store that takes nothing lets nobody grow these.
  std::map<WaitId, WaitAnswer> answers;
  std::set<OperatorId> reports;
  // Members that are others' from here on, which the table still shows: each with its new one.
  std::map<MemberId, MemberId> merged;

  bool empty() const {
    return mutations.empty() && then.empty() && send.empty() && answers.empty() && reports.empty();
  }
};

}  // namespace rota

#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/commands.h"
#include "engine/requests.h"

namespace rota {

// The operators' commands under way: about which members each still is, and what its report says so
// far. A command is running, or over and waiting for its report to become durable; its deadline
// holds for both.
//
// What a command does to a member is the engine's; when a report leaves, the outbox. Pure, and
// single-threaded: the engine owns it.
class Operations {
 public:
  // About nobody yet: add() each member. The id must be new; all that follows is for commands that
  // have begun and were not taken.
  void begin(OperatorId op, OperatorAction action, BootTime now);
  void add(OperatorId op, MemberId member) { operations_.at(op).members.insert(member); }
  // `from` turned out to be `into`. True: the command was not about `into` before.
  bool rename(OperatorId op, MemberId from, MemberId into);

  // What became of a token that a revocation is about; the last word counts. Other commands do not
  // care.
  void note_revocation(OperatorId op, TokenKind kind, Fingerprint fingerprint,
                       const std::string& result, bool alive);
  // The part of one of members_of() is over. `state`: how it stands; the last member's is reported.
  // `doubts`: its calls of unknown fate. One member that is not done makes the whole command so.
  // True: it was the last one, and the report may leave.
  bool complete(OperatorId op, MemberId member, MemberState state, std::int64_t doubts,
                OperationEnd end);
  // It was about nobody. True: the report may leave.
  bool complete_if_empty(OperatorId op);
  // The deadline came before its report was durable, if it is over otherwise.
  void give_up_on_disk(OperatorId op);

  // Those whose deadline is over; with `stopping`, all that still run.
  std::vector<OperatorId> over(BootTime now, bool stopping) const;
  // The first to be over; none: there is none.
  std::optional<BootTime> first_deadline() const;
  // Of one that is under way: what it does, and those whose part is not over.
  OperatorAction action_of(OperatorId op) const { return operations_.at(op).action; }
  const std::set<MemberId>& members_of(OperatorId op) const { return operations_.at(op).members; }
  // Ends it.
  OperatorReport take(OperatorId op);

 private:
  struct Operation {
    OperatorAction action = OperatorAction::kRevoke;
    std::set<MemberId> members;  // those not done yet
    BootTime deadline;
    bool finished = false;  // only its report is not durable
    OperatorReport report;
    std::map<std::pair<TokenKind, Fingerprint>, std::size_t> line_of{};  // of report.revocations
  };
  std::map<OperatorId, Operation> operations_;
};

}  // namespace rota

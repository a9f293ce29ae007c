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

// The operators' commands under way: the members that each still waits for, and its report so far.
// A command is running, or it is over and its report waits to become durable. Its deadline counts
// for both.
//
// The engine carries a command out on its members, and the outbox decides when a report leaves.
// Pure, and single-threaded: the engine owns it.
class Operations {
 public:
  // Begins a command without members; add() each of them. The id must be new. All other methods
  // need a command that has begun and was not taken.
  // `token`: of kRevokeToken.
  void begin(OperatorId op, OperatorAction action, BootTime now, Fingerprint token = 0);
  void add(OperatorId op, MemberId member) { operations_.at(op).members.insert(member); }
  // `from` turned out to be `into`. True: the command was not about `into` before.
  bool rename(OperatorId op, MemberId from, MemberId into);

  // What became of a token; the last note about it counts. Revocations and removals note all of
  // them, sign-outs the access tokens, kRevokeToken its own, other commands none.
  void note_revocation(OperatorId op, TokenKind kind, Fingerprint fingerprint,
                       const std::string& result, bool alive);
  // The command is over for one of members_of(). `state`: the member's; the report has that of the
  // last member. `doubts`: its calls of unknown fate. The command succeeds only if `end` is a
  // success for every member. True: it was the last member, and the report may leave.
  bool complete(OperatorId op, MemberId member, MemberState state, std::int64_t doubts,
                OperationEnd end);
  // True: the command has no members, ends so, and its report may leave.
  bool complete_if_empty(OperatorId op, OperationEnd end);
  // The deadline came. If the command was over, its report says that it is not durable yet.
  void give_up_on_disk(OperatorId op);

  // The commands whose deadline has passed, in the order of their deadlines; with `stopping`, also
  // all that still run.
  std::vector<OperatorId> over(BootTime now, bool stopping) const;
  // Those that still run: they are not over for every member.
  std::vector<OperatorId> running() const;
  // The first deadline; none: no command is under way. Costs the same however many are.
  std::optional<BootTime> first_deadline() const;
  // What the command does, and the members for which it is not over.
  OperatorAction action_of(OperatorId op) const { return operations_.at(op).action; }
  Fingerprint token_of(OperatorId op) const { return operations_.at(op).token; }
  const std::set<MemberId>& members_of(OperatorId op) const { return operations_.at(op).members; }
  // Ends the command and hands out its report.
  OperatorReport take(OperatorId op);

 private:
  struct Operation {
    OperatorAction action = OperatorAction::kRevoke;
    Fingerprint token = 0;
    std::set<MemberId> members;  // those not done yet
    BootTime deadline;
    bool finished = false;  // only its report is not durable
    OperatorReport report;
    std::map<std::pair<TokenKind, Fingerprint>, std::size_t> line_of{};  // of report.revocations
  };
  std::map<OperatorId, Operation> operations_;
  std::set<std::pair<BootTime, OperatorId>> deadlines_;
};

}  // namespace rota

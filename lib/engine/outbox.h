#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/commands.h"

namespace rota {

// What leaves the engine, and when (P2, P3): changes are committed, and what stands on them follows
// once they are durable. While one batch is being committed, the next one gathers (group commit).
//
// After a failed commit the store gets the very same changes again, and what gathered meanwhile
// waits: the failed commit may have taken effect, and applying it a second time changes nothing. A
// batch that had grown would leave on disk what no process knows to be there.
//
// Pure, and single-threaded: the engine owns it. Nothing here fails but by a broken contract, which
// ends the process (ROTA_CHECK).
class Outbox {
 public:
  enum class State {
    kIdle,      // nothing was handed out: begin() may follow
    kRunning,   // the store has a batch: committed() or failed() follows
    kRetrying,  // its end is not known: again() follows, at retry_at() or later
  };

  // What may leave now: first what the table is to show and people are to be told, then the answers
  // that stand on it, then the calls whose journal rows are on record.
  struct Released {
    Commands then;  // in order
    std::map<WaitId, WaitAnswer> answers;
    std::set<OperatorId> reports;
    std::vector<CallId> calls;
  };

  // --- Into the batch that gathers ---

  void change(Mutation mutation) { gathering_.changes.push_back(std::move(mutation)); }
  // For what writes several at once.
  std::vector<Mutation>& changes() { return gathering_.changes; }
  // The log is cut once a batch, however many leavers are in it.
  void scrub();
  void then(Command command) { gathering_.released.then.push_back(std::move(command)); }
  // Its journal row has to be among this batch's changes.
  void send_when_durable(CallId call) { gathering_.released.calls.push_back(call); }
  // The later one of two to the same wait counts.
  void answer(WaitId wait, WaitAnswer answer);
  void report(OperatorId op) { gathering_.released.reports.insert(op); }
  // `from` is `into` from here on; the table goes on showing `from` until that is durable. The
  // merge itself has to be among this batch's changes.
  void merged(MemberId from, MemberId into) { gathering_.merged.emplace(from, into); }

  // --- Taking back what is over before its batch is durable, so that a store that takes nothing
  // lets nobody grow this ---

  void withdraw_answer(WaitId wait);
  void withdraw_report(OperatorId op);
  // Of both batches: whoever asked for these is to be told something else.
  std::vector<command::Reloaded> withdraw_reloaded();
  // What waits for nothing but its order, such as what a start publishes: it is durable already.
  Commands take_then() { return std::exchange(gathering_.released.then, {}); }

  // --- The commit ---

  State state() const { return state_; }
  // Hands out what gathered and `closing` after it; there must be a change. The copy is for the
  // store: secrets in it are shared. The store may get it twice, so no batch puts a token to a
  // member that it forgets later. Only in kIdle.
  std::vector<Mutation> begin(std::vector<Mutation> closing, BootTime now);
  // The same batch once more. Only in kRetrying.
  std::vector<Mutation> again(BootTime now);
  // Without a change there is nothing to wait for: what gathered leaves at once. Only in kIdle.
  Released release_unchanged();
  // The batch is durable. Only in kRunning.
  Released committed();
  // Nobody knows whether it is. Says whether this is news: the one before had worked. Only in
  // kRunning.
  bool failed(const Error& error, BootTime retry_at);

  // --- What is asked about it ---

  // Whether there is anything to make durable that no commit has begun with.
  bool has_changes() const { return !gathering_.changes.empty(); }
  // Whether all that was entered is durable and has left.
  bool is_empty() const { return state_ == State::kIdle && gathering_.is_empty(); }
  // Whether all changes are durable, though something may still be about to leave.
  bool is_durable() const { return state_ == State::kIdle && !has_changes(); }
  // Answers and reports that wait for a commit.
  std::size_t held_back() const;
  // The member that `shown`, which the table shows, is by now.
  MemberId owner_of(MemberId shown) const;
  // When again() is due; only in kRetrying.
  BootTime retry_at() const { return retry_at_; }
  // Failed commits in a row; 0: the last one worked.
  int failures() const { return failures_; }
  // Why the last commit failed; none: it worked.
  const std::optional<Error>& error() const { return error_; }
  // How long the store has had the batch; 0: it has none.
  Duration running_for(BootTime now) const;

 private:
  struct Batch {
    std::vector<Mutation> changes;
    Released released;
    bool scrubs = false;  // there is a Scrub among the changes
    std::map<MemberId, MemberId> merged;

    bool is_empty() const;
  };

  State state_ = State::kIdle;
  Batch gathering_;
  Batch handed_out_;  // empty in kIdle; its changes never change
  BootTime handed_out_at_{};
  BootTime retry_at_{};
  int failures_ = 0;
  std::optional<Error> error_;
};

}  // namespace rota

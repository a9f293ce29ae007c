#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/fingerprint.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/commands.h"

namespace rota {

// What leaves the engine, and when (P2, P3). Changes are committed; commands that depend on them
// leave once the changes are durable. While one batch is being committed, the next one gathers
// (group commit).
//
// After a failed commit the store gets exactly the same changes again, and the batch that gathers
// waits. The failed commit may have taken effect, and applying the same changes a second time
// changes nothing. If the batch had grown in between, something could be on disk that no process
// knows of.
//
// Pure, and single-threaded: the engine owns it. No method fails; a call in the wrong state ends
// the process (ROTA_CHECK).
class Outbox {
 public:
  enum class State {
    kIdle,      // nothing was handed out: begin() may follow
    kRunning,   // the store has a batch: committed() or failed() follows
    kRetrying,  // its end is not known: again() follows, at retry_at() or later
  };

  // What may leave now, in this order: first the commands for the table and for people, then the
  // answers and reports that depend on them, then the calls whose journal rows are durable.
  struct Released {
    Commands then;  // in order
    std::map<WaitId, WaitAnswer> answers;
    std::set<OperatorId> reports;
    std::vector<CallId> calls;
    // Refresh tokens whose value memory needs no more, and the members that had them.
    std::vector<std::pair<MemberId, TokenId>> at_rest;
  };

  // --- Into the batch that gathers ---

  void change(Mutation mutation) { gathering_.changes.push_back(std::move(mutation)); }
  // To append several changes at once.
  std::vector<Mutation>& changes() { return gathering_.changes; }
  // Adds a Scrub, once a batch, however many members leave in it.
  void scrub();
  void then(Command command) { gathering_.released.then.push_back(std::move(command)); }
  // The call's journal row must be among the changes of this batch. If several calls wait, their
  // rows come in the same order (P3).
  void send_when_durable(CallId call) { gathering_.released.calls.push_back(call); }
  // Such a call sends this token, whose value the store has.
  void open_when_durable(TokenId token) { gathering_.to_open.push_back(token); }
  // The token's value is among the changes of this batch.
  void rest_when_durable(MemberId member, TokenId token) {
    gathering_.released.at_rest.emplace_back(member, token);
  }
  // Of two answers to the same wait the later one counts.
  void answer(WaitId wait, WaitAnswer answer);
  void report(OperatorId op) { gathering_.released.reports.insert(op); }
  // The member `from` became a part of `into`. Until that is durable the table still shows `from`.
  // The changes of the merge must be among those of this batch.
  void merged(MemberId from, MemberId into);

  // --- Taking back what is over before its batch is durable, so that nothing grows without limit
  // while commits fail ---

  void withdraw_answer(WaitId wait);
  void withdraw_report(OperatorId op);
  // Takes every Reloaded out of both batches: the caller answers them with something else.
  std::vector<command::Reloaded> withdraw_reloaded();
  // The member signed out, or this token of it was given back: what gathers or is being committed
  // shows it no more. Without `token`, it shows no token of the member. Returns the ids under which
  // the table shows the member.
  std::vector<MemberId> unserve(MemberId member, std::optional<Fingerprint> token = {});
  // A roster leaves the member these tags only: what gathers or is being committed shows no others.
  // Returns the same.
  std::vector<MemberId> keep_tags(MemberId member, const std::vector<std::string>& tags);
  // Takes out the commands that need not wait, because what they depend on is already durable, such
  // as what a start publishes.
  Commands take_then() { return std::exchange(gathering_.released.then, {}); }

  // --- The commit ---

  State state() const { return state_; }
  // Hands out the changes that gathered, and `closing` after them; there must be at least one. They
  // are a copy for the store; the secrets in them are shared, not copied. The store may get them
  // twice, so a batch must not give a token to a member that the same batch forgets later. Only in
  // kIdle, and only if every call that waits for this batch has its journal row in it.
  std::vector<Mutation> begin(std::vector<Mutation> closing, BootTime now);
  // Hands out the same batch again. Only in kRetrying.
  std::vector<Mutation> again(BootTime now);
  // The tokens that the store is to open after the batch that it has.
  const std::vector<TokenId>& to_open() const { return handed_out_.to_open; }
  // If no change gathered, there is nothing to wait for, and all that gathered leaves at once. Only
  // in kIdle.
  Released release_unchanged();
  // The batch is durable. Only in kRunning.
  Released committed();
  // It is not known whether the batch is durable. True: the commit before had worked, so this is
  // news. Only in kRunning.
  bool failed(const Error& error, BootTime retry_at);

  // --- What is asked about it ---

  // Whether changes gathered that no commit has begun with.
  bool has_changes() const { return !gathering_.changes.empty(); }
  // Whether everything that was entered is durable and has left.
  bool is_empty() const { return state_ == State::kIdle && gathering_.is_empty(); }
  // Whether all changes are durable; commands may still be about to leave.
  bool is_durable() const { return state_ == State::kIdle && !has_changes(); }
  // Answers and reports that wait for a commit.
  std::size_t held_back() const;
  // The member that the table shows as `shown`: another one if it was merged and that is not
  // durable.
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
  // Changes what both batches would publish of the member. Returns the ids under which the table
  // shows it.
  template <class Change>
  std::vector<MemberId> change_published(MemberId member, Change change);

  struct Batch {
    std::vector<Mutation> changes;
    std::vector<TokenId> to_open;
    Released released;
    bool scrubs = false;  // there is a Scrub among the changes
    std::map<MemberId, MemberId> merged;

    bool is_empty() const;
    bool has_the_rows_of_its_calls() const;
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

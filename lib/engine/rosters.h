#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/commands.h"
#include "engine/roster_job.h"
#include "roster/guard.h"
#include "roster/sorted_roster.h"

namespace rota {

// How much of a roster is brought into force at once.
struct RosterPace {
  std::size_t slice_units_max = 1'024;  // steps in one pass; each takes some microseconds
  std::size_t batch_steps_max = 512;    // changes in one batch, whose commit takes some 30 ms
};

// A roster that was read.
struct RosterRequest {
  SortedRosterPtr roster;
  // The id of a held plan to let through, or empty. If it is not the plan that this roster asks
  // for, or that plan is not held, nothing of the roster comes into force.
  std::string approve{};
  ReloadId reload{};
};

// The rosters on their way into force, one after the other, and the questions what a roster would
// do. Each of them is a RosterJob. This part decides whose turn it is and how much of it goes into
// a slice and into a batch, what the guard holds back, and which approvals count (P6). It knows no
// members: the caller asks for the next step and does it. It appends what must be on record to
// `changes`. Pure, and single-threaded: the engine owns it.
class Rosters {
 public:
  // `in_force`, `approved`: the fingerprints on record, of the roster in force and of one whose
  // approved retirements may not all be durable. 0: none.
  Rosters(const GuardPolicy& guard, Fingerprint in_force, Fingerprint approved)
      : guard_(guard), fingerprint_(in_force), approved_(approved) {}

  // For tests that want many slices of a few entries, or one slice of them all.
  void set_pace(RosterPace pace) { pace_ = pace; }
  const RosterPace& pace() const { return pace_; }

  // --- Asking ---

  // The roster waits for its turn. It replaces the last one that waits, and whoever waits for that
  // one gets the answer of this one. An approval replaces no roster, because it may be refused, and
  // no roster replaces an approval, which is for its own plan. kInvalid: it is an approval, and
  // kApprovalsWaitingMax others wait.
  Result<void> ask(RosterRequest request);
  // Asks what this roster would do.
  void look(PlanId plan, SortedRosterPtr roster);
  // Whether a roster is on its way into force.
  bool is_under_way() const { return roster_ != nullptr || !waiting_.empty(); }

  // --- Working, a step at a time ---

  enum class Step {
    kNone,     // there is nothing to do, or the batch that gathers has enough changes
    kCompare,  // find the member that next_look() names, and pass it to compare()
    kJudge,    // call judge()
    kPrepare,  // call prepare()
    kChange,   // make the change of next_change(); if that was all, call finish()
    kShow,     // call show()
  };
  // `commits_fail`: a question need not wait for a roster that waits for the store.
  bool has_step(bool commits_fail) const { return can_work() || can_show(commits_fail); }
  // Every call must be followed by the step that it names.
  Step next_step(bool commits_fail);
  // What the step costs, in units of RosterPace::slice_units_max.
  static std::size_t units_of(Step step);

  // `end`: larger than the id of every member.
  RosterJob::Look next_look(MemberId end) { return current_->next_look(generation_, end); }
  void compare(const MemberRecord* shown) { current_->compare(shown); }  // null: there is none
  // Entries moved to a member that a comparison may already have looked at.
  void members_merged() { ++generation_; }

  struct Verdict {
    enum class Kind {
      kAllowed,       // the guard has nothing against it
      kHeld,          // its retirements wait for an operator
      kStillHeld,     // the same, and this plan is held already
      kApproved,      // an operator lets them through
      kRestApproved,  // the rest of a plan that an operator let through before a crash
      kRefused,       // the approval is for another plan: nothing of the roster comes into force
    };
    Kind kind = Kind::kAllowed;
    std::string plan{};
    std::size_t retire = 0;
    // For kRefused: each of these is to get this answer at once.
    std::vector<ReloadId> refused{};
    Error why{};
    std::shared_ptr<const void> spent{};  // large: destroy it on another thread than the loop's
  };
  Verdict judge(std::vector<Mutation>& changes);
  void prepare(std::vector<Mutation>& changes);
  // None: that was all. Its pointers, and wanted(), are valid until finish().
  std::optional<RosterChange> next_change();
  const SortedRoster& wanted() const { return roster_->job->wanted(); }

  struct Finished {
    bool changed_anything = false;
    RosterPlanPtr plan{};
    std::vector<ReloadId> in_force{};     // get RosterInForce once the batch is durable
    std::vector<ReloadId> unanswered{};   // those of them that have had no Reloaded yet
    std::shared_ptr<const void> spent{};  // as above
  };
  Finished finish(std::vector<Mutation>& changes);
  command::Planned show();

  // The batch that gathered is closed: the next one takes more changes.
  void on_batch_closed() { steps_ = 0; }
  // Commits fail: takes those who wait for a roster and have had no answer. The rosters go on once
  // commits work again.
  std::vector<ReloadId> take_unanswered();

  // --- What is asked about them ---

  const RosterPlanPtr& held() const { return held_; }  // null: none is held
  // Of the roster that is in force exactly as it was read (durable or about to be); 0: none is.
  Fingerprint fingerprint() const { return fingerprint_; }
  // Whether the retirements of a roster that was compared wait for an operator, if nobody approves.
  bool holds(const RosterJob& job) const;

  static constexpr std::ptrdiff_t kApprovalsWaitingMax = 4;

 private:
  // A roster that was read, until it is in force or refused.
  struct Task {
    std::shared_ptr<RosterJob> job;
    std::string approve{};
    std::vector<ReloadId> in_force{};
    std::vector<ReloadId> unanswered{};
    std::vector<std::shared_ptr<const void>> spent{};  // destroyed with this task, off the loop

    bool is_approval() const { return !approve.empty(); }
  };
  // A roster whose plan somebody asks for. It does not come into force.
  struct Question {
    PlanId plan{};
    std::shared_ptr<RosterJob> job;
  };

  bool can_work() const;
  bool can_show(bool commits_fail) const;
  bool was_approved(const RosterJob& job) const;
  Result<void> check_approval(const Task& task, bool guarded) const;

  GuardPolicy guard_;
  RosterPace pace_;
  Fingerprint fingerprint_;
  Fingerprint approved_;
  RosterPlanPtr held_;
  std::uint64_t generation_ = 0;  // changes when a comparison under way has to begin anew
  std::shared_ptr<Task> roster_;  // null: none has begun
  std::deque<Task> waiting_;
  std::deque<Question> questions_;
  RosterJob* current_ = nullptr;  // whose step next_step() named
  std::size_t steps_ = 0;         // changes of roster_ in the batch that gathers
};

}  // namespace rota

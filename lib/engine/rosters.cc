#include "engine/rosters.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace rota {
namespace {

using Stage = RosterJob::Stage;

constexpr std::size_t kUnitsPerLook = 1;
constexpr std::size_t kUnitsPerRecord = 16;

void put(MetaKey key, Fingerprint& on_record, Fingerprint value, std::vector<Mutation>& changes) {
  if (std::exchange(on_record, value) == value) return;
  changes.emplace_back(PutMeta{key, static_cast<std::int64_t>(value)});
}

}  // namespace

Result<void> Rosters::ask(RosterRequest request) {
  Task task{.job = std::make_shared<RosterJob>(std::move(request.roster)),
            .approve = std::move(request.approve)};
  if (task.is_approval() &&
      std::ranges::count_if(waiting_, &Task::is_approval) >= kApprovalsWaitingMax) {
    return fail(ErrorKind::kInvalid, fmt::format("plan {} is not approved: too many approvals are "
                                                 "waiting for the database; try again later",
                                                 task.approve));
  }
  if (!waiting_.empty() && !task.is_approval() && !waiting_.back().is_approval()) {
    Task& replaced = waiting_.back();
    task.in_force = std::move(replaced.in_force);
    task.unanswered = std::move(replaced.unanswered);
    task.spent = std::move(replaced.spent);
    task.spent.push_back(std::move(replaced.job));
    waiting_.pop_back();
  }
  task.in_force.push_back(request.reload);
  task.unanswered.push_back(request.reload);
  waiting_.push_back(std::move(task));
  return {};
}

void Rosters::look(PlanId plan, SortedRosterPtr roster) {
  questions_.push_back({.plan = plan, .job = std::make_shared<RosterJob>(std::move(roster))});
}

bool Rosters::can_work() const {
  if (!roster_) return !waiting_.empty();
  return roster_->job->stage() != Stage::kChanging || steps_ < pace_.batch_steps_max;
}

// A look between two slices would see a mixture of two rosters. But it must not wait while commits
// fail.
bool Rosters::can_show(bool commits_fail) const {
  return !questions_.empty() && (!is_under_way() || commits_fail);
}

Rosters::Step Rosters::next_step(bool commits_fail) {
  const bool works = can_work();
  if (!works && !can_show(commits_fail)) return Step::kNone;
  if (works && !roster_) {
    roster_ = std::make_shared<Task>(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  current_ = works ? roster_->job.get() : questions_.front().job.get();
  switch (current_->stage()) {
    case Stage::kComparing:
      return Step::kCompare;
    case Stage::kJudging:
      return works ? Step::kJudge : Step::kPrepare;
    case Stage::kWriting:
      return Step::kPrepare;
    case Stage::kChanging:
      return works ? Step::kChange : Step::kShow;
    case Stage::kDone:
      break;
  }
  ROTA_CHECK(false);
}

std::size_t Rosters::units_of(Step step) {
  switch (step) {
    case Step::kNone:
      return 0;
    case Step::kCompare:
    case Step::kPrepare:
    case Step::kShow:
      return kUnitsPerLook;
    case Step::kJudge:
    case Step::kChange:
      return kUnitsPerRecord;
  }
  ROTA_CHECK(false);
}

// A crash interrupted a plan that an operator approved: the rest of it needs no second approval.
bool Rosters::was_approved(const RosterJob& job) const {
  return approved_ != 0 && job.wanted().roster().fingerprint == approved_;
}

bool Rosters::holds(const RosterJob& job) const {
  return held_by_guard(job.plan().retire.size(), job.active(), guard_) && !was_approved(job);
}

// An approval is for exactly the retirements that the operator has seen. If the plan is another
// one, nothing changes at all.
Result<void> Rosters::check_approval(const Task& task, bool guarded) const {
  const RosterPlan& plan = task.job->plan();
  if (plan.id == task.approve && !plan.retire.empty()) return {};
  if (!guarded) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format("plan {} is not held: the roster on disk needs no approval", task.approve));
  }
  if (held_ && held_->id == plan.id) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format("plan {} is not held: the plan held now is {}, which retires {}", task.approve,
                    plan.id, counted(plan.retire.size(), "member", "members")));
  }
  return fail(ErrorKind::kInvalid,
              fmt::format("plan {} is out of date: the roster on disk now asks for plan {}, which "
                          "retires {}; `rota plan` shows it, `rota reload` reads it",
                          task.approve, plan.id, counted(plan.retire.size(), "member", "members")));
}

Rosters::Verdict Rosters::judge(std::vector<Mutation>& changes) {
  using Kind = Verdict::Kind;
  RosterJob& job = *roster_->job;
  const RosterPlan& plan = job.plan();
  Verdict verdict{.plan = plan.id, .retire = plan.retire.size()};
  const bool guarded = held_by_guard(plan.retire.size(), job.active(), guard_);
  if (roster_->is_approval()) {
    if (const auto good = check_approval(*roster_, guarded); !good) {
      verdict.kind = Kind::kRefused;
      verdict.why = good.error();
      verdict.refused = std::move(roster_->in_force);
      verdict.spent = std::exchange(roster_, nullptr);
      return verdict;
    }
  }
  bool held = false;
  Fingerprint approved = 0;
  if (guarded && roster_->is_approval()) {
    verdict.kind = Kind::kApproved;
    approved = job.wanted().roster().fingerprint;
  } else if (guarded && was_approved(job)) {
    verdict.kind = Kind::kRestApproved;
    approved = approved_;
  } else if (guarded) {
    held = true;
    verdict.kind = held_ && held_->id == plan.id ? Kind::kStillHeld : Kind::kHeld;
  }
  put(MetaKey::kApprovedRoster, approved_, approved, changes);
  job.judge(held);
  return verdict;
}

void Rosters::prepare(std::vector<Mutation>& changes) {
  if (current_->stage() == Stage::kJudging) return current_->judge(holds(*current_));
  current_->write();
  if (!roster_ || current_ != roster_->job.get() || current_->stage() != Stage::kChanging) return;
  // Its changes begin.
  if (held_) roster_->spent.push_back(std::exchange(held_, nullptr));
  if (current_->plan().held) held_ = current_->written_plan();
  if (!current_->changes_anything()) return;
  ++generation_;
  // Until the last part is durable, no roster is in force exactly as it was read.
  put(MetaKey::kRosterFingerprint, fingerprint_, 0, changes);
}

std::optional<RosterChange> Rosters::next_change() {
  ++steps_;
  return roster_->job->next_change();
}

Rosters::Finished Rosters::finish(std::vector<Mutation>& changes) {
  const auto task = std::exchange(roster_, nullptr);
  const RosterJob& job = *task->job;
  put(MetaKey::kApprovedRoster, approved_, 0, changes);
  // A roster that is partly held is judged again by the next start, before it serves anybody.
  put(MetaKey::kRosterFingerprint, fingerprint_,
      job.plan().held ? Fingerprint{0} : job.wanted().roster().fingerprint, changes);
  return {.changed_anything = job.changes_anything(),
          .plan = job.written_plan(),
          .in_force = std::move(task->in_force),
          .unanswered = std::move(task->unanswered),
          .spent = task};
}

command::Planned Rosters::show() {
  Question question = std::move(questions_.front());
  questions_.pop_front();
  RosterPlanPtr plan = question.job->written_plan();
  return {.plan = question.plan, .result = std::move(plan), .spent = std::move(question.job)};
}

std::vector<ReloadId> Rosters::take_unanswered() {
  std::vector<ReloadId> all;
  const auto take = [&all](Task& task) {
    for (const ReloadId reload : std::exchange(task.unanswered, {})) all.push_back(reload);
  };
  if (roster_) take(*roster_);
  for (Task& task : waiting_) take(task);
  return all;
}

}  // namespace rota

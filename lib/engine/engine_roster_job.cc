#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "engine/engine.h"
#include "engine/roster_job.h"
#include "roster/diff.h"

// A roster comes into force in slices (engine/roster_job.h).

namespace rota {
namespace {

using Stage = RosterJob::Stage;

// What a step costs, in units of RosterPace::slice_units_max.
constexpr std::size_t kUnitsPerLook = 1;
constexpr std::size_t kUnitsPerRecord = 16;
constexpr std::ptrdiff_t kApprovalsWaitingMax = 4;

}  // namespace

void Engine::on_roster(RosterRequest request, Now now, Commands& out) {
  const auto waits = std::ranges::count(next_rosters_, true, &RosterTask::or_nothing);
  if (request.or_nothing && waits >= kApprovalsWaitingMax) {
    return void(out.emplace_back(command::Reloaded{
        .reload = request.reload,
        .plan =
            fail(ErrorKind::kInvalid, fmt::format("plan {} is not approved: too many approvals are "
                                                  "waiting for the database; try again later",
                                                  request.approve))}));
  }
  RosterTask task{.job = std::make_shared<RosterJob>(std::move(request.roster)),
                  .approve = std::move(request.approve),
                  .or_nothing = request.or_nothing};
  // Whoever waits for the roster that this one replaces gets the answer of this one. An approval
  // replaces no roster, because it may be refused, and no roster replaces an approval, which is for
  // its own plan.
  if (!next_rosters_.empty() && !task.or_nothing && !next_rosters_.back().or_nothing) {
    RosterTask& replaced = next_rosters_.back();
    task.in_force = std::move(replaced.in_force);
    task.unanswered = std::move(replaced.unanswered);
    task.spent = std::move(replaced.spent);
    task.spent.push_back(std::move(replaced.job));
    next_rosters_.pop_back();
  }
  task.in_force.push_back(request.reload);
  task.unanswered.push_back(request.reload);
  next_rosters_.push_back(std::move(task));
  pump(now, out);
}

void Engine::on_roster(const Roster& roster, const std::string& approve, ReloadId reload, Now now,
                       Commands& out) {
  ROTA_CHECK(!applies_roster());
  next_rosters_.push_back(RosterTask{.job = std::make_shared<RosterJob>(SortedRoster::of(roster)),
                                     .approve = approve,
                                     .in_force = {reload},
                                     .unanswered = {reload}});
  begin_next_roster();
  while (roster_->job->stage() != Stage::kDone) roster_step(*roster_, now, out);
  finish_roster();
  pump(now, out);
}

void Engine::on_plan(PlanId plan, SortedRosterPtr roster, Now now, Commands& out) {
  looks_.push_back({.plan = plan, .job = std::make_shared<RosterJob>(std::move(roster))});
  pump(now, out);
}

bool Engine::can_work_on_roster() const {
  if (stopping_) return false;
  if (!roster_) return !next_rosters_.empty();
  const Stage stage = roster_->job->stage();
  return stage != Stage::kChanging || roster_steps_ < roster_pace_.batch_steps_max;
}

// A look between two slices would see a mixture of two rosters. But it must not wait while commits
// fail.
bool Engine::can_look() const {
  return !stopping_ && !looks_.empty() && (!applies_roster() || outbox_.error());
}

void Engine::work_on_rosters(Now now, Commands& out) {
  std::size_t units = 0;
  while (units < roster_pace_.slice_units_max && can_work_on_roster()) {
    if (!roster_) begin_next_roster();
    units += roster_step(*roster_, now, out);
    if (roster_->job->stage() == Stage::kDone) finish_roster();
  }
  while (units < roster_pace_.slice_units_max && can_look()) {
    units += kUnitsPerLook;
    look_step(looks_.front(), out);
  }
}

void Engine::begin_next_roster() {
  roster_ = std::make_shared<RosterTask>(std::move(next_rosters_.front()));
  next_rosters_.pop_front();
}

void Engine::compare_step(RosterJob& job) const {
  const RosterJob::Look look = job.next_look(generation_, members_.end_id());
  const MemberSlot* const slot = look.key != nullptr ? members_.find(*look.key)
                                 : look.member       ? members_.find(*look.member)
                                                     : nullptr;
  job.compare(slot == nullptr ? nullptr : &slot->record);
}

// Does a small part of the task, and returns its cost.
std::size_t Engine::roster_step(RosterTask& task, Now now, Commands& out) {
  RosterJob& job = *task.job;
  switch (job.stage()) {
    case Stage::kComparing:
      compare_step(job);
      return kUnitsPerLook;
    case Stage::kJudging:
      judge_roster(task, out);
      return kUnitsPerRecord;
    case Stage::kWriting:
      job.write();
      if (job.stage() == Stage::kChanging) begin_changes(task);
      return kUnitsPerLook;
    case Stage::kChanging:
      if (const auto change = job.next_change()) make_change(*change, job.wanted(), now);
      ++roster_steps_;
      return kUnitsPerRecord;
    case Stage::kDone:
      break;
  }
  ROTA_CHECK(false);
}

void Engine::look_step(RosterLook& look, Commands& out) {
  RosterJob& job = *look.job;
  switch (job.stage()) {
    case Stage::kComparing:
      return compare_step(job);
    case Stage::kJudging:
      return job.judge(held_by_guard(job.plan().retire.size(), job.active(), policy_.guard) &&
                       !was_approved(job));
    case Stage::kWriting:
      return job.write();
    case Stage::kChanging:
      out.emplace_back(
          command::Planned{.plan = look.plan, .result = job.written_plan(), .spent = look.job});
      return looks_.pop_front();
    case Stage::kDone:
      break;
  }
  ROTA_CHECK(false);
}

void Engine::make_change(const RosterChange& change, const SortedRoster& wanted, Now now) {
  switch (change.kind) {
    case RosterChange::Kind::kPut:
      return apply_entry(*change.entry, now);
    case RosterChange::Kind::kTakeOut:
      return apply_removal(*change.key, wanted, now);
    case RosterChange::Kind::kForgetTags:
      return forget_tags_left_behind(*change.key);
  }
}

// A crash interrupted a plan that an operator approved: the rest of it needs no second approval.
bool Engine::was_approved(const RosterJob& job) const {
  return approved_roster_ != 0 && job.wanted().roster().fingerprint == approved_roster_;
}

void Engine::judge_roster(RosterTask& task, Commands& out) {
  RosterJob& job = *task.job;
  const RosterPlan& plan = job.plan();
  bool held = held_by_guard(plan.retire.size(), job.active(), policy_.guard);
  if (task.or_nothing) {
    if (const auto good = check_approval(task, held); !good) {
      return refuse_roster(task, good.error(), out);
    }
  }
  Fingerprint approved = 0;
  if (held && plan.id == task.approve) {
    held = false;
    approved = job.wanted().roster().fingerprint;
    tell(Severity::kWarning, "plan_approved", nullptr,
         fmt::format("plan {} was approved; it retires {}", plan.id,
                     counted(plan.retire.size(), "member", "members")));
    note(AuditEvent::kPlanApproved, nullptr,
         fmt::format("plan {}, which retires {}", plan.id, plan.retire.size()));
  } else if (held && was_approved(job)) {
    held = false;
    approved = approved_roster_;
    tell(Severity::kWarning, "plan_approved", nullptr,
         fmt::format("rotad applies the rest of an approved plan, which retires {}",
                     counted(plan.retire.size(), "member", "members")));
  }
  if (held && (!held_ || held_->id != plan.id)) {
    tell(Severity::kError, "plan_held", nullptr,
         fmt::format("plan {} would retire {} and is held: look at it with `rota plan`, let "
                     "it through with `rota approve {}`",
                     plan.id, counted(plan.retire.size(), "member", "members"), plan.id));
    note(AuditEvent::kPlanHeld, nullptr,
         fmt::format("plan {}, which would retire {}", plan.id, plan.retire.size()));
  }
  put_meta(MetaKey::kApprovedRoster, approved_roster_, approved);
  job.judge(held);
}

void Engine::begin_changes(RosterTask& task) {
  const RosterJob& job = *task.job;
  if (held_) task.spent.push_back(std::exchange(held_, nullptr));
  if (job.plan().held) held_ = job.written_plan();
  if (!job.changes_anything()) return;
  ++generation_;
  // Until the last part is durable, no roster is in force exactly as it was read.
  put_meta(MetaKey::kRosterFingerprint, roster_on_record_, 0);
}

void Engine::put_meta(MetaKey key, Fingerprint& on_record, Fingerprint value) {
  if (std::exchange(on_record, value) == value) return;
  outbox_.change(PutMeta{key, static_cast<std::int64_t>(value)});
}

// An approval is for exactly the retirements that the operator has seen. If the plan is another
// one, nothing changes at all.
Result<void> Engine::check_approval(const RosterTask& task, bool held) const {
  const RosterPlan& plan = task.job->plan();
  if (plan.id == task.approve && !plan.retire.empty()) return {};
  if (!held) {
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

// The answer leaves at once, because nothing has to be stored first.
void Engine::refuse_roster(RosterTask& task, const Error& error, Commands& out) {
  for (const ReloadId reload : task.in_force) {
    out.emplace_back(
        command::Reloaded{.reload = reload, .plan = std::unexpected(error), .spent = roster_});
  }
  task.in_force.clear();
  task.unanswered.clear();
  task.job->refuse();
}

void Engine::finish_roster() {
  const auto task = std::move(roster_);
  if (task->in_force.empty()) return;  // it was refused
  const RosterJob& job = *task->job;
  const RosterPlan& plan = job.plan();
  if (job.changes_anything()) {
    const std::string changes =
        fmt::format("{} added, {} changed, {} {}", plan.add.size(), plan.change.size(),
                    plan.retire.size(), plan.held ? "held" : "retired");
    tell(Severity::kInfo, "roster", nullptr, "roster applied: " + changes);
    note(AuditEvent::kRosterApplied, nullptr, changes);
  }
  put_meta(MetaKey::kApprovedRoster, approved_roster_, 0);
  // A roster that is partly held is judged again by the next start, before it serves anybody.
  put_meta(MetaKey::kRosterFingerprint, roster_on_record_,
           plan.held ? Fingerprint{0} : job.wanted().roster().fingerprint);
  for (const ReloadId reload : task->in_force) {
    outbox_.then(command::RosterInForce{.reload = reload, .held = plan.held, .spent = task});
  }
  for (const ReloadId reload : task->unanswered) {
    outbox_.then(command::Reloaded{.reload = reload, .plan = job.written_plan(), .spent = task});
  }
}

// Commits fail: whoever waits for a roster is told now. The roster goes on when commits work again.
void Engine::answer_rosters(const Error& error, Commands& out) {
  const auto answer = [&](RosterTask& task) {
    for (const ReloadId reload : std::exchange(task.unanswered, {})) {
      out.emplace_back(command::Reloaded{.reload = reload, .plan = std::unexpected(error)});
    }
  };
  if (roster_) answer(*roster_);
  for (RosterTask& task : next_rosters_) answer(task);
}

}  // namespace rota

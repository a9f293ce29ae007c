#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "engine/engine.h"
#include "plan/lifecycle.h"

// How a roster comes into force (engine/rosters.h), and how it changes the records.

namespace rota {

void Engine::on_roster(RosterRequest request, Now now, Commands& out) {
  const ReloadId reload = request.reload;
  if (const auto asked = rosters_.ask(std::move(request)); !asked) {
    return void(out.emplace_back(
        command::Reloaded{.reload = reload, .plan = std::unexpected(asked.error())}));
  }
  pump(now, out);
}

void Engine::on_plan(PlanId plan, SortedRosterPtr roster, Now now, Commands& out) {
  rosters_.look(plan, std::move(roster));
  pump(now, out);
}

RosterPlanPtr Engine::plan_for(SortedRosterPtr roster) const {
  RosterJob job(std::move(roster));
  constexpr std::uint64_t kNobodyMoves = 0;
  while (job.stage() == RosterJob::Stage::kComparing) {
    job.compare(shown(job.next_look(kNobodyMoves, members_.end_id())));
  }
  job.judge(rosters_.holds(job));
  while (job.stage() == RosterJob::Stage::kWriting) job.write();
  return job.written_plan();
}

const MemberRecord* Engine::shown(const RosterJob::Look& look) const {
  const MemberSlot* const slot = look.key != nullptr ? members_.find(*look.key)
                                 : look.member       ? members_.find(*look.member)
                                                     : nullptr;
  return slot == nullptr ? nullptr : &slot->record;
}

// Does a slice of the work on rosters.
void Engine::work_on_rosters(Now now, Commands& out) {
  if (stopping_) return;
  std::size_t units = 0;
  while (units < rosters_.pace().slice_units_max) {
    const Rosters::Step step = rosters_.next_step(outbox_.error().has_value());
    units += Rosters::units_of(step);
    switch (step) {
      case Rosters::Step::kNone:
        return;
      case Rosters::Step::kCompare:
        rosters_.compare(shown(rosters_.next_look(members_.end_id())));
        break;
      case Rosters::Step::kJudge:
        judge_roster(out);
        break;
      case Rosters::Step::kPrepare:
        rosters_.prepare(outbox_.changes());
        break;
      case Rosters::Step::kChange:
        if (const auto change = rosters_.next_change()) {
          make_change(*change, now, out);
        } else {
          finish_roster();
        }
        break;
      case Rosters::Step::kShow:
        out.emplace_back(rosters_.show());
        break;
    }
  }
}

void Engine::judge_roster(Commands& out) {
  const Rosters::Verdict verdict = rosters_.judge(outbox_.changes());
  const std::string who = counted(verdict.retire, "member", "members");
  switch (verdict.kind) {
    case Rosters::Verdict::Kind::kAllowed:
    case Rosters::Verdict::Kind::kStillHeld:
      return;
    case Rosters::Verdict::Kind::kHeld:
      tell(Severity::kError, "plan_held", nullptr,
           fmt::format("plan {} would retire {} and is held: look at it with `rota plan`, let "
                       "it through with `rota approve {}`",
                       verdict.plan, who, verdict.plan));
      return note(AuditEvent::kPlanHeld, nullptr,
                  fmt::format("plan {}, which would retire {}", verdict.plan, verdict.retire));
    case Rosters::Verdict::Kind::kApproved:
      tell(Severity::kWarning, "plan_approved", nullptr,
           fmt::format("plan {} was approved; it retires {}", verdict.plan, who));
      return note(AuditEvent::kPlanApproved, nullptr,
                  fmt::format("plan {}, which retires {}", verdict.plan, verdict.retire));
    case Rosters::Verdict::Kind::kRestApproved:
      return tell(Severity::kWarning, "plan_approved", nullptr,
                  fmt::format("rotad applies the rest of an approved plan, which retires {}", who));
    case Rosters::Verdict::Kind::kRefused:
      // The answer leaves at once, because nothing has to be stored first.
      for (const ReloadId reload : verdict.refused) {
        out.emplace_back(command::Reloaded{
            .reload = reload, .plan = std::unexpected(verdict.why), .spent = verdict.spent});
      }
      return;
  }
}

void Engine::finish_roster() {
  const Rosters::Finished done = rosters_.finish(outbox_.changes());
  const RosterPlan& plan = *done.plan;
  if (done.changed_anything) {
    const std::string changes =
        fmt::format("{} added, {} changed, {} {}", plan.add.size(), plan.change.size(),
                    plan.retire.size(), plan.held ? "held" : "retired");
    tell(Severity::kInfo, "roster", nullptr, "roster applied: " + changes);
    note(AuditEvent::kRosterApplied, nullptr, changes);
  }
  for (const ReloadId reload : done.in_force) {
    outbox_.then(command::RosterInForce{.reload = reload, .held = plan.held, .spent = done.spent});
  }
  for (const ReloadId reload : done.unanswered) {
    outbox_.then(command::Reloaded{.reload = reload, .plan = done.plan, .spent = done.spent});
  }
}

void Engine::make_change(const RosterChange& change, Now now, Commands& out) {
  const bool puts = change.kind == RosterChange::Kind::kPut;
  const MemberKey& key = puts ? change.entry->key : *change.key;
  const MemberSlot* const before = members_.find(key);
  const auto tags_before = before == nullptr ? std::vector<std::string>{} : tags_of(before->record);
  carry_out(change, now);
  if (const MemberSlot* const slot = members_.find(key)) keep_tags(*slot, tags_before, out);
}

// A grant by tag must not serve more than both the roster in force and the one that comes would
// let it. The tags that are new come once that is durable; those that leave need not wait for it,
// because the store may take nothing for hours.
void Engine::keep_tags(const MemberSlot& slot, const std::vector<std::string>& before,
                       Commands& out) {
  if (before.empty()) return;
  const auto kept = tags_of(slot.record);
  if (std::ranges::includes(kept, before)) return;
  for (const MemberId shown : outbox_.keep_tags(slot.record.id, kept)) {
    out.emplace_back(command::KeepTags{.member = shown, .tags = kept});
  }
}

void Engine::carry_out(const RosterChange& change, Now now) {
  switch (change.kind) {
    case RosterChange::Kind::kPut:
      return apply_entry(*change.entry, now);
    case RosterChange::Kind::kTakeOut:
      return apply_removal(*change.key, rosters_.wanted(), now);
    case RosterChange::Kind::kForgetTags:
      return forget_tags_left_behind(*change.key);
  }
}

void Engine::apply_entry(const RosterEntry& entry, Now now) {
  const Selector selector{.key = entry.key,
                          .in_roster = true,
                          .was_in_roster = true,
                          .retired = entry.retired,
                          .name = entry.name,
                          .tags = entry.tags,
                          .enrolments = {}};
  MemberSlot* const known = members_.find(entry.key);
  unknown_names_.forget(entry.key);
  if (known == nullptr) {
    MemberSlot& slot = members_.add({.id = members_.next_id(),
                                     .state = MemberState::kActive,
                                     .state_since = circle_now(now),
                                     .selectors = {selector},
                                     .community_member_id = std::nullopt,
                                     .community_id = std::nullopt,
                                     .renew_not_before = {},
                                     .last_used = {},
                                     .login_epoch = draw_login_epoch(),
                                     .tokens = {}});
    follow_wanted(slot, now);
    return;
  }
  MemberSlot& slot = *known;
  auto& selectors = slot.record.selectors;
  const auto same = std::ranges::find(selectors, entry.key, &Selector::key);
  if (same == selectors.end()) {
    members_.unindex(slot);
    selectors.push_back(selector);
    members_.index(slot);
  } else {
    const WallTime resolved_at = same->resolved_at;
    SlimVector<Enrolment> enrolments = std::move(same->enrolments);
    *same = selector;
    same->resolved_at = resolved_at;
    same->enrolments = std::move(enrolments);
  }
  if (entry.retired) end_enrolments(slot.record);
  follow_wanted(slot, now);
}

void Engine::apply_removal(const MemberKey& key, const SortedRoster& wanted, Now now) {
  MemberSlot* const known = members_.find(key);
  if (known == nullptr) return;
  MemberSlot& slot = *known;
  const auto selector = std::ranges::find(slot.record.selectors, key, &Selector::key);
  const RosterEntry* entry = wanted.find(key);
  if (selector == slot.record.selectors.end()) {
    if (entry != nullptr) apply_entry(*entry, now);  // the name is new for this member
    return;
  }
  // The roster's word counts: with its entry everything that clients said of the member goes.
  if (entry == nullptr ? selector->in_roster : entry->retired) end_enrolments(slot.record);
  selector->in_roster = entry != nullptr;
  selector->was_in_roster |= selector->in_roster;
  selector->retired = entry != nullptr && entry->retired;
  if (entry != nullptr) {
    selector->name = entry->name;
    selector->tags = entry->tags;
  }
  follow_wanted(slot, now);
}

void Engine::forget_tags_left_behind(const MemberKey& key) {
  MemberSlot* const known = members_.find(key);
  if (known == nullptr) return;
  MemberSlot& slot = *known;
  if (!forget_stale_tags(slot.record)) return;
  record_change(slot, RecordChange{.row = true, .put = {}, .erased = {}});
}

void Engine::follow_wanted(MemberSlot& slot, Now now) {
  const auto event = is_wanted(slot.record) ? LifecycleEvent::kWanted : LifecycleEvent::kDropped;
  const MemberState before = slot.record.state;
  if (event == LifecycleEvent::kDropped) release_shared(slot);
  RecordChange change{.row = true, .put = {}, .erased = {}};
  change.merge(enter(slot.record, event, circle_now(now)));
  record_change(slot, change);
  if (slot.record.state != before) {
    tell(Severity::kInfo, std::string(name_of(slot.record.state)), &slot,
         fmt::format("was {}; {} tokens on record", name_of(before), slot.record.tokens.size()));
    note(event == LifecycleEvent::kDropped ? AuditEvent::kMemberRetired
                                           : AuditEvent::kMemberReturned,
         &slot, fmt::format("was {}", name_of(before)));
    answer_waiters(slot, now);
  }
  settle_if_nothing_alive(slot, now);
  replan(slot, now);
}

}  // namespace rota

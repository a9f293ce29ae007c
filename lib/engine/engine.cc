#include "engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "base/check.h"
#include "model/expiry.h"
#include "plan/backoff.h"
#include "plan/lifecycle.h"

namespace rota {
namespace {

// Past this share of the budget, revocations of sign-outs go in the last lane.
constexpr double kUrgentSignOutShare = 0.1;

std::size_t share_of(std::size_t calls, double share) {
  const auto part = static_cast<std::size_t>(static_cast<double>(calls) * share);
  return std::clamp<std::size_t>(part, 1, calls);
}

bool is_waited_for(const MemberSlot& slot) {
  return !slot.waiters.empty() || slot.rotations_asked > 0;
}

// Whether a call that brings tokens is made only because somebody asks for another one.
bool is_forced(const MemberSlot& slot, CallKind kind, WallTime circle) {
  const Token* access = current(slot.record, TokenKind::kAccess);
  return rotates(kind) && access != nullptr && alive(access->expires_at, circle) &&
         (is_waited_for(slot) || slot.attempts.refused == access->fingerprint);
}

// The rows that were set aside.
std::string named(const Snapshot& snapshot) {
  const bool all = std::cmp_equal(snapshot.set_aside.size(), snapshot.rows_set_aside);
  return fmt::format("{}{}", fmt::join(snapshot.set_aside, ", "), all ? "" : " and others");
}

}  // namespace

Engine::Engine(const Policy& policy, Snapshot snapshot, std::uint64_t seed, Now now, BootId boot)
    : policy_(policy),
      seed_(seed),
      boot_(boot),
      set_aside_(named(snapshot)),
      random_(seed),
      login_epochs_(Random(seed).next()),
      learned_(policy, snapshot, boot, now),
      gate_(policy),
      journal_({.rows = snapshot.calls,
                .next = snapshot.next_call,
                .last_commit = snapshot.meta.last_commit},
               policy.window, boot, now.boot),
      token_ids_(snapshot.next_token),
      members_(snapshot.next_member, policy.active_within),
      rosters_(policy.guard, snapshot.meta.roster, snapshot.meta.approved_roster),
      enrolment_turns_(share_of(policy.requests_per_window, policy.enrolment.budget_share),
                       policy.window),
      removals_(policy.guard, snapshot.meta.held_clients),
      urgent_sign_outs_(share_of(policy.requests_per_window, kUrgentSignOutShare), policy.window),
      pumped_at_(now.boot),
      issues_go_on_at_(now.boot),
      rows_set_aside_(snapshot.rows_set_aside) {
  journal_.put_dates(outbox_.changes());
  // The pause after the slots: a restored slot from before the pause must not move it.
  for (const BootTime over : journal_.completions(now.boot)) {
    if (over + policy_.window >= now.boot) gate_.restore(over);
  }
  if (const auto until = journal_.on_this_boot(snapshot.meta.paused_until); until > now.boot) {
    gate_.pause_until(*until);
    put_pause(*until);
  }
  // The tokens on record show how long this community's tokens live, before the first call does.
  for (const MemberRecord& record : snapshot.members) {
    for (const Token& token : record.tokens) learned_.recall(token);
  }
  count_who_fits();
  for (MemberRecord& record : snapshot.members) {
    for (Selector& selector : record.selectors) selector.was_in_roster |= selector.in_roster;
    unite_spellings(record);
    forget_stale_tags(record);
    MemberSlot& slot = members_.add(std::move(record));
    slot.use_on_record = slot.record.last_used;
    slot.in_use_since = circle_now(now);
    recall_enrolments(slot);
    recount(slot);
  }
}

void Engine::start(Now now, Commands& out) {
  if (rows_set_aside_ > 0) {
    tell(Severity::kWarning, "rows_set_aside", nullptr,
         fmt::format("{} database rows are damaged or were changed by another program: rotad sets "
                     "them aside and issues new tokens to their members: {}",
                     rows_set_aside_, set_aside_));
  }
  for (const CallRow& row : journal_.open_rows()) {
    close_row(
        CallState{.id = row.id, .kind = row.kind, .member = row.member, .sent_at = std::nullopt},
        Transient{.reason = TransientReason::kNoReply, .why = "the daemon ended"}, now);
  }
  for (const auto& [member, slot] : members_.all()) publish(slot);
  // What is published here is already durable, so it need not wait for a commit.
  Commands then = outbox_.take_then();
  std::ranges::move(then, std::back_inserter(out));
  for (auto& [member, slot] : members_.all()) {
    settle_if_nothing_alive(slot, now);
    replan(slot, now);
  }
  unite_namesakes(now);
  pump(now, out);
}

void Engine::on_tick(Now now, Commands& out) { pump(now, out); }

void Engine::on_new_app_token(Now now, Commands& out) {
  if (gate_.new_app_token()) {
    tell(Severity::kInfo, "breaker", nullptr, "a new app token was read: calls to Circle resume");
    forgive_all(now);
  }
  pump(now, out);
}

void Engine::on_stop(Now now, Commands& out) {
  stopping_ = true;
  answer_everybody(now);
  for (auto& [member, slot] : members_.all()) {
    if (slot.record.last_used != slot.use_on_record) members_.want_use_recorded(member);
  }
  record_uses_at_ = now.boot;
  pump(now, out);
}

bool Engine::drained() const {
  return stopping_ && gate_.in_flight() == 0 && outbox_.is_empty() &&
         !members_.has_unrecorded_uses();
}

std::optional<BootTime> Engine::next_wake(Now now) {
  std::optional<BootTime> wake;
  const auto consider = [&wake](std::optional<BootTime> at) {
    if (at) wake = std::min(wake.value_or(*at), *at);
  };
  switch (outbox_.state()) {
    case Outbox::State::kIdle:
      if (members_.has_unrecorded_uses()) consider(record_uses_at_);
      break;
    case Outbox::State::kRetrying:
      consider(outbox_.retry_at());
      break;
    case Outbox::State::kRunning:
      break;
  }
  consider(enrolments_wake_at(now));
  if (!stopping_ && rosters_.has_step(outbox_.error().has_value())) consider(now.boot);
  if (const auto deadline = waits_.first_deadline()) consider(deadline->first);
  const auto housekeeping = schedule_.first_housekeeping();
  if (housekeeping && clock().confirmed()) {
    consider(std::max(clock().boot_at(housekeeping->at), housekeep_at_));
  }
  consider(operations_.first_deadline());
  if (stopping_) return wake;
  for (const Lane lane : kLanes) consider(lane_wakes_at(lane, now));
  return wake;
}

// When a call of this lane can go out. None: no call is planned, or a reply must come first.
std::optional<BootTime> Engine::lane_wakes_at(Lane lane, Now now) {
  const auto first = schedule_.first(lane);
  const bool probes = lane == Lane::kRefresh && wants_time_probe();
  if (!first && !probes) return std::nullopt;
  BootTime due = first ? clock().boot_at(first->at) : learned_.time_probe_at();
  if (probes) due = std::min(due, learned_.time_probe_at());
  const auto open = gate_.earliest(lane, now.boot);
  if (!open) return std::nullopt;
  BootTime at = std::max(*open, due);
  if (!learned_.lets_through(lane, has_asked_for_time(), at)) {
    if (has_asked_for_time()) return std::nullopt;
    at = learned_.doubt_call_at();
  }
  // Only the number of calls in flight holds it back: the next reply is the event to wait for.
  if (at <= now.boot && !may_send(lane, now)) return std::nullopt;
  return at;
}

void Engine::pump(Now now, Commands& out) {
  pumped_at_ = now.boot;
  look_at_clocks(now);
  work_on_rosters(now, out);
  housekeep_due(now);
  replan_moved(now);
  admit_enrolments(now, out);
  expire_waits(now, out);
  expire_operations(now, out);
  end_refused_operations(now);
  send_held(now, out);
  wanted_.fill(0);
  if (!stopping_) {
    send_due(now);
    probe_time(now);
  }
  flush(now, out);
}

bool Engine::may_send(Lane lane, Now now) {
  return learned_.lets_through(lane, has_asked_for_time(), now.boot) &&
         gate_.may_send(lane, now.boot);
}

bool Engine::lacks_quota_only(Lane lane, Now now) {
  return learned_.lets_through(lane, has_asked_for_time(), now.boot) &&
         gate_.lacks_quota_only(lane, now.boot);
}

void Engine::on_quota(const CallCounts& calls, Now now, Commands& out) {
  gate_.add_quota(calls);
  wanted_.fill(0);
  if (!stopping_) {
    send_due(now);
    probe_time(now);
  }
  gate_.drop_quota();
  flush(now, out);
}

void Engine::on_share(std::size_t calls, Now now) {
  share_ = calls;
  count_who_fits();
  replan_moved(now);
}

void Engine::send_due(Now now) {
  const WallTime circle = circle_now(now);
  while (true) {
    std::array<bool, kLaneCount> ready{};
    std::array<std::optional<DueCall>, kLaneCount> first;
    wanted_.fill(0);
    for (const Lane lane : kLanes) {
      const auto due = schedule_.first(lane);
      if (!due || due->at > circle) continue;
      if (lacks_quota_only(lane, now) && first_due(lane, now)) {
        ++wanted_.at(index_of(class_of(lane)));
      }
      if (!may_send(lane, now)) continue;
      first[index_of(lane)] = first_due(lane, now);
      ready[index_of(lane)] = first[index_of(lane)].has_value();
    }
    const auto lane = gate_.pick(ready);
    if (!lane) return;
    const DueCall& due = *first[index_of(*lane)];
    start_call(members_.at(due.member), due.call, now);
  }
}

// What was learned after a member was queued may have moved it to a later time or another lane.
std::optional<Engine::DueCall> Engine::first_due(Lane lane, Now now) {
  const WallTime circle = circle_now(now);
  for (auto due = schedule_.first(lane); due && due->at <= circle; due = schedule_.first(lane)) {
    MemberSlot& slot = members_.at(due->member);
    const auto planned = plan_of(slot, now).calls[index_of(lane)];
    if (planned && planned->due <= circle) return DueCall{slot.record.id, *planned};
    replan(slot, now);
  }
  return std::nullopt;
}

void Engine::start_call(MemberSlot& slot, const PlannedCall& planned, Now now) {
  schedule_.remove(slot.record.id, slot.places);
  const WallTime circle = circle_now(now);
  const CallId id = journal_.open(planned.kind, slot.record.id, circle, outbox_.changes());
  gate_.open({.id = id,
              .kind = planned.kind,
              .lane = planned.lane,
              .member = slot.record.id,
              .token = planned.token,
              .forced = is_forced(slot, planned.kind, circle),
              .sent_at = std::nullopt},
             now.boot);
  slot.in_flight = id;
  if (rotates(planned.kind)) slot.attempts.last_at = circle;
  if (planned.kind == CallKind::kRefresh) {
    learned_.note_early_refresh(current(slot.record, TokenKind::kAccess), circle);
  }
  learned_.opened(planned.kind, now.boot);
  outbox_.send_when_durable(id);
  if (sends_refresh_token(planned.kind)) outbox_.open_when_durable(planned.token);
}

MemberPlan Engine::plan_of(const MemberSlot& slot, Now now) const {
  const bool waiting = is_waited_for(slot);
  const Token* access = current(slot.record, TokenKind::kAccess);
  const WallTime circle = circle_now(now);
  const Demand demand{
      .waiting = waiting,
      .anew = slot.asked_anew,
      .forced = waiting && access != nullptr && alive(access->expires_at, circle),
      .kept = members_.keeps(slot),
      .in_use = members_.in_use(slot, circle),
      .others_work = gate_.breaker().state() == BreakerState::kClosed,
      .hurries_revocations = slot.hurries_revocations,
      .leaves_not_before = slot.leaves_at ? clock().at(*slot.leaves_at) : WallTime{}};
  return plan_member(slot.record, slot.attempts, demand, policy_, facts(), seed_, circle);
}

void Engine::replan(MemberSlot& slot, Now now) {
  schedule_.put(slot.record.id, plan_of(slot, now), slot.in_flight.has_value(), slot.places);
}

}  // namespace rota

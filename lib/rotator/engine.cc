#include "rotator/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/check.h"
#include "model/expiry.h"
#include "plan/backoff.h"
#include "plan/lifecycle.h"

namespace rota {
namespace {

// Of the calls in flight, this part is kept from background lanes.
constexpr std::size_t kUrgentInFlightShare = 4;

}  // namespace

Engine::Engine(const Policy& policy, Snapshot snapshot, std::uint64_t seed, Now now, BootId boot)
    : policy_(policy),
      seed_(seed),
      boot_(boot),
      rows_set_aside_(snapshot.rows_set_aside),
      roster_on_record_(snapshot.roster),
      approved_roster_(snapshot.approved_roster),
      random_(seed),
      clock_(now, snapshot.last_circle_time, snapshot.clock_skew,
             snapshot.clock_boot == boot && boot != BootId{} ? std::optional(snapshot.clock_offset)
                                                             : std::nullopt),
      budget_(policy.requests_per_window, policy.window),
      journal_(
          {.rows = snapshot.calls, .next = snapshot.next_call, .last_commit = snapshot.last_commit},
          policy.window, boot, now.boot),
      token_ids_(snapshot.next_token),
      next_member_(static_cast<std::int64_t>(snapshot.next_member)),
      pumped_at_(now.boot),
      issues_go_on_at_(now.boot) {
  facts_.early_refresh_useless = snapshot.early_refresh_useless;
  refresh_rotates_ = snapshot.refresh_rotates;
  journal_.put_dates(gathering_.mutations);
  // The pause after the slots: what came before it does not delay what comes after.
  for (const BootTime over : journal_.completions(now.boot)) {
    if (over + policy_.window >= now.boot) budget_.restore(over);
  }
  if (const auto until = journal_.on_this_boot(snapshot.paused_until); until > now.boot) {
    pause_until(*until);
  }
  facts_.early_probe_at = snapshot.early_probe_at.value_or(circle_now(now) + kEarlyProbeEvery);
  // The ledger tells how long this community's tokens live before the first call does.
  for (const MemberRecord& record : snapshot.members) {
    const Token* access = current(record, TokenKind::kAccess);
    const Token* refresh = current(record, TokenKind::kRefresh);
    for (const Token& token : record.tokens) note_life(token);
    if (access) learn_lifetime(*access, CallKind::kIssue);
    if (refresh) facts_.refresh_lifetime = std::max(facts_.refresh_lifetime, lifetime_of(*refresh));
  }
  upkeep_.set_capacity(members_that_fit(budget_.background_limit(), policy_, facts_));
  for (MemberRecord& record : snapshot.members) {
    unite_spellings(record);
    forget_stale_tags(record);
    MemberSlot& slot = add_slot(std::move(record));
    slot.use_on_record = slot.record.last_used;
    slot.in_use_since = circle_now(now);
    take_place(slot);
  }
}

void Engine::start(Now now, Commands& out) {
  if (rows_set_aside_ > 0) {
    tell(Severity::kWarning, "rows_set_aside", nullptr,
         fmt::format(
             "{} rows of the store are damaged or were changed by somebody else: they are set "
             "aside, and their members are issued anew",
             rows_set_aside_));
  }
  for (const CallRow& row : journal_.open_rows()) {
    close_row(row.id, CallState{.kind = row.kind, .member = row.member, .sent_at = std::nullopt},
              Transient{.reason = TransientReason::kNoReply, .why = "the daemon ended"}, now);
  }
  for (auto& [member, slot] : slots_) {
    settle_if_nothing_alive(slot, now);
    publish(slot);
    replan(slot, now);
  }
  // What is published here is durable already: it need not wait for a commit.
  Commands then = std::exchange(gathering_.then, {});
  std::ranges::move(then, std::back_inserter(out));
  unite_namesakes(now);
  pump(now, out);
}

void Engine::on_tick(Now now, Commands& out) { pump(now, out); }

void Engine::on_new_app_token(Now now, Commands& out) {
  ++app_token_;
  trouble_.clear();
  if (breaker_.on_new_app_token()) {
    breaker_told_.clear();
    tell(Severity::kInfo, "breaker", nullptr, "a new app token was read: calls go on");
    forgive_all(now);
  }
  pump(now, out);
}

void Engine::on_stop(Now now, Commands& out) {
  stopping_ = true;
  answer_everybody(now);
  for (auto& [member, slot] : slots_) {
    if (slot.record.last_used != slot.use_on_record) unrecorded_uses_.insert(member);
  }
  record_uses_at_ = now.boot;
  pump(now, out);
}

bool Engine::drained() const {
  return stopping_ && calls_.empty() && !committing_ && gathering_.empty() &&
         unrecorded_uses_.empty();
}

std::optional<BootTime> Engine::next_wake(Now now) {
  std::optional<BootTime> wake;
  const auto consider = [&wake](std::optional<BootTime> at) {
    if (at) wake = std::min(wake.value_or(*at), *at);
  };
  if (committing_ && !commit_running_) consider(commit_retry_at_);
  if (can_work_on_roster() || can_look()) consider(now.boot);
  if (!wait_deadlines_.empty()) consider(wait_deadlines_.begin()->first);
  if (!housekeeping_.empty() && clock_.confirmed())
    consider(clock_.boot_at(housekeeping_.begin()->first));
  if (!unrecorded_uses_.empty() && !commit_running_ && !committing_) consider(record_uses_at_);
  for (const auto& [id, operation] : operations_) consider(operation.deadline);
  if (stopping_) return wake;
  for (const Lane lane : kLanes) {
    const Queue& queue = lanes_[index_of(lane)];
    const bool probes = lane == Lane::kRefresh && wants_clock_probe();
    if (queue.empty() && !probes) continue;
    BootTime due = queue.empty() ? clock_probe_at_ : clock_.boot_at(queue.begin()->first);
    if (probes) due = std::min(due, clock_probe_at_);
    auto at = std::max(now.boot, due);
    const auto slot_at = budget_.next_slot(lane, now.boot);
    if (!slot_at) continue;  // a reply comes first
    at = std::max(at, *slot_at);
    if (const auto probe = breaker_.probe_at(lane == Lane::kWaiting)) at = std::max(at, *probe);
    if (brings_tokens(lane) && dead_arrivals_.holds_back()) {
      at = std::max(at, dead_arrivals_.probe_at());
    }
    if (clock_.doubted() && !doubt_lets_through(lane, at)) {
      if (has_asked_for_time()) continue;
      at = clock_probe_at_;
    }
    // Held back by calls in flight only: their replies are the event to wait for.
    if (at <= now.boot && !may_send(lane, now)) continue;
    consider(at);
  }
  return wake;
}

std::optional<WallTime> Engine::next_due() const {
  std::optional<WallTime> due;
  for (const Queue& queue : lanes_) {
    if (!queue.empty()) due = std::min(due.value_or(queue.begin()->first), queue.begin()->first);
  }
  return due;
}

void Engine::pump(Now now, Commands& out) {
  pumped_at_ = now.boot;
  look_at_clocks(now);
  work_on_rosters(now, out);
  housekeep_due(now);
  replan_moved(now);
  expire_waits(now, out);
  expire_operations(now, out);
  if (!stopping_) {
    send_due(now);
    probe_clock(now);
  }
  flush(now, out);
}

bool Engine::may_send(Lane lane, Now now) {
  const std::size_t in_flight = calls_.size();
  const std::size_t urgent_only =
      policy_.max_in_flight > 1
          ? std::max<std::size_t>(1, policy_.max_in_flight / kUrgentInFlightShare)
          : 0;
  // As in the budget, only background calls count against the background's part.
  const auto in_background = static_cast<std::size_t>(std::ranges::count_if(
      calls_, [](const auto& call) { return is_background(call.second.lane); }));
  const bool room = in_flight < policy_.max_in_flight &&
                    (!is_background(lane) || in_background + urgent_only < policy_.max_in_flight);
  const bool lives =
      !brings_tokens(lane) || dead_arrivals_.may_send(now.boot, rotations_in_flight());
  return room && lives && doubt_lets_through(lane, now.boot) && budget_.may_send(lane, now.boot) &&
         breaker_.may_send(now.boot, in_flight, lane == Lane::kWaiting);
}

void Engine::send_due(Now now) {
  const WallTime circle = circle_now(now);
  while (true) {
    std::array<bool, kLaneCount> ready{};
    std::array<std::optional<DueCall>, kLaneCount> first;
    for (const Lane lane : kLanes) {
      const Queue& queue = lanes_[index_of(lane)];
      if (queue.empty() || queue.begin()->first > circle || !may_send(lane, now)) continue;
      first[index_of(lane)] = first_due(lane, now);
      ready[index_of(lane)] = first[index_of(lane)].has_value();
    }
    const auto lane = picker_.pick(ready);
    if (!lane) return;
    const DueCall& due = *first[index_of(*lane)];
    start_call(slots_.at(due.member), due.call, now);
  }
}

// What was learned since a member was queued may have moved it to a later time or another lane.
std::optional<Engine::DueCall> Engine::first_due(Lane lane, Now now) {
  const WallTime circle = circle_now(now);
  const Queue& queue = lanes_[index_of(lane)];
  while (!queue.empty() && queue.begin()->first <= circle) {
    MemberSlot& slot = slots_.at(queue.begin()->second);
    const auto planned = plan_of(slot, now).calls[index_of(lane)];
    if (planned && planned->due <= circle) return DueCall{slot.record.id, *planned};
    replan(slot, now);
  }
  return std::nullopt;
}

void Engine::start_call(MemberSlot& slot, const PlannedCall& planned, Now now) {
  unqueue(slot);
  const WallTime circle = circle_now(now);
  const CallId id = journal_.open(planned.kind, slot.record.id, circle, gathering_.mutations);
  calls_.emplace(id, CallState{.id = id,
                               .kind = planned.kind,
                               .lane = planned.lane,
                               .member = slot.record.id,
                               .token = planned.token,
                               .sent_at = std::nullopt});
  slot.in_flight = id;
  if (rotates(planned.kind)) slot.attempts.last_at = circle;
  // A refresh ahead of time where that is of no use is the day's probe, and the only one.
  const Token* access = current(slot.record, TokenKind::kAccess);
  if (planned.kind == CallKind::kRefresh && facts_.early_refresh_useless &&
      facts_.early_probe_at <= circle && access != nullptr &&
      circle + kEarlyMin < access->expires_at) {
    facts_.early_probe_at = circle + kEarlyProbeEvery;
  }
  note_asked_for_time(planned.kind, now);
  budget_.sent(planned.lane, now.boot);
  gathering_.send.push_back(id);
}

MemberPlan Engine::plan_of(const MemberSlot& slot, Now now) const {
  const bool waiting = !slot.waiters.empty() || slot.rotations_asked > 0;
  const Token* access = current(slot.record, TokenKind::kAccess);
  const WallTime circle = circle_now(now);
  const Demand demand{.waiting = waiting,
                      .forced = waiting && access != nullptr && alive(access->expires_at, circle),
                      .kept = keeps(slot),
                      .in_use = in_use(slot, circle),
                      .others_work = breaker_.state() == BreakerState::kClosed};
  return plan_member(slot.record, slot.attempts, demand, policy_, facts_, seed_, circle);
}

void Engine::replan(MemberSlot& slot, Now now) {
  unqueue(slot);
  const MemberPlan plan = plan_of(slot, now);
  const MemberId member = slot.record.id;
  if (plan.housekeeping) {
    slot.housekeeping = plan.housekeeping;
    housekeeping_.emplace(*plan.housekeeping, member);
  }
  if (slot.in_flight) return;
  for (const Lane lane : kLanes) {
    const auto& call = plan.calls[index_of(lane)];
    if (!call) continue;
    slot.queued[index_of(lane)] = call->due;
    lanes_[index_of(lane)].emplace(call->due, member);
  }
}

void Engine::unqueue(MemberSlot& slot) {
  for (const Lane lane : kLanes) {
    auto& due = slot.queued[index_of(lane)];
    if (due) lanes_[index_of(lane)].erase({*due, slot.record.id});
    due.reset();
  }
  if (slot.housekeeping) housekeeping_.erase({*slot.housekeeping, slot.record.id});
  slot.housekeeping.reset();
}

}  // namespace rota

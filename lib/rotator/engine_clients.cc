#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "model/expiry.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"
#include "rotator/engine.h"

// Clients that wait for a token, and operators that wait for a result.

namespace rota {
namespace {

constexpr Duration kWaitMax = std::chrono::seconds{60};
constexpr Duration kOperationMax = std::chrono::seconds{30};
constexpr Duration kRetryAfterMin{1'000};
constexpr Duration kRetryAfterMax = std::chrono::minutes{5};

bool can_be_reinstated(MemberState state) {
  switch (state) {
    case MemberState::kBlocked:
    case MemberState::kUnknown:
    case MemberState::kMismatched:
      return true;
    case MemberState::kActive:
    case MemberState::kRetiring:
    case MemberState::kRetired:
      return false;
  }
  ROTA_CHECK(false);
}

}  // namespace

void Engine::on_wait(WaitId id, const WaitRequest& request, Now now, Commands& out) {
  MemberSlot* const shown = find_shown(request.member);
  if (shown == nullptr) {
    out.emplace_back(command::Answer{.wait = id, .answer = {.result = WaitResult::kUnknown}});
    return;
  }
  MemberSlot& slot = *shown;
  const BootTime deadline = now.boot + std::clamp(request.wait, Duration{0}, kWaitMax);
  WaitState& wait =
      waits_.emplace(id, WaitState{.request = request, .deadline = deadline}).first->second;
  wait.request.member = slot.record.id;
  wait_deadlines_.emplace(deadline, id);
  slot.waiters.push_back(id);
  if (request.refused) slot.attempts.refused = request.refused;
  note_use(slot, now);
  replan_moved(now);
  replan(slot, now);

  const bool refused_as_a_whole = breaker_.state() == BreakerState::kAppTokenRefused ||
                                  breaker_.state() == BreakerState::kNotEligible;
  const auto& planned = slot.queued[index_of(Lane::kWaiting)];
  // Circle's next reply may show that the token that is there is alive.
  const bool in_time =
      slot.in_flight || clock_.doubted() || (planned && clock_.boot_at(*planned) <= deadline);
  if (slot.record.state != MemberState::kActive) {
    answer(id, best_answer(slot, wait.request, now));
  } else if (answer_if_served(id, slot, now)) {
    // what it asks for is here, or is being committed
  } else if (stopping_ || refused_as_a_whole || !in_time) {
    answer_at_once(id, now,
                   out);  // a call that cannot come in time, or not at all, is not waited for
  }
  pump(now, out);
}

void Engine::on_refused(MemberId member, Fingerprint refused, Now now, Commands& out) {
  MemberSlot* const slot = find_shown(member);
  if (slot == nullptr) return;
  slot->attempts.refused = refused;
  replan(*slot, now);
  pump(now, out);
}

void Engine::on_wait_cancelled(WaitId id) {
  const auto it = waits_.find(id);
  if (it == waits_.end()) return;
  wait_deadlines_.erase({it->second.deadline, id});
  const auto slot = slots_.find(it->second.request.member);
  if (slot != slots_.end()) std::erase(slot->second.waiters, id);
  if (it->second.answered) {
    gathering_.answers.erase(id);
    if (committing_) committing_->answers.erase(id);
  }
  waits_.erase(it);
}

// The answer goes out with the batch that is gathering, so after all that it stands on is durable.
// Until then the wait keeps its deadline: the commit may take longer than that.
void Engine::answer(WaitId id, WaitAnswer answer) {
  gathering_.answers.insert_or_assign(id, answer);
  WaitState& wait = waits_.at(id);
  wait.answered = true;
  const auto slot = slots_.find(wait.request.member);
  if (slot != slots_.end()) std::erase(slot->second.waiters, id);
}

// Not even a commit is waited for, which may be failing: what is said stands on nothing that is not
// durable.
void Engine::answer_at_once(WaitId id, Now now, Commands& out) {
  const WaitRequest& request = waits_.at(id).request;
  const auto slot = slots_.find(request.member);
  WaitAnswer best = slot == slots_.end() ? WaitAnswer{.result = WaitResult::kUnknown}
                                         : best_answer(slot->second, request, now);
  // A token that is not durable yet may be what satisfies it, while the table holds the one before.
  const bool durable = !committing_ && gathering_.mutations.empty();
  if (best.result == WaitResult::kServe && !durable && (request.strict || request.refused)) {
    best = {.result = WaitResult::kUnavailable};
  }
  out.emplace_back(command::Answer{.wait = id, .answer = best});
  on_wait_cancelled(id);
}

void Engine::answer_waiters(MemberSlot& slot, Now now) {
  const auto waiters = slot.waiters;
  for (const WaitId wait : waiters) answer(wait, best_answer(slot, waits_.at(wait).request, now));
}

// Before the end of the token that is there, Circle may have nothing better: then that one will do.
bool Engine::answer_if_served(WaitId id, const MemberSlot& slot, Now now) {
  WaitRequest exacting = waits_.at(id).request;
  exacting.strict = exacting.strict || !facts_.early_refresh_useless;
  const Token* access = current(slot.record, TokenKind::kAccess);
  if (!waits_.at(id).request.strict && access != nullptr) {  // it gets no more than a new token has
    exacting.min_ttl = effective_min_ttl(exacting.min_ttl, lifetime_of(*access));
  }
  if (best_answer(slot, exacting, now).result != WaitResult::kServe) return false;
  answer(id, {.result = WaitResult::kServe});
  return true;
}

void Engine::answer_everybody(Now now) {
  for (const auto& [id, wait] : waits_) {
    if (wait.answered) continue;
    answer(id, best_answer(slots_.at(wait.request.member), wait.request, now));
  }
}

void Engine::expire_waits(Now now, Commands& out) {
  while (!wait_deadlines_.empty() && wait_deadlines_.begin()->first <= now.boot) {
    answer_at_once(wait_deadlines_.begin()->second, now, out);
  }
}

WaitAnswer Engine::best_answer(const MemberSlot& slot, const WaitRequest& request, Now now) const {
  switch (slot.record.state) {
    case MemberState::kActive:
      break;
    case MemberState::kRetiring:
    case MemberState::kRetired:
      return {.result = WaitResult::kRetired};
    case MemberState::kBlocked:
      return {.result = WaitResult::kBlocked};
    case MemberState::kUnknown:
      return {.result = WaitResult::kUnknown};
    case MemberState::kMismatched:
      return {.result = WaitResult::kMismatched};
  }
  const WallTime circle = serving_time(now);
  const Token* access = current(slot.record, TokenKind::kAccess);
  if (access != nullptr && alive(access->expires_at, circle) && !has_unresolved_name(slot.record)) {
    const bool refused = request.refused == access->fingerprint;
    const Duration needed = required_life(request.min_ttl, request.strict, lifetime_of(*access));
    const bool too_short = request.strict && access->expires_at - circle < needed;
    if (!refused && !too_short) return {.result = WaitResult::kServe};
  }
  Duration retry_after = kRetryAfterMin;
  if (slot.attempts.failures > 0) {
    retry_after = std::max(retry_after, slot.attempts.retry_at - circle_now(now));
  }
  return {.result = WaitResult::kUnavailable, .retry_after = std::min(retry_after, kRetryAfterMax)};
}

void Engine::on_operator(OperatorId op, std::string_view key, OperatorAction action, Now now,
                         Commands& out) {
  const auto refuse = [&](std::string why) {
    out.emplace_back(
        command::Report{.op = op, .report = fail(ErrorKind::kInvalid, std::move(why))});
  };
  const auto known = by_key_.find(canonical_key_text(key));
  if (known == by_key_.end()) return refuse(fmt::format("no member {} on record", key));
  MemberSlot& slot = slots_.at(known->second);
  const auto state = name_of(slot.record.state);
  if (action == OperatorAction::kRotate && slot.record.state != MemberState::kActive) {
    return refuse(fmt::format("member {} is {}: only an active one is rotated", key, state));
  }
  if (action == OperatorAction::kReinstate && !can_be_reinstated(slot.record.state)) {
    return refuse(fmt::format(
        "member {} is {}: only a blocked, unknown or mismatched one is reinstated", key, state));
  }
  operations_.emplace(op, Operation{.action = action,
                                    .members = {slot.record.id},
                                    .deadline = now.boot + kOperationMax,
                                    .report = {}});
  slot.operations.push_back(op);
  switch (action) {
    case OperatorAction::kRotate:
      ++slot.rotations_asked;
      break;
    case OperatorAction::kRevoke:
      release_shared(slot);
      for (const Token& token : slot.record.tokens) note_revocation(slot, token, "pending", true);
      if (slot.record.state != MemberState::kBlocked) note(AuditEvent::kMemberBlocked, &slot);
      record_change(slot, enter(slot.record, LifecycleEvent::kOperatorRevokes, circle_now(now)));
      tell(Severity::kWarning, "blocked", &slot, "an operator revokes it");
      answer_waiters(slot, now);
      settle_if_nothing_alive(slot, now);
      break;
    case OperatorAction::kReinstate:
      slot.attempts = {};
      if (slot.record.state == MemberState::kMismatched) {
        release_shared(slot);
        drop_from_index(slot);
        record_change(slot, accept_identity(slot.record, circle_now(now)));
        index(slot);
      } else {
        record_change(slot,
                      enter(slot.record, LifecycleEvent::kOperatorReinstates, circle_now(now)));
      }
      tell(Severity::kWarning, "reinstated", &slot, "an operator lets it in again");
      note(AuditEvent::kMemberReinstated, &slot);
      complete(op, slot, true, fmt::format("the member is {}", name_of(slot.record.state)));
      settle_if_nothing_alive(slot, now);
      break;
  }
  replan(slot, now);
  pump(now, out);
}

void Engine::on_revoke_all(OperatorId op, Now now, Commands& out) {
  auto& operation = operations_
                        .emplace(op, Operation{.action = OperatorAction::kRevoke,
                                               .members = {},
                                               .deadline = now.boot + kOperationMax,
                                               .report = {}})
                        .first->second;
  tell(Severity::kError, "revoke_all", nullptr, "an operator revokes every member");
  for (auto& [member, slot] : slots_) {
    if (slot.record.state == MemberState::kRetired) continue;
    operation.members.insert(member);
    slot.operations.push_back(op);
    for (const Token& token : slot.record.tokens) note_revocation(slot, token, "pending", true);
    if (slot.record.state != MemberState::kBlocked) note(AuditEvent::kMemberBlocked, &slot);
    record_change(slot, enter(slot.record, LifecycleEvent::kOperatorRevokes, circle_now(now)));
    answer_waiters(slot, now);
    replan(slot, now);
  }
  for (auto& [member, slot] : slots_) settle_if_nothing_alive(slot, now);
  if (operation.members.empty() && !operation.finished) {
    finish(op, operation);
    operation.report.detail = "there is no member";
  }
  pump(now, out);
}

void Engine::note_revocation(const MemberSlot& slot, const Token& token, std::string result,
                             bool alive_still) {
  for (const OperatorId op : slot.operations) {
    Operation& operation = operations_.at(op);
    if (operation.action != OperatorAction::kRevoke) continue;
    auto& lines = operation.report.revocations;
    const auto [place, is_new] =
        operation.line_of.try_emplace({token.kind, token.fingerprint}, lines.size());
    if (is_new) {
      lines.push_back({.kind = token.kind, .fingerprint = token.fingerprint, .result = {}});
    }
    RevocationLine& line = lines[place->second];
    line.result = result;
    line.alive = alive_still;
  }
}

// Called when nothing of the member is alive and no call of it is in flight.
void Engine::finish_operations(MemberSlot& slot, Now) {
  const auto operations = slot.operations;
  for (const OperatorId op : operations) {
    if (operations_.at(op).action != OperatorAction::kRevoke) continue;
    complete(op, slot, true, "nothing that is on record is alive");
  }
}

void Engine::finish_rotations(MemberSlot& slot, bool rotated, std::string detail) {
  const auto operations = slot.operations;
  for (const OperatorId op : operations) {
    if (operations_.at(op).action != OperatorAction::kRotate) continue;
    complete(op, slot, rotated, detail);
  }
}

// That it is not done needs no commit: an operator is told in time while the store fails.
void Engine::expire_operations(Now now, Commands& out) {
  std::vector<OperatorId> over;
  for (const auto& [op, operation] : operations_) {
    if (operation.deadline <= now.boot || (stopping_ && !operation.finished)) over.push_back(op);
  }
  for (const OperatorId op : over) {
    Operation& operation = operations_.at(op);
    if (operation.finished) {
      operation.report.done = false;
      operation.report.detail = "not on disk yet: look again with `rota member`";
    }
    const auto members = operation.members;
    for (const MemberId member : members) {
      complete(op, slots_.at(member), false,
               "not finished in time: it goes on, look again with `rota member`");
    }
    gathering_.reports.erase(op);
    if (committing_) committing_->reports.erase(op);
    out.emplace_back(command::Report{.op = op, .report = std::move(operation.report)});
    operations_.erase(op);
  }
}

// This member's part of the operation is over; the report goes out with the last one.
void Engine::complete(OperatorId op, const MemberSlot& slot, bool done, std::string detail) {
  Operation& operation = operations_.at(op);
  MemberSlot& own = slots_.at(slot.record.id);
  std::erase(own.operations, op);
  if (operation.action == OperatorAction::kRotate) --own.rotations_asked;
  operation.members.erase(slot.record.id);
  OperatorReport& report = operation.report;
  report.doubts += static_cast<std::int64_t>(journal_.doubts_of(slot.record.id));
  if (!done) report.detail = detail;
  if (!operation.members.empty()) return;
  report.state = slot.record.state;
  finish(op, operation);
  if (report.done) report.detail = std::move(detail);
}

void Engine::finish(OperatorId op, Operation& operation) {
  operation.report.done = operation.report.detail.empty();
  operation.finished = true;
  gathering_.reports.insert(op);
}

}  // namespace rota

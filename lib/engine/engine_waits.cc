#include <algorithm>

#include "engine/best_answer.h"
#include "engine/engine.h"
#include "model/expiry.h"
#include "plan/freshness.h"
#include "plan/identity.h"

// Clients that wait for a token.

namespace rota {
namespace {

// Whether Circle may say that it knows the member after all.
bool is_asked_anew(const MemberSlot& slot) {
  return slot.record.state == MemberState::kUnknown && slot.asked_anew;
}

}  // namespace

void Engine::on_wait(WaitId id, const WaitRequest& request, Now now, Commands& out) {
  if (request.enrol) {
    enrol_or_wait(id, request, now, out);
    return pump(now, out);
  }
  MemberSlot* const shown = find_shown(request.member);
  if (shown == nullptr) {
    out.emplace_back(command::Answer{.wait = id, .answer = {.result = WaitResult::kUnknown}});
    return;
  }
  WaitRequest asked = request;
  asked.member = shown->record.id;
  waits_.add(id, asked, now.boot);
  begin_wait(*shown, id, now, out);
  pump(now, out);
}

void Engine::begin_wait(MemberSlot& slot, WaitId id, Now now, Commands& out) {
  const WaitRequest asked = waits_.at(id).request;
  slot.waiters.push_back(id);
  if (asked.refused) slot.attempts.refused = asked.refused;
  end_sign_out(slot);
  note_use(slot, now);
  replan_moved(now);
  replan(slot, now);

  const auto planned = slot.places.due(Lane::kWaiting);
  // A call in a backoff may be made sooner than planned: when the call of another member shows that
  // Circle works again, no backoff has to end first. After some failures it is in a later lane.
  const bool backs_off =
      slot.attempts.failures > 0 && (planned || slot.places.due(Lane::kIssue).has_value());
  // Circle's next reply may show that the present token is alive. Forced refreshes keep their
  // distance.
  const bool may_come = slot.in_flight || clock().doubted() || backs_off ||
                        (planned && clock().boot_at(*planned) <= waits_.at(id).deadline);
  if (slot.record.state != MemberState::kActive && !is_asked_anew(slot)) {
    answer(id, best_answer(slot, asked, now));
  } else if (answer_if_served(id, slot, now)) {
    // a token that satisfies it is here, or is being committed
  } else if (stopping_ || gate_.refused_as_a_whole() || !may_come) {
    end_wait(id, now, out);  // no call can come in time, so it does not wait
  }
}

void Engine::on_refused(MemberId member, Fingerprint refused, Now now, Commands& out) {
  MemberSlot* const slot = find_shown(member);
  if (slot == nullptr) return;
  slot->attempts.refused = refused;
  replan(*slot, now);
  pump(now, out);
}

void Engine::on_wait_cancelled(WaitId id) {
  const auto wait = waits_.remove(id);
  if (!wait) return;
  MemberSlot* const slot = members_.find(wait->request.member);
  if (slot != nullptr) erase(slot->waiters, id);
  enrolment_turns_.remove(id);
  if (wait->answered) outbox_.withdraw_answer(id);
}

// The answer leaves with the batch that gathers, so after everything that it depends on is durable.
void Engine::answer(WaitId id, WaitAnswer answer) {
  outbox_.answer(id, worded(id, answer));
  waits_.mark_answered(id);
  MemberSlot* const slot = members_.find(waits_.at(id).request.member);
  if (slot != nullptr) erase(slot->waiters, id);
}

// The words for a wait that enrols.
WaitAnswer Engine::worded(WaitId id, WaitAnswer best) const {
  const Waits::Wait& wait = waits_.at(id);
  best.member = wait.request.member;
  if (wait.request.wait_for == WaitFor::kToken) return best;
  if (best.result == WaitResult::kServe) {
    best.result = wait.is_new ? WaitResult::kEnrolled : WaitResult::kWasEnrolled;
  } else if (best.result == WaitResult::kUnavailable) {
    best.result = WaitResult::kPending;
  }
  return best;
}

// Its time is over. "It is a member" has to be durable before it is said, and then has a little
// more time for that. What Circle says of the member meanwhile counts.
void Engine::end_wait(WaitId id, Now now, Commands& out) {
  const Waits::Wait& wait = waits_.at(id);
  const MemberSlot* const slot = members_.find(wait.request.member);
  if (wait.request.wait_for == WaitFor::kToken || slot == nullptr || wait.was_extended) {
    return answer_at_once(id, now, out);
  }
  waits_.extend(id, now.boot + kDurableMax);
  if (wait.answered) return;
  answer(id, best_answer(*slot, wait.request, now));
  waits_.mark_answered_for_now(id);
}

// Does not wait for a commit, which may be failing: the answer depends only on what is durable.
void Engine::answer_at_once(WaitId id, Now now, Commands& out) {
  const WaitRequest& request = waits_.at(id).request;
  const MemberSlot* const slot = members_.find(request.member);
  const bool is_in_line = slot == nullptr && request.enrol && request.member == MemberId{};
  WaitAnswer best = is_in_line        ? WaitAnswer{.result = WaitResult::kLimited}
                    : slot == nullptr ? WaitAnswer{.result = WaitResult::kUnknown}
                                      : best_answer(*slot, request, now);
  // Only what is durable may be said at once.
  if (!is_in_line && request.wait_for == WaitFor::kIdentity && best.result == WaitResult::kServe) {
    best = {.result = WaitResult::kUnavailable};
  }
  best.member = request.member;
  // The token that satisfies it may not be durable yet; then the table still has the one before.
  if (best.result == WaitResult::kServe && !outbox_.is_durable() &&
      (request.strict || request.refused)) {
    best = {.result = WaitResult::kUnavailable};
  }
  out.emplace_back(command::Answer{.wait = id, .answer = best});
  on_wait_cancelled(id);
}

// Those that no answer has left for, though their time may be over.
std::vector<WaitId> Engine::unanswered(const MemberSlot& slot) const {
  std::vector<WaitId> waits = waits_.answered_for_now(slot.record.id);
  waits.insert(waits.end(), slot.waiters.begin(), slot.waiters.end());
  return waits;
}

void Engine::answer_waiters(MemberSlot& slot, Now now) {
  for (const WaitId wait : unanswered(slot)) {
    answer(wait, best_answer(slot, waits_.at(wait).request, now));
  }
}

// While the present token is alive, Circle may have nothing better: then that one is served.
bool Engine::answer_if_served(WaitId id, const MemberSlot& slot, Now now) {
  WaitRequest exacting = waits_.at(id).request;
  const Token* access = current(slot.record, TokenKind::kAccess);
  if (!exacting.strict && access != nullptr) {  // it cannot ask for more life than a new token has
    exacting.min_ttl = effective_min_ttl(exacting.min_ttl, lifetime_of(*access));
  }
  exacting.strict = exacting.strict || !facts().early_refresh_useless;
  if (best_answer(slot, exacting, now).result != WaitResult::kServe) return false;
  answer(id, {.result = WaitResult::kServe});
  return true;
}

void Engine::answer_everybody(Now now) {
  for (const WaitId wait : waits_.open()) {
    const WaitRequest& request = waits_.at(wait).request;
    const MemberSlot* const slot = members_.find(request.member);
    answer(wait, slot == nullptr ? WaitAnswer{.result = WaitResult::kLimited}
                                 : best_answer(*slot, request, now));
    enrolment_turns_.remove(wait);
  }
}

void Engine::expire_waits(Now now, Commands& out) {
  for (auto first = waits_.first_deadline(); first && first->first <= now.boot;
       first = waits_.first_deadline()) {
    end_wait(first->second, now, out);
  }
}

// Circle has said who the member is. Whoever waits for that alone needs no token.
void Engine::on_identified(MemberSlot& slot, Now now) {
  if (!is_identified(slot.record)) return;
  note_enrolments(slot);
  for (const WaitId id : unanswered(slot)) {
    const WaitRequest& request = waits_.at(id).request;
    if (request.wait_for == WaitFor::kIdentity) answer(id, best_answer(slot, request, now));
  }
}

bool Engine::is_token_awaited(const MemberSlot& slot) const {
  return std::ranges::any_of(slot.waiters, [this](WaitId id) {
    return waits_.at(id).request.wait_for == WaitFor::kToken;
  });
}

WaitAnswer Engine::best_answer(const MemberSlot& slot, const WaitRequest& request, Now now) const {
  if (is_asked_anew(slot)) return {.result = WaitResult::kUnavailable};
  return rota::best_answer(slot.record, slot.attempts, request, serving_time(now), circle_now(now));
}

}  // namespace rota

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "plan/backoff.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"

// What is committed together, and what leaves the engine after the commit (P2, P3).

namespace rota {
namespace {

constexpr Duration kCommitRetryCap{5'000};

}  // namespace

void Engine::flush(Now now, Commands& out) {
  switch (outbox_.state()) {
    case Outbox::State::kRunning:
      return;
    case Outbox::State::kRetrying:
      if (now.boot >= outbox_.retry_at()) {
        out.emplace_back(command::Commit{outbox_.again(now.boot), outbox_.to_open()});
      }
      return;
    case Outbox::State::kIdle:
      break;
  }
  record_uses(now);
  if (!outbox_.has_changes()) {
    // Nothing has to become durable, so commands and answers need not wait.
    rosters_.on_batch_closed();
    if (!let_out(outbox_.release_unchanged(), now, out)) return;
    send_due(now);
    if (!outbox_.has_changes()) return;
  }
  rosters_.on_batch_closed();
  std::vector<Mutation> closing;
  journal_.sweep(times(now), clock().confirmed(), closing);
  learned_.put_clock(now, closing);
  closing.emplace_back(PutMeta{MetaKey::kCommitBoot, static_cast<std::int64_t>(boot_)});
  closing.emplace_back(PutMeta{MetaKey::kCommitAtMs, now.boot.time_since_epoch().count()});
  out.emplace_back(command::Commit{outbox_.begin(std::move(closing), now.boot), outbox_.to_open()});
}

void Engine::on_committed(Now now, Commands& out, const Result<OpenedTokens>& opened) {
  if (outbox_.error()) tell(Severity::kInfo, "commit", nullptr, "commits succeed again");
  Outbox::Released durable = outbox_.committed();
  for (const auto& [member, token] : durable.at_rest) put_at_rest(member, token);
  const std::vector<CallId> calls = std::move(durable.calls);
  let_out(std::move(durable), now, out);
  gate_.write_ahead(std::exchange(replies_in_commit_, 0));
  for (const CallId id : calls) {
    CallState& call = gate_.at(id);
    if (!take_opened(call, opened, now)) continue;
    if (stopping_ || gate_.has_room(call)) {
      send_journaled(id, now, out);
    } else {
      gate_.hold(id);
    }
  }
  pump(now, out);
}

// The store has it. If the member was merged into another one meanwhile, that one's batch does the
// same.
void Engine::put_at_rest(MemberId member, TokenId token) {
  MemberSlot* const slot = members_.find(member);
  if (slot == nullptr) return;
  const auto held = std::ranges::find(slot->record.tokens, token, &Token::id);
  if (held != slot->record.tokens.end()) held->value.reset();
}

// False: the store could not open the token that the call sends, so the call is given up.
bool Engine::take_opened(CallState& call, const Result<OpenedTokens>& opened, Now now) {
  if (!sends_refresh_token(call.kind)) return true;
  MemberSlot& slot = members_.at(call.member);
  if (!opened) {
    if (rotates(call.kind)) {
      count_failure(slot, now);
    } else {
      slot.attempts.revocation_failed(call.token, false, facts().access_lifetime, circle_now(now),
                                      random_);
      members_.mark_failing(slot.record.id);
    }
    tell(Severity::kWarning, "call_failed", &slot,
         fmt::format("{}: its refresh token cannot be read from the database now: {}",
                     name_of(call.kind), opened.error().message));
    give_up(call, "no token", now);
    return false;
  }
  call.opened = opened->at(call.token);
  if (call.opened != nullptr) return true;
  set_aside(slot, call.token);
  give_up(call, "no token", now);
  return false;
}

// The database row of this token is not believed any more. It stays where it is, as one that is
// found at a start.
void Engine::set_aside(MemberSlot& slot, TokenId id) {
  const auto token = std::ranges::find(slot.record.tokens, id, &Token::id);
  if (token == slot.record.tokens.end()) return;  // the batch erased it
  ++rows_set_aside_;
  note_revocation(slot, *token, "set aside", false);
  tell(Severity::kWarning, "rows_set_aside", &slot,
       fmt::format("the database row of its refresh token {} is damaged or was changed by another "
                   "program: rotad sets it aside{}",
                   format_fingerprint(token->fingerprint),
                   keeps_tokens(slot.record.state) ? " and asks Circle for a new pair" : ""));
  slot.record.tokens.erase(token);
  recount(slot);
}

// The call's row is durable, and it is not sent.
void Engine::give_up(const CallState& call, std::string why, Now now) {
  const CallId id = call.id;
  MemberSlot& slot = members_.at(call.member);
  close_row(call, Transient{.reason = TransientReason::kNotSent, .why = std::move(why)}, now);
  gate_.give_up(id);
  slot.in_flight.reset();
  settle_if_nothing_alive(slot, now);
  replan(slot, now);
}

void Engine::on_commit_failed(const Error& error, Now now, Commands& out) {
  const Duration pause = backoff_delay(outbox_.failures() + 1, kCommitRetryCap, random_);
  const bool is_news = outbox_.failed(error, now.boot + pause);
  // Whoever asked for a reload is told now, even if its batch still gathers; the roster goes into
  // force once the store takes that batch.
  for (command::Reloaded& reloaded : outbox_.withdraw_reloaded()) {
    reloaded.plan = std::unexpected(error);
    out.emplace_back(std::move(reloaded));
  }
  for (const ReloadId reload : rosters_.take_unanswered()) {
    out.emplace_back(command::Reloaded{.reload = reload, .plan = std::unexpected(error)});
  }
  if (is_news) {
    out.emplace_back(
        command::Tell{{.severity = Severity::kError,
                       .event = "commit",
                       .member = {},
                       .text = fmt::format("a commit to the database failed, and rotad goes on "
                                           "serving the tokens that are durable: {}",
                                           error.message)}});
  }
  pump(now, out);
}

// True: a wait that was to be answered goes on, so its member may be due for a call.
bool Engine::let_out(Outbox::Released released, Now now, Commands& out) {
  std::ranges::move(released.then, std::back_inserter(out));
  bool goes_on = false;
  for (const auto& [wait, answer] : released.answers) {
    if (answer.result == WaitResult::kServe && wait_again(wait, now)) {
      goes_on = true;
      continue;
    }
    on_wait_cancelled(wait);
    out.emplace_back(command::Answer{.wait = wait, .answer = answer});
  }
  for (const OperatorId op : released.reports) {
    out.emplace_back(command::Report{.op = op, .report = operations_.take(op)});
  }
  return goes_on;
}

// If the token that was to be served expired while the commit ran, the wait goes on for the next
// one.
bool Engine::wait_again(WaitId id, Now now) {
  const Waits::Wait& wait = waits_.at(id);
  MemberSlot* const slot = members_.find(wait.request.member);
  if (stopping_ || wait.deadline <= now.boot || slot == nullptr) return false;
  if (best_answer(*slot, wait.request, now).result != WaitResult::kUnavailable) return false;
  waits_.reopen(id);
  slot->waiters.push_back(id);
  replan(*slot, now);
  return true;
}

// Calls whose rows are on record already. While the store takes nothing, they wait with the others.
void Engine::send_held(Now now, Commands& out) {
  if (outbox_.state() == Outbox::State::kRetrying && !stopping_) return;
  while (const auto call = gate_.take_held(stopping_)) send_journaled(*call, now, out);
}

void Engine::send_journaled(CallId id, Now now, Commands& out) {
  CallState& call = gate_.at(id);
  MemberSlot& slot = members_.at(call.member);
  const bool wanted =
      !rotates(call.kind) || (keeps_tokens(slot.record.state) && use_of(slot, call) == Use::kKeep);
  const auto token = std::ranges::find(slot.record.tokens, call.token, &Token::id);
  const bool has_token = call.kind == CallKind::kIssue || token != slot.record.tokens.end();
  // By now a refresh token may have to be revoked, and that goes first.
  const auto first = plan_of(slot, now).calls[index_of(Lane::kRevocation)];
  const bool overtaken = call.kind == CallKind::kRevokeAccess && first &&
                         first->kind == CallKind::kRevokeRefresh && first->due <= circle_now(now);
  if (stopping_ || !wanted || !has_token || overtaken || !gate_.may_still_send(call, now.boot)) {
    // During the commit things changed: the call is no longer wanted, or must not be sent now.
    return give_up(call, "no longer wanted", now);
  }
  gate_.send(call, now.boot);
  call.clock_doubts = clock().doubts();
  call.name = key_to_issue_by(slot.record);
  SecretPtr sent = std::exchange(call.opened, nullptr);
  if (call.kind == CallKind::kRevokeAccess) sent = token->value;
  out.emplace_back(command::Call{
      .call = id, .request = {.kind = call.kind, .member = *call.name, .token = std::move(sent)}});
}

// The first is a disk that hangs. The second cannot happen if on_tick() is called at next_wake().
bool Engine::is_stuck(Now now) {
  if (outbox_.running_for(now.boot) > kCommitHungMax) return true;
  const auto wake = next_wake(now);
  return wake && *wake <= now.boot && now.boot - pumped_at_ > kLateMax;
}

}  // namespace rota

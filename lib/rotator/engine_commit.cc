#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/check.h"
#include "plan/backoff.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"
#include "rotator/engine.h"

// Batches: what is committed together, and what leaves the engine once it is durable (P2, P3).

namespace rota {

void Engine::flush(Now now, Commands& out) {
  if (commit_running_) return;
  if (committing_) {
    if (now.boot >= commit_retry_at_) hand_out(now, out);
    return;
  }
  record_uses(now);
  if (gathering_.mutations.empty()) {
    // Nothing to make durable: what is to be told or answered need not wait.
    ROTA_CHECK(gathering_.send.empty());
    Batch durable = std::exchange(gathering_, {});
    if (!let_out(durable, now, out)) return;
    send_due(now);
    if (gathering_.mutations.empty()) return;
  }
  committing_.emplace(std::exchange(gathering_, {}));
  journal_.sweep(times(now), clock_.confirmed(), committing_->mutations);
  if (clock_.confirmed()) {
    committing_->mutations.emplace_back(
        PutMeta{MetaKey::kLastCircleTimeMs, circle_now(now).time_since_epoch().count()});
    committing_->mutations.emplace_back(
        PutMeta{MetaKey::kClockSkewMs, clock_.settled_skew().count()});
    committing_->mutations.emplace_back(
        PutMeta{MetaKey::kClockBoot, static_cast<std::int64_t>(boot_)});
    committing_->mutations.emplace_back(PutMeta{MetaKey::kClockOffsetMs, clock_.offset().count()});
  }
  committing_->mutations.emplace_back(
      PutMeta{MetaKey::kCommitBoot, static_cast<std::int64_t>(boot_)});
  committing_->mutations.emplace_back(
      PutMeta{MetaKey::kCommitAtMs, now.boot.time_since_epoch().count()});
  hand_out(now, out);
}

// After a failure the store gets the very same mutations again, and what gathered meanwhile waits:
// the failed commit may have taken effect, and applying it a second time changes nothing. A batch
// that had grown would leave on disk what no process knows to be there.
void Engine::hand_out(Now now, Commands& out) {
  commit_running_ = true;
  commit_started_at_ = now.boot;
  // A copy, for the next attempt. Secrets in it are shared, not copied.
  out.emplace_back(command::Commit{committing_->mutations});
}

void Engine::on_committed(Now now, Commands& out) {
  ROTA_CHECK(commit_running_ && committing_);
  commit_running_ = false;
  commit_failures_ = 0;
  if (commit_error_) {
    commit_error_.reset();
    tell(Severity::kInfo, "commit", nullptr, "the store takes commits again");
  }
  Batch durable = std::move(*committing_);
  committing_.reset();
  let_out(durable, now, out);
  for (const CallId call : durable.send) send_journaled(call, now, out);
  pump(now, out);
}

void Engine::on_commit_failed(const Error& error, Now now, Commands& out) {
  ROTA_CHECK(commit_running_ && committing_);
  commit_running_ = false;
  ++commit_failures_;
  constexpr Duration kCommitRetryCap{5'000};
  commit_retry_at_ = now.boot + backoff_delay(commit_failures_, kCommitRetryCap, random_);
  // Whoever asked for a reload is told now, even if its batch still gathers; the roster goes into
  // force once the store takes that batch.
  for (Batch* batch : {&*committing_, &gathering_}) {
    std::erase_if(batch->then, [&](const Command& command) {
      const auto* reloaded = std::get_if<command::Reloaded>(&command);
      if (reloaded == nullptr) return false;
      out.emplace_back(command::Reloaded{
          .reload = reloaded->reload, .plan = std::unexpected(error), .spent = reloaded->spent});
      return true;
    });
  }
  answer_rosters(error, out);
  if (!commit_error_) {
    out.emplace_back(command::Tell{{.severity = Severity::kError,
                                    .event = "commit",
                                    .member = {},
                                    .text = fmt::format("commit failed, durable tokens are served "
                                                        "meanwhile: {}",
                                                        error.message)}});
  }
  commit_error_ = error;
  pump(now, out);
}

std::size_t Engine::answers_held_back() const {
  const auto of = [](const Batch& batch) { return batch.answers.size() + batch.reports.size(); };
  return of(gathering_) + (committing_ ? of(*committing_) : 0);
}

// What a batch was holding back goes out: first what the table is to show, then the answers that
// stand on it. Says whether a wait among them goes on, which may be due for a call.
bool Engine::let_out(Batch& durable, Now now, Commands& out) {
  std::ranges::move(durable.then, std::back_inserter(out));
  bool goes_on = false;
  for (const auto& [wait, answer] : durable.answers) {
    if (answer.result == WaitResult::kServe && wait_again(wait, now)) {
      goes_on = true;
      continue;
    }
    on_wait_cancelled(wait);
    out.emplace_back(command::Answer{.wait = wait, .answer = answer});
  }
  for (const OperatorId op : durable.reports) {
    const auto operation = operations_.find(op);
    out.emplace_back(command::Report{.op = op, .report = std::move(operation->second.report)});
    operations_.erase(operation);
  }
  return goes_on;
}

// The token that was to be served ended while the commit ran: the wait goes on for the next one.
bool Engine::wait_again(WaitId id, Now now) {
  WaitState& wait = waits_.at(id);
  const auto slot = slots_.find(wait.request.member);
  if (stopping_ || wait.deadline <= now.boot || slot == slots_.end()) return false;
  const WaitResult best = best_answer(slot->second, wait.request, now).result;
  if (best != WaitResult::kUnavailable) return false;
  wait.answered = false;
  slot->second.waiters.push_back(id);
  replan(slot->second, now);
  return true;
}

void Engine::send_journaled(CallId id, Now now, Commands& out) {
  CallState& call = calls_.at(id);
  MemberSlot& slot = slots_.at(call.member);
  const bool wanted =
      !rotates(call.kind) || (keeps_tokens(slot.record.state) && call.id >= slot.revoked_before);
  const auto token = std::ranges::find(slot.record.tokens, call.token, &Token::id);
  const bool has_token = call.kind == CallKind::kIssue || token != slot.record.tokens.end();
  const bool held_back =
      budget_.paused_until(now.boot) ||
      !breaker_.may_send(now.boot, calls_.size() - 1, call.lane == Lane::kWaiting) ||
      (rotates(call.kind) && !dead_arrivals_.may_send(now.boot, rotations_in_flight() - 1));
  // Meanwhile a refresh token may have come to be revoked, which goes first.
  const auto first = plan_of(slot, now).calls[index_of(Lane::kRevocation)];
  const bool overtaken = call.kind == CallKind::kRevokeAccess && first &&
                         first->kind == CallKind::kRevokeRefresh && first->due <= circle_now(now);
  if (stopping_ || !wanted || !has_token || held_back || overtaken) {
    // The commit took its time, and what was planned before it is wanted no more, or not now.
    close_row(id, call,
              Transient{.reason = TransientReason::kNotSent, .why = "not wanted any more"}, now);
    budget_.never_sent(call.lane);
    slot.in_flight.reset();
    calls_.erase(id);
    settle_if_nothing_alive(slot, now);
    replan(slot, now);
    return;
  }
  call.sent_at = now.boot;
  call.app_token = app_token_;
  call.clock_doubts = clock_.doubts();
  call.name = key_to_issue_by(slot.record);
  out.emplace_back(
      command::Call{.call = id,
                    .request = {.kind = call.kind,
                                .member = *call.name,
                                .token = call.kind == CallKind::kIssue ? nullptr : token->value}});
}

// Whoever calls on_tick() at next_wake() never sees the second; a disk that hangs makes the first.
bool Engine::is_stuck(Now now) {
  if (commit_running_for(now) > kCommitHungMax) return true;
  const auto wake = next_wake(now);
  return wake && *wake <= now.boot && now.boot - pumped_at_ > kLateMax;
}

Duration Engine::commit_running_for(Now now) const {
  return commit_running_ ? now.boot - commit_started_at_ : Duration{0};
}

}  // namespace rota

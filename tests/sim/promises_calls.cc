#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "plan/lifecycle.h"
#include "roster/guard.h"
#include "sim/promises.h"
#include "sim/world.h"

// What may be sent when, and what a roster may change.

namespace rota::sim {

void Promises::on_send(const Flight& flight) {
  ++sends_;
  if (flight.kind == CallKind::kIssue || flight.kind == CallKind::kRefresh) ++rotations_;
  p3_row_before_call(flight);
  p4_refresh_token_first(flight);
  p7_window();
  world_.on_send();
  if (!world_.clients().waits_for(flight.member) && !world_.enrollers().waits_for(flight.member))
    unasked_.push_back(world_.time().now());
  p8_one_probe();
  p8_probes_keep_their_distance();
  calls_keep_their_distance(flight);
  p12_refreshes_are_in_time(flight);
  for (const auto& [id, other] : world_.circle().flights()) {
    if (other->member == flight.member) {
      world_.breach("P9: a member's second call is sent while its first one is in flight");
    }
  }
}

void Promises::on_arrival(const Flight& flight) {
  const sandbox::Exchange& exchange = *flight.exchange;
  if (!exchange.tokens.empty()) {
    minted_.emplace(flight.id, Minted{flight.member, flight.kind, exchange.tokens});
  }
  p9_one_call_each(flight);
}

// Two entries may turn out to be one member at their first issue. And only a call shows that a
// selector leads to somebody else now.
void Promises::p9_one_call_each(const Flight& flight) {
  if (!flight.exchange->member) return;
  const auto known_as = [&](const Flight& f) {
    const Durable::Member* member = durable().find(f.member);
    if (member == nullptr || member->pin != flight.exchange->member) return false;
    // A name that led elsewhere once has a record of its own, with the same pin.
    const MemberSlot* slot =
        world_.up() ? world_.engine().find(MemberKey::from_id(*member->pin).value()) : nullptr;
    return slot != nullptr && slot->record.id == f.member;
  };
  if (!known_as(flight)) return;
  for (const auto& [id, other] : world_.circle().flights()) {
    const bool same = other->id != flight.id && other->exchange && !other->ended &&
                      other->exchange->member == flight.exchange->member;
    if (same && known_as(*other)) world_.breach("P9: two calls of one member are at Circle");
  }
}

// The window that ends now: all calls that were on their way in it, whichever life of the process
// sent them.
void Promises::p7_window() {
  const Policy& policy = world_.options().policy;
  const Duration now = world_.time().now();
  while (!completed_.empty() && completed_.front() + policy.window < now) completed_.pop_front();
  const std::size_t calls = completed_.size() + world_.circle().calls_in_flight() + 1;
  if (calls > policy.requests_per_window) {
    world_.breach(
        fmt::format("P7: a window sees {} calls of {}", calls, policy.requests_per_window));
  }
  if (now < paused_until_) world_.breach("P7: a call is sent before Retry-After is over");
  const std::size_t reserve = std::max<std::size_t>(1, policy.requests_per_window / 10);
  if (calls + reserve >= policy.requests_per_window) spent_at_ = now;
}

// Whether background calls had to wait for the window a moment ago, so that others wait for their
// turn behind them.
bool Promises::was_spent_just_now() const {
  const Policy& policy = world_.options().policy;
  const Duration turn = policy.window / static_cast<Duration::rep>(policy.requests_per_window);
  const auto turns = static_cast<Duration::rep>(world_.engine().members().upkeep().kept());
  return spent_at_ && world_.time().now() - *spent_at_ < std::chrono::seconds{10} + turns * turn;
}

// Those that are over, or on their way.
std::size_t Promises::calls_in_window() const { return calls_since(world_.window_began()); }

std::size_t Promises::calls_since(Duration time) const {
  const auto first = std::ranges::lower_bound(completed_, time);
  return static_cast<std::size_t>(completed_.end() - first) + world_.circle().calls_in_flight();
}

bool Promises::budget_had_nothing(Duration since, Duration deadline) const {
  constexpr std::ptrdiff_t kLeastShare = 1;  // calls of the other lanes in a short time
  constexpr Duration kCallTime = std::chrono::seconds{1};
  const Policy& policy = world_.options().policy;
  const Duration now = world_.time().now();
  // A slot that came free just now is too late for a call.
  const auto first = std::ranges::lower_bound(completed_, now - policy.window - kCallTime);
  const auto completed = static_cast<std::size_t>(completed_.end() - first);
  const std::size_t used = completed + world_.circle().calls_in_flight();
  if (used < policy.requests_per_window) return false;
  const std::size_t must_go = used - policy.requests_per_window;  // and one more
  const bool full =
      must_go >= completed ||
      first[static_cast<std::ptrdiff_t>(must_go)] + policy.window + kCallTime >= deadline;
  if (!full || unasked_.end() - std::ranges::lower_bound(unasked_, since) > kLeastShare) {
    return false;
  }
  world_.note("wait.budget_had_nothing");
  return true;
}

void Promises::on_throttled(const std::optional<std::string>& retry_after, Duration reply_age) {
  world_.note(retry_after
                  ? (retry_after->ends_with("GMT") ? "retry_after.date" : "retry_after.seconds")
                  : "retry_after.none");
  Duration pause = std::chrono::seconds{1};  // if Circle names no time
  if (retry_after) {
    if (const auto date = parse_http_date(*retry_after)) {
      pause = *date - world_.circle_time();
    } else {
      int whole = 0;
      std::from_chars(retry_after->data(), retry_after->data() + retry_after->size(), whole);
      pause = std::chrono::seconds{whole} - reply_age;
    }
  }
  paused_until_ = std::max(paused_until_, world_.time().now() + pause);
}

// One call at a time from when Circle refuses the app token or the community until it accepts a
// call again.
void Promises::p8_one_probe() {
  if (alarm_since_ && world_.circle().calls_in_flight() > 0) {
    world_.breach("P8: two calls at once while the app token is refused");
  }
}

void Promises::on_new_app_token() {
  alarm_since_.reset();
  last_probe_.reset();
  probes_ = 0;
  old_token_flights_.clear();
  for (const auto& [id, flight] : world_.circle().flights()) old_token_flights_.insert(id);
}

void Promises::p8_note_alarm(const Flight& flight, const Reply& reply) {
  // Whether the call was sent with the app token before this one.
  const bool of_old_token = old_token_flights_.erase(flight.id) > 0;
  const bool refused = std::holds_alternative<AppTokenRefused>(reply.outcome) ||
                       std::holds_alternative<NotEligible>(reply.outcome);
  const bool nothing = std::holds_alternative<Transient>(reply.outcome) ||
                       std::holds_alternative<Throttled>(reply.outcome);
  if (nothing || (of_old_token && (refused || alarm_since_))) return;
  if (!refused) {
    constexpr Duration kLong = std::chrono::minutes{2};
    if (alarm_since_ && world_.time().now() - *alarm_since_ > kLong && alarms_told_ < alarms_ &&
        !world_.engine().outbox().error()) {
      world_.breach("P8: the app token is refused, and no alarm says so");
    }
    alarm_since_.reset();
    alarm_reasons_.clear();
  } else {
    if (!alarm_since_) alarm_since_ = world_.time().now();
    if (!alarm_reasons_.insert(reply.outcome.index()).second) return;
    ++alarms_;
    world_.note("alarm");
  }
}

void Promises::on_tell(const Notice& notice) {
  if (notice.event == "alias") roster_foreseen_ = false;  // two members became one meanwhile
  if (notice.event == "idle") idle_one_was_idle(notice.member);
  // Rota counts these by Circle's time, which has changed, so it starts again.
  if (notice.event == "clock") dead_at_.clear();
  if (notice.event == "breaker" && is_peaceful(world_.options()) && world_.options().cursed == 0) {
    world_.breach("P8: the breaker moves while Circle works");
  }
  // After a new app token, the next refusal is a new reason for an alarm.
  if (notice.event == "breaker" && notice.severity == Severity::kInfo) alarm_reasons_.clear();
  const bool alarm =
      notice.event == "breaker" && notice.severity == Severity::kError &&
      (notice.text.starts_with("app_token_refused") || notice.text.starts_with("not_eligible"));
  if (alarm && ++alarms_told_ > alarms_) world_.breach("P8: one refused app token, two alarms");
}

void Promises::before_crash() {
  end_roster();
  forget_sign_outs();
  const Duration now = world_.time().now();
  for (std::size_t i = 0; i < world_.circle().calls_in_flight(); ++i) completed_.push_back(now);
}

void Promises::before_start() {
  p6_roster_on_record_is_whole();
  // A pause outlives its process if it is on record and the machine still counts the same time.
  const BootStamp pause = world_.store().durable().meta().paused_until;
  const bool counts = pause.boot == world_.boot_id();
  paused_until_ = counts ? world_.time().now() + (pause.at - world_.now().boot) : Duration{0};
  alarm_since_.reset();
  alarm_reasons_.clear();
  alarms_ = alarms_told_ = 0;
  revocation_tried_.clear();
  forget_distances();
  forget_clients();
}

}  // namespace rota::sim

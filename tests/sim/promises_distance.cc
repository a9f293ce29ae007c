#include <fmt/format.h>

#include <algorithm>

#include "plan/backoff.h"
#include "plan/breaker.h"
#include "plan/freshness.h"
#include "sim/promises.h"
#include "sim/world.h"

// How far apart calls are, and how few calls a member costs.

namespace rota::sim {
namespace {

constexpr Duration kHour = std::chrono::hours{1};

}  // namespace

// A new process does not know these facts.
void Promises::forget_distances() {
  dead_at_.clear();
  for (auto& [member, recent] : recent_) {
    recent.in_this_life.clear();
    recent.unasked_issues.clear();
  }
  last_probe_.reset();
  probes_ = 0;
  replies_since_pause_ = 0;
}

void Promises::calls_keep_their_distance(const Flight& flight) {
  if (!rotates(flight.kind)) return;
  // Full jitter may draw short times, and near a token's end its ceiling is two seconds. But calls
  // that fail, or bring tokens of no use, must not be repeated all the time.
  constexpr std::size_t kMany = 20;
  constexpr Duration kMeanwhile = std::chrono::seconds{8};
  const Duration now = world_.time().now();
  Recent& recent = recent_[flight.member];
  recent.in_this_life.push_back(now);
  if (recent.in_this_life.size() > kMany) recent.in_this_life.pop_front();
  if (recent.in_this_life.size() == kMany && now - recent.in_this_life.front() < kMeanwhile) {
    world_.breach(fmt::format("calls: {} of one member within {} ms", kMany,
                              (now - recent.in_this_life.front()).count()));
  }
  const auto dead = dead_at_.find(flight.member);
  if (dead != dead_at_.end() && now - dead->second < kDeadArrivalGapMin) {
    world_.breach(fmt::format("calls: {} ms after a token that was dead on arrival",
                              (now - dead->second).count()));
  }
  recent.in_the_hour.push_back(now);
  while (recent.in_the_hour.front() + kHour < now) recent.in_the_hour.pop_front();
  if (flight.kind == CallKind::kIssue && !world_.clients().waits_for(flight.member) &&
      !world_.enrollers().waits_for(flight.member)) {
    few_issues_that_fail(recent);
  }
}

// For a member for whom no call works: full jitter makes two calls in the time of the backoff's
// cap, and some more while the backoff grows, or near the end of a token.
void Promises::few_issues_that_fail(Recent& recent) {
  if (world_.options().cursed == 0) return;
  constexpr std::int64_t kSomeMore = 40;
  const Duration now = world_.time().now();
  recent.unasked_issues.push_back(now);
  while (recent.unasked_issues.front() + kHour < now) recent.unasked_issues.pop_front();
  const auto most = 4 * (kHour / backoff_cap(world_.options().circle.access_ttl)) + kSomeMore;
  if (static_cast<std::int64_t>(recent.unasked_issues.size()) > most) {
    world_.breach(fmt::format("calls: {} issues of one member within an hour, where {} will do",
                              recent.unasked_issues.size(), most));
  }
}

// A crowd keeps no refresh waiting for long: members that the roster names are refreshed well ahead
// of their tokens' end. Clients that wait for a login go first, with their share of the budget, and
// sign-outs do not.
void Promises::p12_refreshes_are_in_time(const Flight& flight) {
  const WorldOptions& options = world_.options();
  if (flight.kind != CallKind::kRefresh || options.crowd == 0 || !settled()) return;
  const Durable::Member* member = durable().find(flight.member);
  if (member == nullptr || is_only_enrolled(member->selectors)) return;
  const Token* access = current(*member, TokenKind::kAccess);
  if (access == nullptr) return;
  const Duration ahead = effective_ahead(options.policy.refresh_ahead, options.circle.access_ttl);
  const Duration late = world_.circle_time() - (access->expires_at - ahead);
  const auto out_at = world_.enrollers().crowd_out_at();
  const bool nobody_logs_in = out_at && world_.time().now() - *out_at > options.policy.window;
  Duration& latest = nobody_logs_in ? latest_after_logins_ : latest_;
  latest = std::max(latest, late);
  if (late > (nobody_logs_in ? ahead / 20 : ahead / 2)) {
    world_.breach(fmt::format("P12: {} is refreshed {} ms after it was time",
                              member->selectors.front().key.text(), late.count()));
  }
}

// Notes a token that had ended long before it came. A token that is alive shows that others may be,
// too.
void Promises::note_arrival(const Flight& flight, const Reply& reply) {
  constexpr Duration kSurely = std::chrono::seconds{30};  // more than Rota's idea of time is off
  const auto* issued = std::get_if<Issued>(&reply.outcome);
  const auto* refreshed = std::get_if<Refreshed>(&reply.outcome);
  if (issued == nullptr && refreshed == nullptr) return;
  const WallTime ends =
      issued != nullptr ? issued->pair.access.expires_at : refreshed->access.expires_at;
  const Durable::Member* caller = durable().find(flight.member);
  // If the name leads to somebody else, the token belongs to that member.
  const bool is_its_own = issued == nullptr || caller == nullptr || !caller->pin ||
                          *caller->pin == issued->pair.community_member_id;
  if (ends + kSurely <= world_.circle_time()) {
    world_.note("dead_on_arrival");
    if (is_its_own) dead_at_[flight.member] = world_.time().now();
  } else {
    dead_at_.clear();
  }
}

// While the app token or the community is refused: a probe for a waiting client comes at least a
// second after the last one, and background probes are further and further apart.
void Promises::p8_probes_keep_their_distance() {
  if (!alarm_since_) {
    last_probe_.reset();
    probes_ = 0;
    return;
  }
  if (!last_probe_) return;
  const Duration gap = world_.time().now() - *last_probe_;
  // Operators wait too, and so their calls are urgent.
  const bool urgent = world_.clients().anybody_waited_since(*last_probe_) ||
                      world_.enrollers().anybody_waited_since(*last_probe_) ||
                      world_.options().mean_between_orders > Duration{0};
  constexpr int kDoublingsMax = 10;
  const Duration grown = std::min(Breaker::kProbeGapMax,
                                  Breaker::kProbeGapMin * (1 << std::min(probes_, kDoublingsMax)));
  const Duration least =
      urgent && probes_ > 0 ? std::min(Breaker::kUrgentProbeGap, grown / 2) : grown / 2;
  if (gap < least) {
    world_.breach(fmt::format("P8: a probe {} ms after the last one, where {} ms are due",
                              gap.count(), least.count()));
  }
}

void Promises::note_probe_over(const Flight& flight, const Reply& reply) {
  const bool refused = std::holds_alternative<AppTokenRefused>(reply.outcome) ||
                       std::holds_alternative<NotEligible>(reply.outcome);
  if (!alarm_since_ || !refused) return;
  // Calls that were on their way when the first refusal came are no probes.
  if (last_probe_ && flight.sent >= *last_probe_) ++probes_;
  if (!last_probe_ || flight.sent >= *last_probe_) last_probe_ = world_.time().now();
}

// In calm weather a member costs, in an hour, at most two calls more than its tokens' life makes
// necessary. Each of its names is asked for once in the life of a refresh token.
void Promises::few_calls_for_each() {
  const WorldOptions& options = world_.options();
  const Duration now = world_.time().now();
  if (!settled_at_ || now - *settled_at_ < kHour) return;
  const auto least_in = [](Duration life, Duration ahead, double jitter) {
    const Duration lead = effective_ahead(ahead, life);
    const auto early = std::chrono::duration_cast<Duration>(lead * jitter);
    const Duration each = std::max(Duration{1}, life - lead - std::min(early, (life - lead) / 2));
    return static_cast<std::size_t>(kHour / each) + 1;
  };
  const Policy& policy = options.policy;
  const std::size_t refreshes =
      least_in(options.circle.access_ttl, policy.refresh_ahead, policy.jitter);
  const std::size_t renewals_of_a_name =
      least_in(options.circle.refresh_ttl, policy.renew_pair_ahead, 0);
  constexpr std::size_t kMore = 2;
  for (auto& [member, recent] : recent_) {
    while (!recent.in_the_hour.empty() && recent.in_the_hour.front() + kHour < now) {
      recent.in_the_hour.pop_front();
    }
    const MemberSlot* slot = world_.engine().find(member);
    if (slot == nullptr || slot->record.state != MemberState::kActive) continue;
    const bool troubled = std::ranges::any_of(slot->record.selectors, [this](const Selector& s) {
      return world_.circle().nothing_works_for(s.key) || !world_.circle().knows(s.key);
    });
    if (troubled || world_.clients().forced_since(member, now - kHour)) continue;
    world_.note("few_calls.of_a_member");
    const std::size_t least =
        refreshes + renewals_of_a_name * names_to_renew(slot->record.selectors);
    if (recent.in_the_hour.size() > least + kMore) {
      world_.breach(fmt::format("calm hour: {} calls of one member, where {} would do",
                                recent.in_the_hour.size(), least));
    }
  }
}

}  // namespace rota::sim

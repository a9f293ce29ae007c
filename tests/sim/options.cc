#include "sim/options.h"

#include <algorithm>
#include <utility>

#include "base/random.h"
#include "plan/backoff.h"
#include "plan/breaker.h"
#include "plan/freshness.h"

namespace rota::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

std::vector<sandbox::FaultRule> bad_weather(double scale) {
  std::vector<sandbox::FaultRule> rules;
  const auto add = [&](const char* text) {
    rules.push_back(*sandbox::parse_fault(text));
    rules.back().rate *= scale;
  };
  for (const char* text : {"any:html502:0.05",
                           "any:truncated:0.03",
                           "any:drop_after:0.03",
                           "any:drop_before:0.02",
                           "any:hang:0.01",
                           "any:hang_after:0.01",
                           "any:json500:0.03",
                           "any:no_token:0.02",
                           "any:status_unauthorized:0.02",
                           "refresh:unauthorized_other:0.03",
                           "any:throttle:0.01",
                           "any:html404:0.02",
                           "any:redirect:0.01",
                           "any:huge:0.005",
                           "any:unprocessable:0.01",
                           "any:chunked:0.02",
                           "any:no_content_type:0.02",
                           "any:no_millis:0.02",
                           "any:unauthorized:0.002",
                           "any:forbidden:0.002",
                           "any:unavailable:0.003"}) {
    add(text);
  }
  return rules;
}

// How many leave together: enough to open the breaker if their calls fail, and two more.
constexpr std::size_t kLeavers = Breaker::kFailingMembers + 2;

// The least number of calls a window that is enough to keep every member's token fresh.
std::size_t needed_per_window(const WorldOptions& options) {
  const Duration life = options.circle.access_ttl;
  const Duration each =
      std::max(life - effective_ahead(options.policy.refresh_ahead, life), Duration{seconds{30}});
  const double share =
      static_cast<double>(options.policy.window.count()) / static_cast<double>(each.count());
  return static_cast<std::size_t>(share * static_cast<double>(options.members) * 1.5) + 10;
}

void draw_circle(WorldOptions& options, Random& random) {
  auto& circle = options.circle;
  circle.token_seed = options.seed;
  circle.fault_seed = options.seed;
  circle.access_ttl = random.below(3) == 0   ? Duration{minutes{10}}
                      : random.below(4) == 0 ? Duration{minutes{3}}
                                             : Duration{hours{1}};
  circle.refresh_ttl = random.below(2) == 0 ? Duration{hours{3}} : Duration{days{30}};
  circle.issue_mode = random.below(2) == 0 ? sandbox::IssueMode::kSame : sandbox::IssueMode::kNew;
  circle.refresh_mode =
      random.below(4) == 0 ? sandbox::RefreshMode::kSticky : sandbox::RefreshMode::kFresh;
  circle.retry_after = sandbox::kRetryAfterNames[random.below(3)].value;
  circle.clock_offset = random.up_to(minutes{4}) - minutes{2};
}

void draw_policy(WorldOptions& options, Random& random) {
  Policy& policy = options.policy;
  policy.refresh_ahead =
      std::min<Duration>(minutes{10}, options.circle.access_ttl / (random.below(4) == 0 ? 1 : 6));
  policy.renew_pair_ahead = minutes{30};
  policy.max_in_flight = random.below(4) == 0 ? 1 + random.below(3) : 16;
  if (random.below(4) == 0) policy.window = minutes{1};
  if (random.below(3) == 0) policy.revoke_superseded_after = random.up_to(minutes{20});
  policy.guard.max_retire_count = 2 + random.below(4);
  policy.guard.max_retire_fraction = random.below(2) == 0 ? 0.02 : 0.1;
  policy.requests_per_window = needed_per_window(options) + random.below(80);
  options.circle.rate_window = policy.window;
  // If Circle's own limit is lower than the budget, it answers 429; otherwise the budget prevents
  // that.
  options.circle.rate_limit = random.below(3) == 0
                                  ? std::max<std::size_t>(needed_per_window(options) - 5,
                                                          policy.requests_per_window * 2 / 3)
                                  : 0;
}

// Half of the worlds bring rosters into force in slices of a few entries. This has a generator of
// its own, so that all other draws stay the same.
void draw_roster_pace(WorldOptions& options) {
  Random random(options.seed ^ 0x511ceU);
  if (random.below(2) == 0) return;
  options.roster_pace = {.slice_units_max = 8 + random.below(100),
                         .batch_steps_max = 1 + random.below(8)};
}

// Half of the worlds have members that come and go by themselves. A generator of its own, as above.
void draw_enrolments(WorldOptions& options) {
  Random random(options.seed ^ 0xe2011U);
  if (random.below(2) == 0) return;
  options.mean_between_enrolments = seconds{20 + random.below(120)};
  options.mean_between_sign_outs = seconds{20 + random.below(300)};
  options.mean_between_removals = seconds{20 + random.below(300)};
  EnrolmentPolicy& policy = options.policy.enrolment;
  if (random.below(2) == 0) policy.max_members = 1 + random.below(options.members);
  if (random.below(2) == 0) policy.budget_share = 0.2 * random.fraction();
  if (random.below(3) == 0) {
    policy.idle_after = hours{1} + random.up_to(hours{1});
    options.policy.active_within = hours{2};
  }
}

}  // namespace

bool is_peaceful(const WorldOptions& options) {
  const Duration never{0};
  return options.faults.empty() && options.mean_between_outages == never &&
         options.mean_between_slow_times == never && options.mean_between_refusals == never &&
         options.mean_between_dead_arrivals == never &&
         options.mean_between_member_changes == never &&
         options.mean_between_foreign_revocations == never && options.commit_failure_rate == 0 &&
         options.slow_commit_rate == 0 && options.mean_between_full_disks == never &&
         options.mean_between_crashes == never && options.crash_at_commit_rate == 0 &&
         options.mean_between_suspends == never && options.mean_between_stand_stills == never &&
         options.mean_between_clock_steps == never && options.mean_between_roster_edits == never &&
         options.mean_between_mass_removals == never && options.mean_between_orders == never;
}

WorldOptions options_of(std::uint64_t seed) {
  Random random(seed);
  WorldOptions options;
  options.seed = seed;
  options.members = 4 + random.below(36);
  options.listed = options.members - random.below(std::max<std::size_t>(options.members / 3, 1));
  draw_circle(options, random);
  draw_policy(options, random);
  draw_roster_pace(options);
  draw_enrolments(options);
  const auto sometimes = [&](Duration& mean, Duration value, std::uint64_t one_in) {
    if (random.below(one_in) == 0) mean = value;
  };
  options.mean_between_fetches = seconds{2 + random.below(20)};
  const std::size_t circles_limit = std::exchange(options.circle.rate_limit, 0);
  if (random.below(8) == 0) {  // nothing bad but members that never work: nobody else may notice
    options.cursed = 1 + random.below(2);
    options.gentle_clients = true;
    // Each name of a cursed member is tried again and again, at the pace of its backoff.
    const std::size_t names = options.mean_between_enrolments > Duration{0} ? 3 : 1;
    options.policy.requests_per_window +=
        options.cursed * names *
        static_cast<std::size_t>(options.policy.window /
                                 (backoff_cap(options.circle.access_ttl) / 4));
    // With a generator of its own, as below. Their pairs are to be renewed half an hour before the
    // end, and cannot be.
    if (Random(seed ^ 0x9a1f5U).below(2) == 0) {
      options.cursed_later = true;
      options.circle.refresh_ttl = hours{3};
    }
    return options;
  }
  if (random.below(16) == 0) {  // nothing bad at all
    options.gentle_clients = random.below(2) == 0;
    return options;
  }
  // With a generator of its own, so that the worlds of all other seeds stay the same.
  if (Random(seed ^ 0x1eafU).below(16) == 0) {  // people leave as usual: nobody else may notice
    options.mean_between_leavers = minutes{8};
    options.policy.guard.max_retire_count = kLeavers;
    options.listed = options.members = std::max(options.members, 2 * kLeavers);
    options.policy.requests_per_window = needed_per_window(options) + 8 * kLeavers;
    return options;
  }
  options.circle.rate_limit = circles_limit;
  if (random.below(3) > 0) options.faults = bad_weather(1);
  sometimes(options.mean_between_outages, minutes{50}, 3);
  sometimes(options.mean_between_slow_times, minutes{30}, 3);
  sometimes(options.mean_between_refusals, minutes{60}, 4);
  sometimes(options.mean_between_member_changes, minutes{12}, 3);
  sometimes(options.mean_between_foreign_revocations, minutes{6}, 3);
  if (random.below(2) == 0) options.commit_failure_rate = 0.1;
  if (random.below(3) == 0) options.slow_commit_rate = 0.05;
  sometimes(options.mean_between_full_disks, minutes{45}, 4);
  sometimes(options.mean_between_crashes, minutes{17}, 2);
  if (random.below(2) == 0) options.crash_at_commit_rate = 0.005;
  sometimes(options.mean_between_suspends, minutes{35}, 4);
  options.suspend_max = random.below(3) == 0 ? Duration{days{2}} : Duration{minutes{90}};
  sometimes(options.mean_between_clock_steps, minutes{25}, 4);
  options.clock_step_max = random.below(2) == 0 ? Duration{days{3}} : Duration{minutes{3}};
  if (random.below(4) == 0) options.wall_clock_error = random.up_to(days{2}) - Duration{days{1}};
  sometimes(options.mean_between_roster_edits, minutes{4}, 2);
  sometimes(options.mean_between_mass_removals, minutes{40}, 2);
  sometimes(options.mean_between_orders, minutes{5}, 2);
  // With a generator of its own, so that the other draws stay the same for recorded seeds.
  Random later(seed ^ 0x1a7e4U);
  if (later.below(4) == 0) options.mean_between_stand_stills = minutes{30};
  if (later.below(5) == 0) options.mean_between_dead_arrivals = minutes{50};
  if (later.below(8) == 0) {
    options.circle.refresh_rotation = sandbox::RefreshRotation::kOn;
    options.policy.requests_per_window *= 2;  // each refresh leaves a token to be revoked
    options.circle.rate_limit *= 2;
  }
  return options;
}

WorldOptions crowd_world(std::uint64_t seed, std::size_t crowd) {
  constexpr std::size_t kListed = 400;
  WorldOptions options;
  options.seed = seed;
  options.circle.token_seed = seed;
  options.members = kListed + crowd;
  options.listed = kListed;
  options.crowd = crowd;
  // By the share of the budget that logins have, 10,000 of them take three hours at least, and
  // while they come, the members that are in need refreshes.
  options.weather = hours{10};
  options.calm = minutes{30};
  options.audit_every = minutes{20};
  options.crowd_comes_at = minutes{45};
  options.crowd_in_line = 1'500;  // at all times
  options.crowd_waits = options.crowd_tries_every;
  // All members of the roster are in use.
  options.mean_between_fetches = seconds{1};
  options.gentle_clients = true;
  return options;
}

WorldOptions long_world(std::uint64_t seed, Duration length, std::size_t members, bool calm) {
  WorldOptions options;
  options.seed = seed;
  options.members = members;
  options.listed = members - members / 20;
  options.calm = std::min<Duration>(length / 4, days{1});
  options.weather = length - options.calm;
  options.roster_pace = RosterPace{};
  options.circle.token_seed = seed;
  options.circle.fault_seed = seed;
  options.policy.requests_per_window = std::max<std::size_t>(1'200, needed_per_window(options));
  options.circle.rate_limit = std::max<std::size_t>(2'000, options.policy.requests_per_window);
  options.mean_between_fetches = seconds{2};
  options.gentle_clients = calm;
  if (calm) return options;
  options.faults = bad_weather(0.2);
  options.mean_between_outages = hours{30};
  options.mean_between_slow_times = hours{20};
  options.mean_between_refusals = hours{60};
  options.mean_between_member_changes = hours{5};
  options.mean_between_foreign_revocations = hours{2};
  options.commit_failure_rate = 0.002;
  options.slow_commit_rate = 0.001;
  options.mean_between_full_disks = hours{40};
  options.mean_between_crashes = hours{12};
  options.mean_between_suspends = hours{70};
  options.suspend_max = hours{12};
  options.mean_between_stand_stills = hours{50};
  options.mean_between_dead_arrivals = hours{70};
  options.mean_between_clock_steps = hours{30};
  options.clock_step_max = days{2};
  options.mean_between_roster_edits = hours{1};
  options.mean_between_mass_removals = hours{50};
  options.mean_between_orders = hours{2};
  return options;
}

}  // namespace rota::sim

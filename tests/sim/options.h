#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"
#include "engine/rosters.h"
#include "plan/policy.h"
#include "sandbox/circle_options.h"
#include "sandbox/fault.h"

namespace rota::sim {

// What one world is made of. Everything that happens in it follows from these and the seed. A mean
// of zero means never.
struct WorldOptions {
  std::uint64_t seed = 1;
  std::size_t members = 20;                        // at Circle
  std::size_t listed = 18;                         // of these, in the roster at first
  Duration weather = std::chrono::hours{3};        // how long bad things happen
  Duration calm = std::chrono::hours{2};           // and then, how long none does
  Duration audit_every = std::chrono::minutes{5};  // the promises that need a look at all members
  Policy policy;
  std::optional<RosterPace> roster_pace;  // none: a roster comes into force in one piece
  sandbox::CircleOptions circle;
  // Circle and the way to it.
  std::vector<sandbox::FaultRule> faults;
  Duration mean_between_outages{0};              // nothing reaches Circle
  Duration mean_between_slow_times{0};           // replies take many seconds
  Duration mean_between_refusals{0};             // of the app token, or of the community
  Duration mean_between_dead_arrivals{0};        // for a while all tokens are dead on arrival
  Duration mean_between_member_changes{0};       // removed, added again, an email given to another
  Duration mean_between_foreign_revocations{0};  // by somebody else, at Circle
  Duration mean_between_leavers{0};  // several removed at Circle first, and then from the roster
  std::size_t cursed = 0;            // members for whom no call ever works
  bool cursed_later = false;         // for these only issue calls fail, from the second one on
  // The machine.
  double commit_failure_rate = 0;
  double slow_commit_rate = 0;
  Duration mean_between_full_disks{0};
  Duration mean_between_crashes{0};
  double crash_at_commit_rate = 0;  // the share of commits with a crash just before or after
  Duration mean_between_suspends{0};
  Duration suspend_max{0};
  Duration mean_between_stand_stills{0};  // the machine is paused, and its clocks with it
  Duration mean_between_clock_steps{0};
  Duration clock_step_max{0};
  Duration wall_clock_error{0};  // at the start
  // People.
  Duration mean_between_fetches = std::chrono::seconds{20};
  bool gentle_clients = false;  // no client asks for more than a plain token
  Duration mean_between_roster_edits{0};
  Duration mean_between_mass_removals{0};
  Duration mean_between_orders{0};  // rotate, revoke, reinstate; rarely revoke-all
  // Programs (sim/enrollers.h).
  Duration mean_between_enrolments{0};
  Duration mean_between_sign_outs{0};
  Duration mean_between_removals{0};
  std::size_t crowd = 0;  // so many of the last members enrol at once, and later sign out at once
  // Those that are not in yet try again, so many at once, and wait so long.
  Duration crowd_tries_every = std::chrono::minutes{1};
  Duration crowd_comes_at = std::chrono::minutes{30};
  std::size_t crowd_in_line = 10'000;
  Duration crowd_waits = std::chrono::seconds{10};
};

// Whether nothing bad happens, except to members for whom no call works, or that leave.
bool is_peaceful(const WorldOptions& options);

// A short world. Each seed gives another one.
WorldOptions options_of(std::uint64_t seed);

// A crowd logs in at once, beside some hundreds of members of the roster, and signs out at once.
// The budget and all else are as configured by default, and nothing bad happens. The crowd comes a
// few minutes before the roster's first refreshes are due, so that they meet.
WorldOptions crowd_world(std::uint64_t seed, std::size_t crowd);

// A long world of a given size. Every kind of trouble happens in it, but rarely; if `calm`, none.
WorldOptions long_world(std::uint64_t seed, Duration length, std::size_t members, bool calm);

}  // namespace rota::sim

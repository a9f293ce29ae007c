#pragma once

#include <gtest/gtest.h>

#include "settings/settings.h"

namespace rota {

// Compares every setting. The bindings stop compiling when a struct gets a field that is missing
// here.
inline void expect_equal(const Settings& a, const Settings& b) {
  const auto& [upstream, roster, store, audit, serve, listeners, clients, grants, log_level,
               policy] = a;
  EXPECT_EQ(upstream, b.upstream);
  EXPECT_EQ(roster, b.roster);
  EXPECT_EQ(store, b.store);
  EXPECT_EQ(audit, b.audit);
  EXPECT_EQ(serve, b.serve);
  EXPECT_EQ(listeners, b.listeners);
  EXPECT_EQ(clients, b.clients);
  EXPECT_EQ(grants, b.grants);
  EXPECT_EQ(log_level, b.log_level);
  const auto& [requests, window, in_flight, refresh_ahead, renew_pair_ahead, jitter, superseded,
               active_within, guard, enrolment] = policy;
  EXPECT_EQ(requests, b.policy.requests_per_window);
  EXPECT_EQ(window, b.policy.window);
  EXPECT_EQ(in_flight, b.policy.max_in_flight);
  EXPECT_EQ(refresh_ahead, b.policy.refresh_ahead);
  EXPECT_EQ(renew_pair_ahead, b.policy.renew_pair_ahead);
  EXPECT_EQ(jitter, b.policy.jitter);
  EXPECT_EQ(superseded, b.policy.revoke_superseded_after);
  EXPECT_EQ(active_within, b.policy.active_within);
  EXPECT_EQ(enrolment, b.policy.enrolment);
  const auto& [count, fraction] = guard;
  EXPECT_EQ(count, b.policy.guard.max_retire_count);
  EXPECT_EQ(fraction, b.policy.guard.max_retire_fraction);
}

}  // namespace rota

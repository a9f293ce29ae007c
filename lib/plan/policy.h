#pragma once

#include <cstddef>
#include <optional>

#include "base/time.h"
#include "roster/guard.h"

namespace rota {

// [enrolment]
struct EnrolmentPolicy {
  std::optional<Duration> idle_after = std::chrono::days{30};  // none: "never"
  std::size_t max_members = 100'000;                           // that are enrolled
  double budget_share = 0.25;  // the most of the budget that their first issues may take

  bool operator==(const EnrolmentPolicy&) const = default;
};

// The configured numbers of the rotation. The defaults are the documented ones.
struct Policy {
  // [upstream]
  std::size_t requests_per_window = 1'200;
  Duration window = std::chrono::minutes{5};
  std::size_t max_in_flight = 16;
  // [rotation]
  Duration refresh_ahead = std::chrono::minutes{10};
  Duration renew_pair_ahead = std::chrono::days{3};
  double jitter = 0.1;                              // fraction of refresh_ahead
  std::optional<Duration> revoke_superseded_after;  // none: "never"
  Duration active_within = std::chrono::hours{24};
  // [roster]
  GuardPolicy guard;
  EnrolmentPolicy enrolment;

  bool operator==(const Policy&) const = default;
};

}  // namespace rota

#pragma once

#include <cstddef>
#include <set>

#include "base/random.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// Tokens that have ended when they arrive, because Circle's issuer has a clock that is off or gives
// them no life. Each costs a call and brings nothing, and Circle's replies look well meanwhile, so
// the breaker never opens. Here several such members in a row hold back all calls that bring
// tokens: one at a time, at growing distances, until one of them lives. Revocations go on. Pure.
class DeadArrivals {
 public:
  // What is worth a line in the log.
  enum class News {
    kNone,
    kFirst,  // a member got a dead token, the first since all were well
    kAlarm,  // so did several by now: told once, until all are well
    kOver,   // nobody's last token was dead any more
  };
  // A call brought `member` a token.
  News on_arrival(MemberId member, bool dead, BootTime now, Random& random);
  // It is wanted no more, or its standing is unknown.
  void forget(MemberId member);

  // Members whose last token was dead on arrival.
  std::size_t members() const { return members_.size(); }
  bool holds_back() const { return in_a_row_.size() >= kMembers; }
  // Whether a call that brings tokens may be sent; `in_flight`: of their kind.
  bool may_send(BootTime now, std::size_t in_flight) const {
    return !holds_back() || (in_flight == 0 && now >= probe_at_);
  }
  BootTime probe_at() const { return probe_at_; }

  static constexpr std::size_t kMembers = 3;
  static constexpr Duration kProbeGapMin{1'000};
  static constexpr Duration kProbeGapMax{30'000};

 private:
  std::set<MemberId> members_;
  std::set<MemberId> in_a_row_;  // at most kMembers, since the last token that lived
  bool alarmed_ = false;
  int probes_ = 0;
  BootTime probe_at_{};
};

}  // namespace rota

#pragma once

#include <cstddef>
#include <set>

#include "base/random.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// Tokens that are dead on arrival, because Circle's issuer has a wrong clock or gives them no life.
// Each costs a call and brings nothing. Circle's replies look like success, so the breaker never
// opens. After kMembers such members in a row, this gate holds back all calls that bring tokens: it
// lets one at a time through, at growing intervals, until a live token comes. Revocations go on.
// Times are on the boot clock.
class DeadArrivals {
 public:
  // What is worth a line in the log.
  enum class News {
    kNone,
    kFirst,  // the first member got a dead token, after none had one
    kAlarm,  // kMembers members have one by now: told once, until all are well
    kOver,   // no member's last token was dead any more
  };
  // A call brought `member` a token, which was dead on arrival or not.
  News on_arrival(MemberId member, bool dead, BootTime now, Random& random);
  // The member no longer counts: it is no longer active, or was forgotten.
  void forget(MemberId member);

  // Members whose last token was dead on arrival.
  std::size_t members() const { return members_.size(); }
  bool holds_back() const { return in_a_row_.size() >= kMembers; }
  // Whether a call that brings tokens may be sent, if `in_flight` such calls are in flight.
  bool may_send(BootTime now, std::size_t in_flight) const {
    return !holds_back() || (in_flight == 0 && now >= probe_at_);
  }
  // Before this no call that brings tokens is sent; means something only while holds_back().
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

#include "plan/breaker.h"

#include <algorithm>

#include "base/check.h"

namespace rota {
namespace {

// What an outcome says about the upstream as a whole.
enum class Verdict { kWorks, kFails, kAboutOne, kAppTokenRefused, kNotEligible, kNothing };

struct Judge {
  Verdict operator()(const Issued&) const { return Verdict::kWorks; }
  Verdict operator()(const Refreshed&) const { return Verdict::kWorks; }
  Verdict operator()(const Revoked&) const { return Verdict::kWorks; }
  Verdict operator()(const AlreadyDead&) const { return Verdict::kWorks; }
  Verdict operator()(const MemberGone&) const { return Verdict::kWorks; }
  Verdict operator()(const MemberUnknown&) const { return Verdict::kWorks; }
  Verdict operator()(const RefreshTokenDead&) const { return Verdict::kWorks; }
  Verdict operator()(const AppTokenRefused&) const { return Verdict::kAppTokenRefused; }
  Verdict operator()(const NotEligible&) const { return Verdict::kNotEligible; }
  // The budget deals with throttling.
  Verdict operator()(const Throttled&) const { return Verdict::kNothing; }
  Verdict operator()(const Transient& transient) const {
    return transient.about_one ? Verdict::kAboutOne : Verdict::kFails;
  }
};

}  // namespace

std::string_view name_of(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kAppTokenRefused:
      return "app_token_refused";
    case BreakerState::kNotEligible:
      return "not_eligible";
    case BreakerState::kFailing:
      return "failing";
  }
  ROTA_CHECK(false);
}

bool Breaker::may_send(BootTime now, std::size_t in_flight, bool urgent) const {
  if (state_ == BreakerState::kClosed) return true;
  return in_flight == 0 && now >= *probe_at(urgent);
}

std::optional<BootTime> Breaker::probe_at(bool urgent) const {
  if (state_ == BreakerState::kClosed) return std::nullopt;
  return urgent ? std::min(probe_at_, last_probe_ + kUrgentProbeGap) : probe_at_;
}

bool Breaker::on_outcome(const Outcome& outcome, MemberId member, bool urgent, BootTime now,
                         Random& random) {
  const BreakerState before = state_;
  switch (std::visit(Judge{}, outcome)) {
    case Verdict::kWorks:
      worked(member);
      close();
      break;
    case Verdict::kAppTokenRefused:
      open(BreakerState::kAppTokenRefused, urgent, now, random);
      break;
    case Verdict::kNotEligible:
      open(BreakerState::kNotEligible, urgent, now, random);
      break;
    case Verdict::kFails:
      if (failing_.size() < kFailingMax) failing_.insert(member);
      if (state_ != BreakerState::kClosed) {
        // The reason stays: a failed probe does not show that it is gone.
        open(state_, urgent, now, random);
      } else if (opens()) {
        open(BreakerState::kFailing, urgent, now, random);
      }
      break;
    case Verdict::kAboutOne:
      // Such a probe proves nothing about the upstream, so the next one comes after the usual time.
      if (state_ != BreakerState::kClosed) open(state_, urgent, now, random);
      break;
    case Verdict::kNothing:
      break;
  }
  return state_ != before;
}

bool Breaker::on_new_app_token() {
  if (state_ != BreakerState::kAppTokenRefused && state_ != BreakerState::kNotEligible)
    return false;
  close();
  return true;
}

void Breaker::open(BreakerState why, bool urgent, BootTime now, Random& random) {
  constexpr int kDoublingsMax = 10;
  const bool was_open = state_ != BreakerState::kClosed;
  // No probe can have been sent yet, so this is a reply to a call that was in flight when the
  // breaker opened. It tells nothing new.
  const bool straggler = was_open && now < *probe_at(true);
  state_ = why;
  if (straggler) return;
  const auto gap = std::min(kProbeGapMax, kProbeGapMin * (1 << std::min(probes_, kDoublingsMax)));
  ++probes_;
  last_probe_ = now;
  probe_at_ = was_open && urgent ? std::max(probe_at_, now + kUrgentProbeGap)
                                 : now + gap / 2 + random.up_to(gap / 2);
}

// A spell is over: those that failed in it may be bad.
void Breaker::worked(MemberId member) {
  suspects_.erase(member);
  failing_.erase(member);
  if (suspects_.size() + failing_.size() > kSuspectsMax) suspects_.clear();
  for (const MemberId failed : failing_) ++suspects_[failed];
}

// Whether so many members failed in this spell that it must be Circle. If there are very many, it
// does not matter who they are.
bool Breaker::opens() const {
  std::size_t good = 0;
  for (const MemberId failed : failing_) good += is_bad(failed) ? 0 : 1;
  return good >= kFailingMembers || failing_.size() >= kFailingMax;
}

bool Breaker::is_bad(MemberId member) const {
  const auto suspect = suspects_.find(member);
  return suspect != suspects_.end() && suspect->second >= kBadSpells;
}

void Breaker::close() {
  state_ = BreakerState::kClosed;
  failing_.clear();
  probes_ = 0;
}

}  // namespace rota

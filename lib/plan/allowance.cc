#include "plan/allowance.h"

#include "base/check.h"

namespace rota {

Allowance::Allowance(std::size_t limit, Duration window) : limit_(limit), window_(window) {
  ROTA_CHECK(window > Duration{0});
}

bool Allowance::has(std::size_t count, BootTime now) { return taken(now) + count <= limit_; }

std::optional<BootTime> Allowance::next(BootTime now) {
  if (limit_ == 0) return std::nullopt;
  if (has(1, now)) return now;
  return taken_[taken_.size() - limit_] + window_;
}

std::size_t Allowance::taken(BootTime now) {
  drop_old(now);
  return taken_.size();
}

void Allowance::drop_old(BootTime now) {
  while (!taken_.empty() && taken_.front() + window_ <= now) taken_.pop_front();
}

}  // namespace rota

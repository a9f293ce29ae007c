#include <utility>

#include "rotator/rotator.h"

// A budget that other daemons share.
namespace rota {

void Rotator::settle_quota() {
  if (!quota_) return;
  const bool waits =
      quota_->settle(engine_, now(), [this](Commands commands) { carry_out(std::move(commands)); });
  if (!waits) return;
  quota_timer_.expires_after(QuotaTurn::kTryAgain);
  quota_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (error || !*alive) return;
    Commands commands;
    engine_.on_tick(now(), commands);
    run(std::move(commands));
  });
}

}  // namespace rota

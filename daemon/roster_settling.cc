#include "daemon/roster_settling.h"

namespace rota {

void RosterSettling::note(File file, Touch touch) {
  switch (touch) {
    case Touch::kWritten:
      writing_.insert(std::move(file));
      return;
    case Touch::kClosed:
      writing_.erase(file);
      return;
    case Touch::kOther:
      return;
  }
}

RosterSettling::Advice RosterSettling::looked(RosterStamp stamp, BootTime now) {
  if (stamp == seen_) return Advice::kWait;
  seen_ = std::move(stamp);
  return settle(By::kStamp, now);
}

RosterSettling::Advice RosterSettling::settle(By by, BootTime now) {
  by_ = by;
  due_ = now + (writing_.empty() ? kSettle : kWriterMax);
  if (!unsettled_since_) unsettled_since_ = now;
  if (told_ || now - *unsettled_since_ <= kUnsettledMax) return Advice::kWait;
  told_ = true;
  return Advice::kTellOfIt;
}

RosterSettling::Advice RosterSettling::due_now(RosterStamp stamp, BootTime now) {
  if (!due_ || now < *due_) return Advice::kWait;
  writing_.clear();
  const bool changed = stamp != seen_;
  seen_ = std::move(stamp);
  if (by_ == By::kStamp && changed) return settle(By::kStamp, now);
  due_.reset();
  unsettled_since_.reset();
  told_ = false;
  return Advice::kReadItNow;
}

}  // namespace rota

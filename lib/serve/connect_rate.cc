#include "serve/connect_rate.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace rota {
namespace {

constexpr Duration kForgetEvery = std::chrono::milliseconds{200};

std::uint64_t process_key(const PeerIdentity& peer) {
  return (std::uint64_t{peer.uid} << 32U) | static_cast<std::uint32_t>(peer.pid);
}

// After this long without a connection an allowance is full again.
constexpr Duration time_to_fill(std::int64_t burst, std::int64_t per_ms) {
  return std::chrono::milliseconds{burst / per_ms};
}

// Brings an allowance of `burst` up to `now`, and returns what is left of it.
template <class Allowance>
std::int64_t& left_in(Allowance& allowance, std::int64_t burst, std::int64_t per_ms, BootTime now) {
  const Duration quiet = std::min(now - allowance.since, time_to_fill(burst, per_ms));
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(quiet).count();
  allowance.left = std::min(burst, allowance.left + ms * per_ms);
  allowance.since = now;
  return allowance.left;
}

}  // namespace

bool ConnectRate::take(const PeerIdentity& peer, BootTime now) {
  if (processes_.size() >= kProcessesMax) forget_the_quiet(now);
  const auto user = users_.try_emplace(peer.uid, Allowance{.left = kUserBurst, .since = now}).first;
  auto& of_user = left_in(user->second, kUserBurst, kPerUserMs, now);
  auto process = processes_.find(process_key(peer));
  if (process == processes_.end()) {
    // There are too many processes to count each: only the user's allowance counts.
    if (processes_.size() >= kProcessesMax)
      return std::exchange(of_user, std::max<std::int64_t>(of_user - 1, 0)) > 0;
    process =
        processes_.emplace(process_key(peer), Allowance{.left = kProcessBurst, .since = now}).first;
  }
  auto& of_process = left_in(process->second, kProcessBurst, kPerProcessMs, now);
  // A refused process does not use up its user's allowance, so the user's other processes may come.
  if (of_process <= 0 || of_user <= 0) return false;
  --of_process;
  --of_user;
  return true;
}

void ConnectRate::forget_the_quiet(BootTime now) {
  if (forgot_at_ != BootTime::min() && now - forgot_at_ < kForgetEvery) return;
  forgot_at_ = now;
  std::erase_if(processes_, [now](const auto& entry) {
    return now - entry.second.since >= time_to_fill(kProcessBurst, kPerProcessMs);
  });
  std::erase_if(users_, [now](const auto& entry) {
    return now - entry.second.since >= time_to_fill(kUserBurst, kPerUserMs);
  });
}

}  // namespace rota

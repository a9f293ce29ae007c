#include "daemon/grants_in_force.h"

#include <utility>

namespace rota {

GrantsInForce::GrantsInForce(std::uint32_t own_uid, const std::vector<Grant>& grants)
    : own_uid_(own_uid), sets_{{.policy = AccessPolicy(own_uid, grants), .since = 0}} {}

void GrantsInForce::put(const std::vector<Grant>& grants, std::uint64_t since) {
  on_disk_.reset();
  AccessPolicy policy(own_uid_, grants);
  if (policy == sets_.back().policy) return;
  sets_.push_back({.policy = std::move(policy), .since = since});
}

void GrantsInForce::withdraw_to(const std::vector<Grant>& grants) {
  AccessPolicy policy(own_uid_, grants);
  on_disk_.reset();
  if (policy != sets_.back().policy) on_disk_ = std::move(policy);
}

void GrantsInForce::correct(const std::vector<Grant>& grants) {
  sets_.back().policy = AccessPolicy(own_uid_, grants);
}

void GrantsInForce::roster_in_force(std::uint64_t reading) {
  while (sets_.size() > 1 && sets_[1].since <= reading) sets_.pop_front();
}

AccessPolicy GrantsInForce::policy() const {
  AccessPolicy policy = sets_.front().policy;
  for (std::size_t i = 1; i < sets_.size(); ++i) {
    const bool repeated = sets_[i].policy == sets_.front().policy;
    if (!repeated) policy = policy.and_only(sets_[i].policy);
  }
  if (on_disk_) policy = policy.and_only(*on_disk_);
  return policy;
}

}  // namespace rota

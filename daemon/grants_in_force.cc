#include "daemon/grants_in_force.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace rota {
namespace {

bool same(const Grant& a, const Grant& b) {
  const auto all = [](const Grant& g) {
    return std::tie(g.holder, g.id, g.name, g.may, g.enrol_tags, g.all_members, g.tags, g.members);
  };
  return all(a) == all(b);
}

}  // namespace

GrantsInForce::GrantsInForce(std::uint32_t own_uid, const std::vector<Grant>& grants)
    : own_uid_(own_uid), sets_{set_of(grants)} {}

GrantsInForce::Set GrantsInForce::set_of(const std::vector<Grant>& grants,
                                         std::uint64_t since) const {
  return {.grants = grants, .policy = AccessPolicy(own_uid_, grants), .since = since};
}

void GrantsInForce::put(const std::vector<Grant>& grants, std::uint64_t since, bool all_known) {
  // What was withdrawn until now and comes back counts as added.
  if (on_disk_) {
    on_disk_->since = since;
    sets_.push_back(*std::exchange(on_disk_, std::nullopt));
  }
  Set set = set_of(grants, since);
  // Only reloads whose names are never found leave two that are the same: one is enough.
  const std::size_t size = sets_.size();
  if (size > 1 && sets_[size - 1].policy == sets_[size - 2].policy) sets_.pop_back();
  // correct() must not add to the grants of before, which do not wait.
  if (!all_known || set.policy != sets_.back().policy) sets_.push_back(std::move(set));
}

void GrantsInForce::withdraw_to(const std::vector<Grant>& grants) {
  on_disk_.reset();
  Set set = set_of(grants);
  if (set.policy != sets_.back().policy) on_disk_ = std::move(set);
}

void GrantsInForce::correct(const std::vector<Grant>& grants) {
  sets_.back() = set_of(grants, sets_.back().since);
}

void GrantsInForce::roster_in_force(std::uint64_t reading) {
  while (sets_.size() > 1 && sets_[1].since <= reading) sets_.pop_front();
}

bool GrantsInForce::waiting() const {
  return std::ranges::any_of(sets_.back().grants, [this](const Grant& grant) {
    return std::ranges::any_of(sets_, [&grant](const Set& set) {
      return std::ranges::none_of(set.grants,
                                  [&grant](const Grant& other) { return same(grant, other); });
    });
  });
}

AccessPolicy GrantsInForce::policy() const {
  AccessPolicy policy = sets_.front().policy;
  for (std::size_t i = 1; i < sets_.size(); ++i) {
    const bool repeated = sets_[i].policy == sets_.front().policy;
    if (!repeated) policy = policy.and_only(sets_[i].policy);
  }
  if (on_disk_) policy = policy.and_only(on_disk_->policy);
  return policy;
}

}  // namespace rota

#include "api/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/check.h"

namespace rota {
namespace {

std::string name_of_holder(const Grant& grant) {
  const std::string name = grant.name.empty() ? fmt::format("#{}", grant.id) : grant.name;
  switch (grant.holder) {
    case Grant::Holder::kUser:
      return "user:" + name;
    case Grant::Holder::kGroup:
      return "group:" + name;
    case Grant::Holder::kClient:
      return "client:" + name;
  }
  ROTA_CHECK(false);
}

void sort_without_repeats(std::vector<std::string>& words) {
  std::ranges::sort(words);
  const auto repeats = std::ranges::unique(words);
  words.erase(repeats.begin(), repeats.end());
}

}  // namespace

AccessPolicy::AccessPolicy(std::uint32_t own_uid, const std::vector<Grant>& grants)
    : own_uid_(own_uid) {
  for (const Grant& grant : grants) {
    Holding& holding = holding_of(grant);
    for (const Right right : kRights) {
      if (grant.may.has(right)) holding.scopes[static_cast<std::size_t>(right)].add(grant);
    }
    // The name of the first grant: a user may stand in one by name and in another by number.
    if (holding.holder.empty()) holding.holder = name_of_holder(grant);
    if (!grant.may.has(Right::kEnrol)) continue;
    if (!holding.enrolment) holding.enrolment = EnrolmentRight{holding.holder, {}};
    std::vector<std::string>& tags = holding.enrolment->tags;
    tags.insert(tags.end(), grant.enrol_tags.begin(), grant.enrol_tags.end());
    sort_without_repeats(tags);
  }
}

AccessPolicy::Holding& AccessPolicy::holding_of(const Grant& grant) {
  switch (grant.holder) {
    case Grant::Holder::kUser:
      return of_user_[grant.id];
    case Grant::Holder::kGroup:
      return of_group_[grant.id];
    case Grant::Holder::kClient:
      return of_client_[grant.name];
  }
  ROTA_CHECK(false);
}

bool AccessPolicy::may(const PeerIdentity& peer, Right right, const MemberKey& asked,
                       const Published* member) const {
  return judge(peer, right, asked, {.row = member, .examined = member}).granted;
}

AccessPolicy::Judged AccessPolicy::judge(const PeerIdentity& peer, Right right,
                                         const MemberKey& asked, const Table::Lookup& found) const {
  if (may_administer(peer)) return {.granted = true};
  // Ask both in any case, so that a refusal by one does not take less time.
  const Judged also = also_ ? also_->judge(peer, right, asked, found) : Judged{.granted = true};
  Judged judged{.compared = also.compared};
  const bool granted = any_scope(peer, right, [&](const Scope& scope) {
    if (scope.all_members || scope.members.contains(asked)) return true;
    if (found.examined == nullptr) return false;
    const std::size_t matches = scope.matches(*found.examined);
    judged.compared += found.examined->tags.size() + found.examined->keys.size();
    return found.row != nullptr && matches > 0;
  });
  judged.granted = granted && also.granted;
  return judged;
}

bool AccessPolicy::may_all(const PeerIdentity& peer, Right right) const {
  if (may_administer(peer)) return true;
  return any_scope(peer, right, [](const Scope& scope) { return scope.all_members; }) &&
         (!also_ || also_->may_all(peer, right));
}

std::optional<EnrolmentRight> AccessPolicy::enrolment_of(const PeerIdentity& peer) const {
  if (may_administer(peer)) return EnrolmentRight{"root", {}};
  std::optional<EnrolmentRight> own;
  any_holding(peer, [&own](const Holding& holding) {
    own = holding.enrolment;
    return own.has_value();
  });
  if (!own || !also_) return own;
  auto both = also_->enrolment_of(peer);
  if (!both) return both;
  std::vector<std::string> tags;
  std::ranges::set_intersection(own->tags, both->tags, std::back_inserter(tags));
  both->tags = std::move(tags);
  return both;
}

bool AccessPolicy::may_read(const PeerIdentity& peer, const Published& member) const {
  if (may_administer(peer)) return true;
  if (also_ && !also_->may_read(peer, member)) return false;
  return any_scope(peer, Right::kFetch, [&](const Scope& scope) {
    return scope.all_members || scope.matches(member) > 0;
  });
}

bool AccessPolicy::may_read_some(const PeerIdentity& peer) const {
  if (may_administer(peer)) return true;
  if (also_ && !also_->may_read_some(peer)) return false;
  return any_scope(peer, Right::kFetch, [](const Scope&) { return true; });
}

std::string AccessPolicy::holder_of(const PeerIdentity& peer, Right right) const {
  if (may_administer(peer)) return "root";
  std::string name;
  any_holding(peer, [&](const Holding& holding) {
    if (!holding.of(right).granted) return false;
    name = holding.holder;
    return true;
  });
  return name;
}

bool AccessPolicy::may_administer(const PeerIdentity& peer) const {
  return peer.uid != kNoId && (peer.uid == 0 || peer.uid == own_uid_);
}

AccessPolicy AccessPolicy::and_only(const AccessPolicy& other) const {
  AccessPolicy both = *this;
  both.also_ =
      std::make_shared<const AccessPolicy>(also_ ? other.and_only(*also_) : AccessPolicy(other));
  return both;
}

bool AccessPolicy::operator==(const AccessPolicy& other) const {
  const bool same_also =
      also_ && other.also_ ? *also_ == *other.also_ : also_ == nullptr && other.also_ == nullptr;
  return same_also && own_uid_ == other.own_uid_ && of_user_ == other.of_user_ &&
         of_group_ == other.of_group_ && of_client_ == other.of_client_;
}

template <class Holds>
bool AccessPolicy::any_holding(const PeerIdentity& peer, Holds holds) const {
  if (!peer.client.empty()) {
    const auto client = of_client_.find(peer.client);
    return client != of_client_.end() && holds(client->second);
  }
  if (peer.uid == kNoId) return false;
  if (const auto user = of_user_.find(peer.uid); user != of_user_.end() && holds(user->second)) {
    return true;
  }
  // Go through the shorter of the two: a peer can have thousands of groups, and so can grants.
  if (peer.groups.size() < of_group_.size()) {
    return std::ranges::any_of(peer.groups, [&](std::uint32_t gid) {
      const auto group = of_group_.find(gid);
      return group != of_group_.end() && holds(group->second);
    });
  }
  return std::ranges::any_of(of_group_, [&](const auto& group) {
    return std::ranges::binary_search(peer.groups, group.first) && holds(group.second);
  });
}

template <class Holds>
bool AccessPolicy::any_scope(const PeerIdentity& peer, Right right, Holds holds) const {
  return any_holding(peer, [&](const Holding& holding) {
    const Scope& scope = holding.of(right);
    return scope.granted && holds(scope);
  });
}

void AccessPolicy::Scope::add(const Grant& grant) {
  granted = true;
  all_members = all_members || grant.all_members;
  tags.insert(grant.tags.begin(), grant.tags.end());
  members.insert(grant.members.begin(), grant.members.end());
}

std::size_t AccessPolicy::Scope::matches(const Published& member) const {
  std::size_t count = 0;
  for (const std::string& tag : member.tags) count += tags.count(tag);
  for (const MemberKey& key : member.keys) count += members.count(key);
  return count;
}

}  // namespace rota

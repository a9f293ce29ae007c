#include "api/access.h"

#include <fmt/format.h>

#include <algorithm>

namespace rota {

AccessPolicy::AccessPolicy(std::uint32_t own_uid, const std::vector<Grant>& grants)
    : own_uid_(own_uid) {
  for (const Grant& grant : grants) {
    Rights& rights = (grant.holder == Grant::Holder::kUser ? of_user_ : of_group_)[grant.id];
    rights.all_members = rights.all_members || grant.all_members;
    rights.tags.insert(grant.tags.begin(), grant.tags.end());
    rights.members.insert(grant.members.begin(), grant.members.end());
  }
}

bool AccessPolicy::may_read(const PeerIdentity& peer, const MemberKey& asked,
                            const Published* member) const {
  return judge(peer, asked, {.row = member, .examined = member}).granted;
}

AccessPolicy::Judged AccessPolicy::judge(const PeerIdentity& peer, const MemberKey& asked,
                                         const Table::Lookup& found) const {
  if (may_administer(peer)) return {.granted = true};
  // Ask both in any case, so that a refusal by one does not take less time.
  const Judged also = also_ ? also_->judge(peer, asked, found) : Judged{.granted = true};
  Judged judged{.compared = also.compared};
  const bool granted = any_rights(peer, [&](const Rights& rights) {
    if (rights.all_members || rights.members.contains(asked)) return true;
    if (found.examined == nullptr) return false;
    const std::size_t matches = rights.matches(*found.examined);
    judged.compared += found.examined->tags.size() + found.examined->keys.size();
    return found.row != nullptr && matches > 0;
  });
  judged.granted = granted && also.granted;
  return judged;
}

bool AccessPolicy::may_read_all(const PeerIdentity& peer) const {
  if (may_administer(peer)) return true;
  return any_rights(peer, [](const Rights& r) { return r.all_members; }) &&
         (!also_ || also_->may_read_all(peer));
}

bool AccessPolicy::may_read(const PeerIdentity& peer, const Published& member) const {
  if (may_administer(peer)) return true;
  if (also_ && !also_->may_read(peer, member)) return false;
  return any_rights(
      peer, [&](const Rights& rights) { return rights.all_members || rights.matches(member) > 0; });
}

bool AccessPolicy::may_read_some(const PeerIdentity& peer) const {
  if (may_administer(peer)) return true;
  if (also_ && !also_->may_read_some(peer)) return false;
  return any_rights(peer, [](const Rights&) { return true; });
}

std::string AccessPolicy::holder_of(const PeerIdentity& peer) const {
  if (may_administer(peer)) return "root";
  if (peer.uid == kNoId) return {};
  if (of_user_.contains(peer.uid)) return fmt::format("user:#{}", peer.uid);
  for (const std::uint32_t gid : peer.groups) {
    if (of_group_.contains(gid)) return fmt::format("group:#{}", gid);
  }
  return {};
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
         of_group_ == other.of_group_;
}

template <class Holds>
bool AccessPolicy::any_rights(const PeerIdentity& peer, Holds holds) const {
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

std::size_t AccessPolicy::Rights::matches(const Published& member) const {
  std::size_t count = 0;
  for (const std::string& tag : member.tags) count += tags.count(tag);
  for (const MemberKey& key : member.keys) count += members.count(key);
  return count;
}

}  // namespace rota

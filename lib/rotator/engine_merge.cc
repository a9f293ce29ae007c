#include <fmt/format.h>

#include <optional>
#include <utility>

#include "plan/lifecycle.h"
#include "rotator/engine.h"

// How two records that are one member's become one.

namespace rota {

// `slot` is gone after that.
void Engine::merge_into(MemberSlot& into, MemberSlot& slot, Now now) {
  tell(Severity::kInfo, "alias", &slot,
       fmt::format("is the same member as {}: they share its tokens",
                   primary_key(into.record).text()));
  const MemberId from = slot.record.id;
  ++generation_;  // entries move to a member that a comparison may have looked at
  const RecordChange change = merge_records(into.record, slot.record, circle_now(now));
  into.waiters.insert(into.waiters.end(), slot.waiters.begin(), slot.waiters.end());
  for (auto& [wait, state] : waits_) {  // those that are answered but not let out, too
    if (state.request.member == from) state.request.member = into.record.id;
  }
  for (const OperatorId op : slot.operations) {
    auto& members = operations_.at(op).members;
    members.erase(from);
    // It may be about both of them, and is to be completed once.
    if (members.insert(into.record.id).second) into.operations.push_back(op);
  }
  into.rotations_asked += slot.rotations_asked;
  into.revoked_before = std::max(into.revoked_before, slot.revoked_before);
  journal_.reassign(from, into.record.id, gathering_.mutations);
  forget(slot);
  gathering_.merged.emplace(from, into.record.id);
  if (into.record.last_used > into.use_on_record) want_use_recorded(into, now);
  index(into);
  record_change(into, change);
}

// The member that the table shows under this id: clients name members as the table has them, and it
// learns of a merge when that is durable.
MemberSlot* Engine::find_shown(MemberId member) {
  const auto follow = [&member](const Batch& batch) {
    for (auto it = batch.merged.find(member); it != batch.merged.end();
         it = batch.merged.find(member)) {
      member = it->second;
    }
  };
  if (committing_) follow(*committing_);
  follow(gathering_);
  const auto it = slots_.find(member);
  return it == slots_.end() ? nullptr : &it->second;
}

// A database of before keys were compared in their canonical form can hold two records whose keys
// differ only in the case of an address: they are one member, unless Circle has said otherwise of
// both. After what is published at the start, for this has to be durable first (P2).
void Engine::unite_namesakes(Now now) {
  const auto namesakes = std::exchange(namesakes_, std::nullopt).value();
  for (const auto& [one, other] : namesakes) {
    const auto first = slots_.find(one);
    const auto second = slots_.find(other);
    if (first == slots_.end() || second == slots_.end()) continue;
    const bool first_is_known = first->second.record.community_member_id.has_value();
    MemberSlot& into = first_is_known ? first->second : second->second;
    MemberSlot& from = first_is_known ? second->second : first->second;
    const bool mismatched = into.record.state == MemberState::kMismatched ||
                            from.record.state == MemberState::kMismatched;
    if (mismatched || from.record.community_member_id) continue;
    merge_into(into, from, now);
    settle_if_nothing_alive(into, now);
    replan(into, now);
  }
}

}  // namespace rota

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "plan/lifecycle.h"

// How two records of one member become one.

namespace rota {
namespace {

using Pairs = std::vector<std::pair<MemberId, MemberId>>;

// Every two of those that `pairs` connect, over others too: of three that share a key only two
// pairs are told.
Pairs all_pairs(const Pairs& pairs) {
  std::map<MemberId, std::set<MemberId>> groups;  // by the first of each
  std::map<MemberId, MemberId> first_of;
  for (const auto& [one, other] : pairs) {
    const MemberId into = first_of.try_emplace(one, one).first->second;
    const MemberId from = first_of.try_emplace(other, other).first->second;
    std::set<MemberId> moved = std::exchange(groups[from], {});
    moved.insert(from);
    for (const MemberId member : moved) first_of[member] = into;
    groups[into].insert(into);
    groups[into].merge(moved);
  }
  Pairs all;
  for (const auto& [first, group] : groups) {
    for (auto one = group.begin(); one != group.end(); ++one) {
      for (auto other = std::next(one); other != group.end(); ++other)
        all.emplace_back(*one, *other);
    }
  }
  return all;
}

}  // namespace

// Afterwards `slot` no longer exists.
void Engine::merge_into(MemberSlot& into, MemberSlot& slot, Now now) {
  tell(Severity::kInfo, "alias", &slot,
       fmt::format("is the same member as {}: both names share its tokens",
                   primary_key(into.record).text()));
  const MemberId from = slot.record.id;
  const bool was_member = is_wanted(into.record);
  rosters_.members_merged();
  members_.unindex(into);
  members_.unindex(slot);
  const RecordChange change = merge_records(into.record, slot.record, circle_now(now));
  into.waiters.append(slot.waiters.begin(), slot.waiters.end());
  waits_.rename(from, into.record.id, was_member);  // answered ones that have not left yet, too
  for (const OperatorId op : slot.operations) {
    // It may be about both of them, and must be completed once.
    if (operations_.rename(op, from, into.record.id)) into.operations.push_back(op);
  }
  into.rotations_asked += slot.rotations_asked;
  std::ranges::move(slot.enrolments_to_note, std::back_inserter(into.enrolments_to_note));
  into.revoked_before = std::max(into.revoked_before, slot.revoked_before);
  into.access_revoked_before = std::max(into.access_revoked_before, slot.access_revoked_before);
  into.hurries_revocations = into.hurries_revocations || slot.hurries_revocations;
  journal_.reassign(from, into.record.id, outbox_.changes());
  take_out(slot);
  outbox_.merged(from, into.record.id);
  if (into.record.last_used > into.use_on_record) want_use_recorded(into, now);
  members_.index(into);
  record_change(into, change);
  outbox_.change(ForgetMember{from});  // behind the changes that move its tokens
}

// The member that the table shows under this id. Clients name members by the ids of the table,
// which learns of a merge only when it is durable.
MemberSlot* Engine::find_shown(MemberId member) { return members_.find(outbox_.owner_of(member)); }

// An old database, which did not compare keys in their canonical form, can have two records whose
// keys differ only in the case of an address. They are one member, unless both are pinned to
// different Circle ids. Runs after what the start publishes, because the merge has to be durable
// first (P2).
void Engine::unite_namesakes(Now now) {
  for (const auto& [one, other] : all_pairs(members_.take_namesakes())) {
    // Either may have become another record by now, by this key or by another that it has.
    MemberSlot* const first = find_shown(one);
    MemberSlot* const second = find_shown(other);
    if (first == nullptr || second == nullptr || first == second) continue;
    const bool share_a_key = std::ranges::any_of(
        second->record.selectors, [&members = members_, first](const Selector& selector) {
          return members.selector_of(first->record.id, selector.key) != nullptr;
        });
    if (!share_a_key) continue;
    const bool first_is_known = first->record.community_member_id.has_value();
    MemberSlot& into = first_is_known ? *first : *second;
    MemberSlot& from = first_is_known ? *second : *first;
    const bool mismatched = into.record.state == MemberState::kMismatched ||
                            from.record.state == MemberState::kMismatched;
    if (mismatched || from.record.community_member_id) continue;
    merge_into(into, from, now);
    settle_if_nothing_alive(into, now);
    replan(into, now);
  }
}

}  // namespace rota

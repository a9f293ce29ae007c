#include <fmt/format.h>

#include <algorithm>

#include "plan/lifecycle.h"
#include "rotator/engine.h"

// The records as the engine keeps them: what they become in time, what of them is published, and
// how they are found.

namespace rota {

void Engine::housekeep_due(Now now) {
  const WallTime circle = circle_now(now);
  while (!housekeeping_.empty() && housekeeping_.begin()->first <= circle) {
    MemberSlot& slot = slots_.at(housekeeping_.begin()->second);
    const MemberRecord& record = slot.record;
    if (slot.in_flight) {  // its reply plans it anew
      slot.housekeeping.reset();
      housekeeping_.erase(housekeeping_.begin());
      continue;
    }
    for (const Token& token : record.tokens) {
      if (token.status == TokenStatus::kRevoking && token.expires_at + kLedgerSlack <= circle) {
        note_revocation(slot, token, "expired", false);
      }
    }
    record_change(slot, housekeep(slot.record, policy_.revoke_superseded_after, circle));
    settle_if_nothing_alive(slot, now);
    const bool gone =
        record.state == MemberState::kRetired || record.state == MemberState::kBlocked;
    if (gone && record.tokens.empty() && !named_by_roster(record) &&
        record.state_since + kTombstoneLife <= circle) {
      forget(slot);
    } else {
      replan(slot, now);
    }
  }
}

void Engine::record_change(MemberSlot& slot, const RecordChange& change) {
  if (change.empty()) return;
  auto& mutations = gathering_.mutations;
  if (change.row) {
    MemberRecord row = slot.record;
    row.tokens.clear();
    mutations.emplace_back(PutMember{std::move(row)});
  }
  for (const TokenId id : change.put) {
    const auto token = std::ranges::find(slot.record.tokens, id, &Token::id);
    if (token != slot.record.tokens.end()) {
      mutations.emplace_back(PutToken{.member = slot.record.id, .token = *token});
    }
  }
  for (const TokenId id : change.erased) mutations.emplace_back(EraseToken{id});
  publish(slot);
}

void Engine::publish(const MemberSlot& slot) {
  const MemberRecord& record = slot.record;
  Published row{.member = record.id,
                .state = record.state,
                .keys = {},
                .tags = tags_of(record),
                .access_token = nullptr,
                .body = nullptr,
                .issued_at = {},
                .expires_at = {}};
  for (const Selector& selector : record.selectors) row.keys.push_back(selector.key);
  if (record.community_member_id) {
    const auto id = MemberKey::from_id(*record.community_member_id);
    if (id && std::ranges::find(row.keys, *id) == row.keys.end()) row.keys.push_back(*id);
  }
  const Token* access = current(record, TokenKind::kAccess);
  if (record.state == MemberState::kActive && access != nullptr) {
    row.access_token = access->value;
    row.body = make_token_body(*access, record.community_member_id.value_or(0),
                               record.community_id.value_or(0));
    row.fingerprint = access->fingerprint;
    row.issued_at = access->issued_at;
    row.expires_at = access->expires_at;
  }
  gathering_.then.emplace_back(command::Publish{std::move(row)});
}

// A leaver of whom nothing is alive any more is retired; whoever waited for that is told.
void Engine::settle_if_nothing_alive(MemberSlot& slot, Now now) {
  if (!slot.record.tokens.empty() || slot.in_flight) return;
  record_change(slot, enter(slot.record, LifecycleEvent::kNothingAlive, circle_now(now)));
  finish_operations(slot, now);
}

void Engine::tell(Severity severity, std::string event, const MemberSlot* slot, std::string text) {
  gathering_.then.emplace_back(
      command::Tell{{.severity = severity,
                     .event = std::move(event),
                     .member = slot ? primary_key(slot->record).text() : std::string{},
                     .text = std::move(text)}});
}

MemberSlot& Engine::add_slot(MemberRecord record) {
  const MemberId member = record.id;
  MemberSlot& slot = slots_.emplace(member, MemberSlot{}).first->second;
  slot.record = std::move(record);
  index(slot);
  return slot;
}

void Engine::index(MemberSlot& slot) {
  const MemberRecord& record = slot.record;
  for (const Selector& selector : record.selectors) {
    by_key_.insert_or_assign(selector.key.text(), record.id);
  }
  if (record.community_member_id) {
    by_circle_id_.insert_or_assign(*record.community_member_id, record.id);
    // The roster may name that id for another record, until Circle says that both are one.
    by_key_.emplace(fmt::format("id:{}", *record.community_member_id), record.id);
  }
}

void Engine::forget(MemberSlot& slot) {
  const MemberId member = slot.record.id;
  unqueue(slot);
  const auto drop = [member](auto& map, const auto& key) {
    const auto it = map.find(key);
    if (it != map.end() && it->second == member) map.erase(it);
  };
  for (const Selector& selector : slot.record.selectors) drop(by_key_, selector.key.text());
  if (slot.record.community_member_id) {
    drop(by_circle_id_, *slot.record.community_member_id);
    drop(by_key_, fmt::format("id:{}", *slot.record.community_member_id));
  }
  gathering_.mutations.emplace_back(ForgetMember{member});
  gathering_.then.emplace_back(command::Withdraw{member});
  slots_.erase(member);
}

const MemberSlot* Engine::find(MemberId member) const {
  const auto it = slots_.find(member);
  return it == slots_.end() ? nullptr : &it->second;
}

const MemberSlot* Engine::find(std::string_view key) const {
  const auto it = by_key_.find(key);
  return it == by_key_.end() ? nullptr : find(it->second);
}

}  // namespace rota

#include "plan/identity.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "plan/lifecycle.h"

namespace rota {
namespace {

bool can_lead_elsewhere(const Selector& selector) {
  switch (selector.key.kind) {
    case SelectorKind::kCommunityMemberId:
      return false;
    case SelectorKind::kEmail:
    case SelectorKind::kSsoUserId:
      return true;
  }
  ROTA_CHECK(false);
}

}  // namespace

const MemberKey& key_to_issue_by(const MemberRecord& record) {
  const Selector* oldest = nullptr;
  for (const Selector& selector : record.selectors) {
    if (!can_lead_elsewhere(selector)) continue;
    if (oldest == nullptr || selector.resolved_at < oldest->resolved_at) oldest = &selector;
  }
  return oldest == nullptr ? primary_key(record) : oldest->key;
}

bool has_unresolved_name(const MemberRecord& record) {
  return std::ranges::any_of(record.selectors, [](const Selector& selector) {
    return can_lead_elsewhere(selector) && selector.resolved_at == WallTime{};
  });
}

bool is_identified(const MemberRecord& record) {
  if (record.state != MemberState::kActive || !record.community_member_id ||
      has_unresolved_name(record)) {
    return false;
  }
  const bool is_gone = std::ranges::any_of(
      record.tokens, [](const Token& token) { return token.status == TokenStatus::kMemberGone; });
  if (is_gone) return false;
  return std::ranges::any_of(record.selectors, can_lead_elsewhere) ||
         std::ranges::any_of(record.tokens, [&record](const Token& token) {
           return token.issued_at + kClockNoise >= record.state_since;
         });
}

std::optional<WallTime> name_check_due(const MemberRecord& record, Duration pair_life) {
  std::optional<WallTime> oldest, newest;
  for (const Selector& selector : record.selectors) {
    if (!can_lead_elsewhere(selector)) continue;
    oldest = std::min(oldest.value_or(selector.resolved_at), selector.resolved_at);
    newest = std::max(newest.value_or(selector.resolved_at), selector.resolved_at);
  }
  if (!oldest) return std::nullopt;
  // The pair was renewed by one name: the others follow now.
  if (*newest - *oldest > kNameRound) return newest;
  return *oldest + std::clamp(pair_life, kNameRound, kNameCheckMax);
}

RecordChange note_resolved(MemberRecord& record, const MemberKey& key, WallTime now) {
  const auto it = std::ranges::find(record.selectors, key, &Selector::key);
  if (it == record.selectors.end() || !can_lead_elsewhere(*it)) return {};
  it->resolved_at = now;
  return RecordChange{.row = true, .put = {}, .erased = {}};
}

void forget_resolutions(MemberRecord& record) {
  for (Selector& selector : record.selectors) selector.resolved_at = WallTime{};
}

bool can_do_without(const MemberRecord& record, const MemberKey& key) {
  return keeps_tokens(record.state) && is_wanted(record) &&
         std::ranges::find(record.selectors, key, &Selector::key) != record.selectors.end() &&
         std::ranges::any_of(record.selectors, [&](const Selector& selector) {
           return (selector.in_roster || !selector.enrolments.empty()) && selector.key != key;
         });
}

MemberRecord split_name(MemberRecord& record, const MemberKey& key, MemberId id, WallTime now) {
  const auto it = std::ranges::find(record.selectors, key, &Selector::key);
  ROTA_CHECK(it != record.selectors.end() && record.selectors.size() > 1);
  MemberRecord own{.id = id,
                   .state = record.state,
                   .state_since = now,
                   .selectors = {std::move(*it)},
                   .community_member_id = record.community_member_id,
                   .community_id = record.community_id,
                   .renew_not_before = {},
                   .last_used = record.last_used,
                   .tokens = {}};
  record.selectors.erase(it);
  return own;
}

}  // namespace rota

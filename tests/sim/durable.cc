#include "sim/durable.h"

#include <algorithm>

#include "base/check.h"

namespace rota::sim {

void Durable::apply(const Mutation& mutation) {
  if (const auto* put = std::get_if<PutMember>(&mutation)) {
    Member& member = members_[put->row.id];
    only_enrolled_ -= is_only_enrolled(member.selectors) ? 1 : 0;
    only_enrolled_ += is_only_enrolled(put->row.selectors) ? 1 : 0;
    member.state = put->row.state;
    member.state_since = put->row.state_since;
    member.signed_out_at = put->row.signed_out_at;
    member.selectors = put->row.selectors;
    member.pin = put->row.community_member_id;
  } else if (const auto* forgotten = std::get_if<ForgetMember>(&mutation)) {
    const auto it = members_.find(forgotten->member);
    if (it == members_.end()) return;
    while (!it->second.tokens.empty()) drop(it->second.tokens.begin()->first);
    only_enrolled_ -= is_only_enrolled(it->second.selectors) ? 1 : 0;
    members_.erase(it);
  } else if (const auto* token = std::get_if<PutToken>(&mutation)) {
    drop(token->token.id);
    members_[token->member].tokens.emplace(token->token.id, token->token);
    owners_[token->token.id] = token->member;
    ++texts_[std::string(token->token.value->reveal())];
  } else if (const auto* erased = std::get_if<EraseToken>(&mutation)) {
    drop(erased->token);
  } else if (const auto* call = std::get_if<PutCall>(&mutation)) {
    calls_[call->row.id] = call->row;
  } else if (const auto* over = std::get_if<EraseCall>(&mutation)) {
    calls_.erase(over->call);
  } else if (const auto* meta = std::get_if<PutMeta>(&mutation)) {
    ROTA_CHECK(take_over(meta_, meta->key, meta->value));
  }
}

void Durable::drop(TokenId token) {
  const auto owner = owners_.find(token);
  if (owner == owners_.end()) return;
  auto& tokens = members_.at(owner->second).tokens;
  const auto held = tokens.find(token);
  const auto text = texts_.find(held->second.value->reveal());
  if (--text->second == 0) texts_.erase(text);
  tokens.erase(held);
  owners_.erase(owner);
}

const Durable::Member* Durable::find(MemberId member) const {
  const auto it = members_.find(member);
  return it == members_.end() ? nullptr : &it->second;
}

const CallRow* Durable::call(CallId id) const {
  const auto it = calls_.find(id);
  return it == calls_.end() ? nullptr : &it->second;
}

std::optional<MemberId> Durable::owner_of(TokenId token) const {
  const auto it = owners_.find(token);
  return it == owners_.end() ? std::nullopt : std::optional(it->second);
}

const Token* Durable::token(TokenId id) const {
  const auto owner = owners_.find(id);
  return owner == owners_.end() ? nullptr : &members_.at(owner->second).tokens.at(id);
}

bool is_only_enrolled(const SlimVector<Selector>& names) {
  return std::ranges::none_of(names, &Selector::in_roster) &&
         std::ranges::any_of(names, [](const Selector& name) { return !name.enrolments.empty(); });
}

std::size_t names_to_renew(const SlimVector<Selector>& names) {
  const auto others = std::ranges::count_if(names, [](const Selector& name) {
    return name.key.kind != SelectorKind::kCommunityMemberId;
  });
  return std::max<std::size_t>(static_cast<std::size_t>(others), 1);
}

const Token* current(const Durable::Member& member, TokenKind kind) {
  const auto it = std::ranges::find_if(member.tokens, [kind](const auto& held) {
    return held.second.kind == kind && held.second.status == TokenStatus::kCurrent;
  });
  return it == member.tokens.end() ? nullptr : &it->second;
}

}  // namespace rota::sim

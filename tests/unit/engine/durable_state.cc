#include "tests/unit/engine/durable_state.h"

#include <algorithm>

#include "base/check.h"

namespace rota::test {

void DurableState::apply(const std::vector<Mutation>& mutations) {
  ROTA_CHECK(store_.commit(mutations).has_value());
}

Snapshot DurableState::snapshot() const { return store_.snapshot(); }

OpenedTokens DurableState::open(const std::vector<TokenId>& tokens) const {
  OpenedTokens opened;
  for (const TokenId id : tokens) {
    const Token* const token = damaged_.contains(id) ? nullptr : store_.find_token(id);
    opened.emplace(id, token != nullptr ? token->value : nullptr);
  }
  return opened;
}

const Token* DurableState::find_token(std::string_view value) const {
  for (const auto& [id, member] : store_.members()) {
    for (const Token& token : member.tokens) {
      if (token.value->reveal() == value) return &token;
    }
  }
  return nullptr;
}

const CallRow* DurableState::find_call(CallId call) const {
  const auto it = store_.calls().find(call);
  return it == store_.calls().end() ? nullptr : &it->second;
}

const MemberRecord* DurableState::find_member(MemberId member) const {
  const auto it = store_.members().find(member);
  return it == store_.members().end() ? nullptr : &it->second;
}

std::size_t DurableState::open_calls() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      store_.calls(), [](const auto& row) { return row.second.fate == CallFate::kOpen; }));
}

}  // namespace rota::test

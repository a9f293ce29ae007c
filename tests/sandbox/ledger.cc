#include "sandbox/ledger.h"

#include <algorithm>
#include <ranges>
#include <utility>

namespace rota::sandbox {

TokenState Token::state(WallTime now) const {
  if (revoked) return TokenState::kRevoked;
  return now < expires_at ? TokenState::kLive : TokenState::kExpired;
}

TokenId Ledger::add(Token token) {
  const TokenId id = tokens_.size();
  Holdings& held = by_member_[token.member];
  switch (token.kind) {
    case TokenKind::kAccess:
      held.newest_access = id;
      break;
    case TokenKind::kRefresh:
      held.refresh.push_back(id);
      break;
  }
  tokens_.push_back(std::move(token));
  by_text_.emplace(tokens_.back().text, id);
  return id;
}

std::optional<TokenId> Ledger::find(std::string_view text) const {
  const auto found = by_text_.find(text);
  if (found == by_text_.end()) return std::nullopt;
  return found->second;
}

std::optional<TokenId> Ledger::newest_access(MemberId member) const {
  const auto held = by_member_.find(member);
  if (held == by_member_.end()) return std::nullopt;
  return held->second.newest_access;
}

std::optional<TokenId> Ledger::live_refresh(MemberId member, WallTime now) const {
  const auto held = by_member_.find(member);
  if (held == by_member_.end()) return std::nullopt;
  for (const TokenId id : std::views::reverse(held->second.refresh)) {
    if (tokens_[id].state(now) == TokenState::kLive) return id;
  }
  return std::nullopt;
}

void Ledger::revoke_refresh_tokens(MemberId member) {
  const auto held = by_member_.find(member);
  if (held == by_member_.end()) return;
  for (const TokenId id : held->second.refresh) revoke(id);
}

void Ledger::expire(TokenId id, WallTime now) {
  tokens_[id].expires_at = std::min(tokens_[id].expires_at, now);
}

void Ledger::forget_ended_before(WallTime time) {
  const auto forget = [this](TokenId id) {
    by_text_.erase(tokens_[id].text);
    std::string{}.swap(tokens_[id].text);
  };
  while (!long_lived_.empty() && tokens_[long_lived_.front()].expires_at < time) {
    forget(long_lived_.front());
    long_lived_.pop_front();
  }
  for (; swept_ < tokens_.size(); ++swept_) {
    const Token& token = tokens_[swept_];
    if (token.expires_at < time) {
      forget(swept_);
    } else if (token.kind == TokenKind::kRefresh) {
      long_lived_.push_back(swept_);
    } else {
      return;
    }
  }
}

}  // namespace rota::sandbox

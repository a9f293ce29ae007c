#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "sandbox/names.h"
#include "sandbox/request.h"

namespace rota::sandbox {

enum class TokenKind : std::uint8_t { kAccess, kRefresh };
enum class TokenState : std::uint8_t { kLive, kExpired, kRevoked };

inline constexpr std::array<Name<TokenKind>, 2> kTokenKindNames{{
    {TokenKind::kAccess, "access"},
    {TokenKind::kRefresh, "refresh"},
}};
inline constexpr std::array<Name<TokenState>, 3> kTokenStateNames{{
    {TokenState::kLive, "live"},
    {TokenState::kExpired, "expired"},
    {TokenState::kRevoked, "revoked"},
}};

using TokenId = std::size_t;

struct Token {
  TokenKind kind = TokenKind::kAccess;
  std::string text;
  MemberId member = 0;
  std::int64_t community = 0;
  WallTime issued_at;   // both by the sandbox's clock, offset included
  WallTime expires_at;  // the first moment at which it is dead
  bool revoked = false;
  bool delivered = false;  // a reply that holds it was written in full

  // A token revoked before its end stays "revoked" after it.
  TokenState state(WallTime now) const;
};

// Every token ever issued. Nothing is evicted, so that a test can account for each one; a token
// costs about 0.5 kB, so some millions fit, and a sandbox is not meant to run past that. Adding
// and finding take constant time however many there are.
class Ledger {
 public:
  TokenId add(Token token);
  std::optional<TokenId> find(std::string_view text) const;
  const Token& at(TokenId id) const { return tokens_[id]; }
  const std::deque<Token>& tokens() const { return tokens_; }

  // The access token issued last, alive or not.
  std::optional<TokenId> newest_access(MemberId member) const;
  // The youngest refresh token that still works.
  std::optional<TokenId> live_refresh(MemberId member, WallTime now) const;

  void revoke(TokenId id) { tokens_[id].revoked = true; }
  void revoke_refresh_tokens(MemberId member);
  void expire(TokenId id, WallTime now);
  void mark_delivered(TokenId id) { tokens_[id].delivered = true; }

  // For worlds that go on for months: the texts of tokens that ended before this are given up, and
  // find() knows them no more. Their rows stay, so that ids do. Looks at each token once, in the
  // order of issue, and stops at one whose access life is not over.
  void forget_ended_before(WallTime time);

 private:
  struct Holdings {
    std::optional<TokenId> newest_access;
    std::vector<TokenId> refresh;  // oldest first
  };

  std::deque<Token> tokens_;  // never moves an element: the index points into their texts
  std::unordered_map<std::string_view, TokenId> by_text_;
  std::unordered_map<MemberId, Holdings> by_member_;
  TokenId swept_ = 0;               // forget_ended_before() has been past those before it
  std::deque<TokenId> long_lived_;  // which it passed while they were alive, oldest first
};

}  // namespace rota::sandbox

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/outcome.h"
#include "model/record.h"

// Small builders for records, shared by the tests of plan and rotator.
namespace rota::test {

using namespace std::chrono_literals;

// 2024-03-20T16:00:00Z on Circle's clock.
inline constexpr WallTime kT0{Duration{1'710'950'400'000}};

inline Token make_token(std::int64_t id, TokenKind kind, std::string_view value, WallTime issued,
                        Duration life, TokenStatus status = TokenStatus::kCurrent) {
  Token token;
  token.id = TokenId{id};
  token.kind = kind;
  token.status = status;
  token.value = make_secret(value);
  token.fingerprint = fingerprint_of(value);
  token.issued_at = issued;
  token.expires_at = issued + life;
  token.status_since = issued;
  return token;
}

inline Token access_token(std::int64_t id, std::string_view value,
                          TokenStatus status = TokenStatus::kCurrent, WallTime issued = kT0) {
  return make_token(id, TokenKind::kAccess, value, issued, 1h, status);
}

inline Token refresh_token(std::int64_t id, std::string_view value,
                           TokenStatus status = TokenStatus::kCurrent, WallTime issued = kT0) {
  return make_token(id, TokenKind::kRefresh, value, issued, std::chrono::days{31}, status);
}

inline Selector selector(std::string_view key, bool in_roster = true, bool retired = false) {
  Selector s;
  s.key = MemberKey::parse(key).value();
  s.in_roster = in_roster;
  s.was_in_roster = true;
  s.retired = retired;
  s.resolved_at = kT0;
  return s;
}

inline MemberRecord member(std::int64_t id, MemberState state, std::string_view key,
                           std::vector<Token> tokens = {}) {
  MemberRecord record;
  record.id = MemberId{id};
  record.state = state;
  record.state_since = kT0;
  const bool out = state == MemberState::kRetiring || state == MemberState::kRetired;
  record.selectors = {selector(key, !out)};
  record.tokens = std::move(tokens);
  return record;
}

// A record with a pair, pinned to Circle's member 42 of community 1.
inline MemberRecord member_with_pair(MemberState state = MemberState::kActive) {
  MemberRecord record = member(1, state, "email:grace@example.com");
  record.community_member_id = 42;
  record.community_id = 1;
  const TokenStatus status = state == MemberState::kActive || state == MemberState::kUnknown
                                 ? TokenStatus::kCurrent
                                 : TokenStatus::kRevoking;
  record.tokens.push_back(access_token(1, "access-1", status));
  record.tokens.push_back(refresh_token(2, "refresh-1", status));
  return record;
}

inline Issued issued(std::string_view access, std::string_view refresh, WallTime now,
                     std::int64_t circle_id = 42) {
  Issued outcome;
  outcome.pair.access = {make_secret(access), now + 1h};
  outcome.pair.refresh = make_secret(refresh);
  outcome.pair.refresh_expires_at = now + std::chrono::days{31};
  outcome.pair.community_member_id = circle_id;
  outcome.pair.community_id = 1;
  return outcome;
}

inline Refreshed refreshed(std::string_view access, WallTime expires_at) {
  return Refreshed{{make_secret(access), expires_at}};
}

inline Transient transient(TransientReason reason) { return {.reason = reason, .why = "a test"}; }

inline const Token* find_token(const MemberRecord& record, std::string_view value) {
  for (const Token& token : record.tokens) {
    // A refresh token at rest has no value.
    if (token.value == nullptr ? token.fingerprint == fingerprint_of(value)
                               : token.value->reveal() == value) {
      return &token;
    }
  }
  return nullptr;
}

}  // namespace rota::test

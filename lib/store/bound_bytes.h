#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "model/record.h"

namespace rota {

// How seals of a database are bound. A database of the first form is brought to the second when it
// is opened; a row of the first form in one of the second is not believed.
enum class SealForm {
  kFirst = 1,   // a token to its id, member and kind; a member's record not at all
  kSecond = 2,  // a token to its whole row; a member's record carries a seal
};

// Random bytes that a member's row gets when it is made, and a token's seal is bound to: a token
// does not open beside a record that was made or sealed anew later, be its id the same.
using MemberSalt = std::array<unsigned char, 16>;

// None: no salt.
std::optional<MemberSalt> read_salt(std::span<const unsigned char> bytes);

// What a sealed token is bound to: its bytes open in this place only, not in another row, nor
// beside another status or time.
struct TokenBinding {
  TokenId token{};
  MemberId member{};
  TokenKind kind = TokenKind::kAccess;
  TokenStatus status = TokenStatus::kCurrent;
  WallTime issued_at;
  WallTime expires_at;
  WallTime status_since;
  MemberSalt salt{};
};
TokenBinding binding_of(const Token& token, MemberId member, const MemberSalt& salt);

// That as bytes: the first `size` of them. No two bindings of a form have the same.
struct TokenBound {
  std::array<unsigned char, 80> bytes;
  std::size_t size;
};
TokenBound bound_bytes(const TokenBinding& binding, SealForm form);

// Eight bytes, big-endian; where the next ones go.
unsigned char* put_integer(std::int64_t value, unsigned char* out);

// All of a member's record but `last_used` and the tokens, as bytes. No two records have the same.
std::string bound_bytes(const MemberRecord& record, const MemberSalt& salt);

}  // namespace rota

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "model/record.h"

namespace rota {

// How seals of a database are bound. A database of an older form is brought to the newest when it
// is opened; a row of an older form in one of the newest is not believed.
enum class SealForm {
  kFirst = 1,   // a token to its id, member and kind; a member's record not at all
  kSecond = 2,  // a token to its whole row; a member's record carries a seal
  kThird = 3,   // both to their database as well
};

// Random bytes that a database gets when it is made: its rows are believed in no other database,
// even one of the same store key.
using DatabaseId = std::array<unsigned char, 16>;

// Random bytes that a member's row gets when it is made, and a token's seal is bound to: a token
// does not open beside a record that was made or sealed anew later, be its id the same.
using MemberSalt = std::array<unsigned char, 16>;

// None: no salt, or no id; both have the same size.
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
  std::array<unsigned char, 96> bytes;
  std::size_t size;
};
TokenBound bound_bytes(const TokenBinding& binding, SealForm form, const DatabaseId& database);

// Eight bytes, big-endian; where the next ones go.
unsigned char* put_integer(std::int64_t value, unsigned char* out);

// All of a member's record but `last_used` and the tokens, as bytes. No two records have the same.
// Not for the first form.
std::string bound_bytes(const MemberRecord& record, const MemberSalt& salt, SealForm form,
                        const DatabaseId& database);

}  // namespace rota

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "model/record.h"

namespace rota {

// To what the seals of a database are bound. A database of an older form is brought to the newest
// when it is opened. After that, a row of an older form in it is not believed.
enum class SealForm {
  kFirst = 1,   // a token to its id, member and kind; a member's record not at all
  kSecond = 2,  // a token to its whole row; a member's record carries a seal
  kThird = 3,   // both to their database as well
  kFourth = 4,  // a member's record with its enrolments, its login epoch and its handles
};
inline constexpr SealForm kNewestForm = SealForm::kFourth;
constexpr bool has_database_id(SealForm form) { return form >= SealForm::kThird; }
// Without them, what the database says of them is not sealed, and so not believed.
constexpr bool has_enrolments(SealForm form) { return form >= SealForm::kFourth; }

// Random bytes that a database gets when it is made. Its rows are not believed in another database,
// even if that has the same store key.
using DatabaseId = std::array<unsigned char, 16>;

// Random bytes that a member's row gets when it is made. The seals of its tokens are bound to them,
// so a token does not open with a later record that has the same member id.
using MemberSalt = std::array<unsigned char, 16>;

// A salt or a database id, which have the same size. Nullopt if `bytes` has another size.
std::optional<MemberSalt> read_salt(std::span<const unsigned char> bytes);

// What a sealed token is bound to. Its bytes open only with these values: not in another row, and
// not with another status or time.
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

// A binding as bytes: the first `size` of them. Two bindings of one form and database differ in
// their bytes.
struct TokenBound {
  std::array<unsigned char, 96> bytes;
  std::size_t size;
};
TokenBound bound_bytes(const TokenBinding& binding, SealForm form, const DatabaseId& database);

// Writes eight bytes, big-endian, and returns the place after them.
unsigned char* put_integer(std::int64_t value, unsigned char* out);

// All of a member's record as bytes, but for `last_used` and the tokens. Two records of one form
// differ in their bytes. Not for SealForm::kFirst, which does not seal records.
std::string bound_bytes(const MemberRecord& record, const MemberSalt& salt, SealForm form,
                        const DatabaseId& database);

}  // namespace rota

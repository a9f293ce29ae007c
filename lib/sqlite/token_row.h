#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "base/enumerators.h"
#include "base/result.h"
#include "base/secret.h"
#include "model/record.h"
#include "sqlite/database.h"
#include "sqlite/sealer.h"

namespace rota {

// False if the number in `column` is not one of the enum that begins with kFirst. We do not guess:
// a wrong guess could serve a token.
template <auto kFirst>
bool read_enum(const Statement& row, int column, std::remove_const_t<decltype(kFirst)>& out) {
  const std::int64_t found = row.integer(column);
  if (found < static_cast<std::int64_t>(kFirst) ||
      found > static_cast<std::int64_t>(last_enumerator<kFirst>())) {
    return false;
  }
  out = static_cast<std::remove_const_t<decltype(kFirst)>>(found);
  return true;
}

inline WallTime time_at(const Statement& row, int column) {
  return WallTime{Duration{row.integer(column)}};
}

// A row of the table of tokens, as the statements kLoadTokens and kFindToken give it.
struct TokenRow {
  Token token;  // without value and fingerprint
  MemberId owner{};
  bool readable = false;  // false: no Rota can have written it, or it has another store key
  std::span<const unsigned char> sealed;  // valid until the next row
};
TokenRow read_token_row(const Statement& row, const Sealer& sealer);

// The value of a token on record.
struct StoredToken {
  MemberId owner{};
  SecretPtr value;  // null: the row is not believed
};
// `find`: the statement kFindToken. None: there is no row.
Result<std::optional<StoredToken>> find_token(Statement& find, const Sealer& sealer, TokenId token);

}  // namespace rota

#include "sqlite/token_row.h"

#include <memory>
#include <utility>

#include "sqlite/bound_bytes.h"

namespace rota {

TokenRow read_token_row(const Statement& row, const Sealer& sealer) {
  TokenRow found;
  found.token.id = TokenId{row.integer(0)};
  found.owner = MemberId{row.integer(1)};
  found.readable = read_enum<TokenKind::kAccess>(row, 2, found.token.kind) &&
                   read_enum<TokenStatus::kCurrent>(row, 3, found.token.status) &&
                   std::ranges::equal(row.bytes(7), sealer.key_id());
  found.token.issued_at = time_at(row, 4);
  found.token.expires_at = time_at(row, 5);
  found.token.status_since = time_at(row, 6);
  found.sealed = row.bytes(8);
  return found;
}

Result<std::optional<StoredToken>> find_token(Statement& find, const Sealer& sealer,
                                              TokenId token) {
  std::optional<StoredToken> stored;
  const auto read = [&](const Statement& row) -> Result<void> {
    const TokenRow found = read_token_row(row, sealer);
    stored = StoredToken{.owner = found.owner, .value = nullptr};
    const auto salt = read_salt(row.bytes(9));
    if (!found.readable || !salt) return {};
    auto value = sealer.open(found.sealed, binding_of(found.token, found.owner, *salt));
    if (value) stored->value = SecretPtr(*std::move(value));
    return {};
  };
  ROTA_TRY(find.for_each(read, std::to_underlying(token)));
  return stored;
}

}  // namespace rota

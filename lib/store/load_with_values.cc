#include "store/load_with_values.h"

#include <vector>

namespace rota {

Result<Snapshot> load_with_values(TokenStore& store) {
  ROTA_ASSIGN(Snapshot snapshot, store.load());
  std::vector<TokenId> at_rest;
  for (const MemberRecord& member : snapshot.members) {
    for (const Token& token : member.tokens) {
      if (token.value == nullptr) at_rest.push_back(token.id);
    }
  }
  ROTA_ASSIGN(OpenedTokens opened, store.open_tokens(at_rest));
  for (MemberRecord& member : snapshot.members) {
    erase_if(member.tokens, [&](Token& token) {
      if (token.value == nullptr) token.value = opened[token.id];
      const bool set_aside = token.value == nullptr;
      snapshot.rows_set_aside += set_aside ? 1 : 0;
      return set_aside;
    });
  }
  return snapshot;
}

}  // namespace rota

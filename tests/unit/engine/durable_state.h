#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string_view>
#include <vector>

#include "support/memory_store.h"

namespace rota::test {

// All that commits made durable, and questions about it.
class DurableState {
 public:
  void apply(const std::vector<Mutation>& mutations);
  // What the next start loads, but with the values of refresh tokens.
  Snapshot snapshot() const;
  OpenedTokens open(const std::vector<TokenId>& tokens) const;
  // From now on the token's seal does not open.
  void damage(TokenId token) { damaged_.insert(token); }
  const Token* find_token(std::string_view value) const;
  const CallRow* find_call(CallId call) const;
  const MemberRecord* find_member(MemberId member) const;  // with its tokens
  std::size_t open_calls() const;
  std::int64_t scrubs() const { return store_.scrubs(); }

 private:
  MemoryStore store_;
  std::set<TokenId> damaged_;
};

}  // namespace rota::test

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "store/token_store.h"

namespace rota::testing {

inline WallTime at(std::int64_t milliseconds) { return WallTime{Duration{milliseconds}}; }

// An active member with one selector of its own.
MemberRecord make_member(std::int64_t id);
// A token whose times follow from its id.
Token make_token(std::int64_t id, std::string_view value, TokenKind kind = TokenKind::kAccess,
                 TokenStatus status = TokenStatus::kCurrent);
CallRow make_call(std::int64_t id, std::int64_t member = 1);

// All that the store has, with the values of refresh tokens, which load() leaves out.
Result<Snapshot> load_all(TokenStore& store);

// The rows of a snapshot as text, a line for each, with token values in clear. Tests compare these
// texts, so that a failure shows the row.
std::string describe(const Snapshot& snapshot);

using Batch = std::vector<Mutation>;

}  // namespace rota::testing

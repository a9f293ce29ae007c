#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/record.h"
#include "store/token_store.h"

namespace rota::testing {

inline WallTime at(std::int64_t milliseconds) { return WallTime{Duration{milliseconds}}; }

// A member with one selector of its own, active.
MemberRecord make_member(std::int64_t id);
// A token whose every field follows from its id.
Token make_token(std::int64_t id, std::string_view value, TokenKind kind = TokenKind::kAccess,
                 TokenStatus status = TokenStatus::kCurrent);
CallRow make_call(std::int64_t id, std::int64_t member = 1);

// All of a snapshot as text, a line for each row, token values in clear: equal texts are equal
// snapshots, and a test that fails shows the row.
std::string describe(const Snapshot& snapshot);

using Batch = std::vector<Mutation>;

}  // namespace rota::testing

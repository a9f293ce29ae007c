#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sandbox/ledger.h"

namespace rota::sandbox {

// The value of one key of a query string, with %XX decoded; none when the key is not there.
std::optional<std::string> query_value(std::string_view query, std::string_view key);

// Which tokens a ledger report shows; none means all.
struct LedgerFilter {
  std::optional<MemberId> member;
  std::optional<TokenKind> kind;
  std::optional<TokenState> state;
};

// Reads community_member_id, kind and state.
Result<LedgerFilter> parse_ledger_filter(std::string_view query);

}  // namespace rota::sandbox

#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "sandbox/circle.h"
#include "sandbox/control_query.h"

namespace rota::sandbox {

// The JSON of the control API's three reports; `now` is by Circle's clock.
//
//   {"now":TIME,"tokens":[TOKEN,...]}       oldest first
//   TOKEN: {"kind":"access|refresh","token":…,"community_member_id":…,"issued_at":TIME,
//           "expires_at":TIME,"state":"live|expired|revoked","delivered":true|false}
std::string ledger_report(const Ledger& ledger, const LedgerFilter& filter, WallTime now);

// TOKEN, or {"state":"unknown"}.
std::string token_report(const Ledger& ledger, std::string_view text, WallTime now);

std::string stats_report(Circle& circle, Now now);

}  // namespace rota::sandbox

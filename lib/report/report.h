#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/requests.h"
#include "store/token_store.h"

namespace rota {

// With status.h and member_view.h, all that the admin socket answers in JSON, but for a roster's
// plan: PlanWriter writes that. Pure; no token in any of it.

// {"entries":[…],"next":…}: what is unknown of an entry is null, and so is the next at the end.
std::string audit_json(const AuditPage& page);

// {"done":…,"state":…,"detail":…,"revocations":[{"kind","fingerprint","result","alive"}],"doubts":n}
std::string operation_json(const OperatorReport& report);

// Whom the budget would leave out under this roster: to be issued on demand, because so many others
// were used later. In the order of who would come in first.
std::vector<MemberKey> left_out_of(const Engine& engine, const Roster& roster);

}  // namespace rota

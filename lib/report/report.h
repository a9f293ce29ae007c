#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/requests.h"
#include "store/token_store.h"

namespace rota {

// With status.h and member_view.h, all that the admin socket answers in JSON, but for a roster's
// plan: PlanWriter writes that. Pure; no token in any of it.

// GET /v1/audit, {"entries":[…],"next":…,"last":…}. A part of an entry that is not known is null;
// `next` is null at the end.
std::string audit_json(const AuditPage& page);

// The end of an operation, {"done":…,"state":…,"detail":…,
// "revocations":[{"kind","fingerprint","result","alive"}],"doubts":n}.
std::string operation_json(const OperatorReport& report);

// The members of `roster` that the budget cannot keep fresh, so that their tokens would be issued
// on demand: the least recently used ones. Those that a larger budget would keep come first.
std::vector<MemberKey> left_out_of(const Engine& engine, const Roster& roster);

}  // namespace rota

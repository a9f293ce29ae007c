#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "engine/engine.h"
#include "report/health.h"

namespace rota {

// All that the admin socket answers in JSON but a roster's plan, which PlanWriter writes. Pure; no
// token in any of it.
std::string status_json(Engine& engine, Now now, std::string_view version,
                        const std::vector<UnreadyReason>& unready);

// Members in order of their keys, those after `after`, of one state or of all ("").
Result<std::string> members_json(const Engine& engine, Now now, std::string_view state,
                                 std::string_view after, std::size_t limit);
std::optional<std::string> member_json(const Engine& engine, Now now, std::string_view key);

// {"entries":[…],"next":…}: what is unknown of an entry is null, and so is the next at the end.
std::string audit_json(const AuditPage& page);

// {"done":…,"state":…,"detail":…,"revocations":[{"kind","fingerprint","result","alive"}],"doubts":n}
std::string operation_json(const OperatorReport& report);

// Whom the budget would leave out under this roster: to be issued on demand, because so many others
// were used later. In the order of who would come in first.
std::vector<MemberKey> left_out_of(const Engine& engine, const Roster& roster);

// One line for systemd's STATUS=: what is wrong, how many members are fresh, what comes next.
std::string status_line(Engine& engine, Now now);

}  // namespace rota

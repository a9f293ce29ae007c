#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/services.h"
#include "base/result.h"
#include "http/query.h"

namespace rota {

// What the admin routes read of a request. Every error is kInvalid and names the parameter that is
// unknown, given twice or malformed.

// Whom a request means: the name as written if it leads to somebody, otherwise the name with each
// "+" as a space if that does. If neither does, both, and the first one counts: the audit trail may
// know either.
struct Meant {
  std::vector<MemberKey> names;    // not empty
  std::optional<MemberId> member;  // on record under names[0]
};
Meant meant_by(const NamedMember& named, const AdminService& admin);

// GET /v1/members.
Result<MembersWanted> parse_members_query(std::string_view text, const AdminService& admin);

// GET /v1/audit.
Result<AuditRequest> parse_audit_query(std::string_view text, const AdminService& admin);

// POST /v1/roster/reload: the id of the plan that is approved, or "".
Result<std::string> parse_reload_query(std::string_view text);

// POST /v1/removals/lift: the client, as Enrolment::client.
Result<std::string> parse_lift_query(std::string_view text);

}  // namespace rota

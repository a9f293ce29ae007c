#pragma once

#include <cstddef>
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

// The names that a request may mean: the name as written if it leads to somebody, otherwise the
// name with each "+" as a space if that does. If neither does, both: the audit trail may know one.
std::vector<std::string> names_meant(const NamedMember& member, const AdminService& admin);

// GET /v1/members.
struct MembersQuery {
  std::optional<std::string> state;
  std::optional<NamedMember> after;
  std::optional<std::size_t> limit;
};
Result<MembersQuery> parse_members_query(std::string_view text);

// GET /v1/audit.
Result<AuditRequest> parse_audit_query(std::string_view text, const AdminService& admin);

// POST /v1/roster/reload: the id of the plan that is approved, or "".
Result<std::string> parse_reload_query(std::string_view text);

}  // namespace rota

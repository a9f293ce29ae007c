#include "store/audit_filter.h"

#include <algorithm>

#include "model/member_key.h"
#include "model/notable.h"

namespace rota {

bool wanted_by(const AuditQuery& query, std::string_view token, const AuditEntry& entry) {
  if (query.since && entry.last_at < *query.since) return false;
  if (query.notable && !is_notable(entry.event)) return false;
  if (!token.empty() && entry.token != token) return false;
  const auto& members = query.members;
  return members.empty() || std::ranges::any_of(members, [&entry](const std::string& member) {
           return same_key_text(member, entry.member);
         });
}

}  // namespace rota

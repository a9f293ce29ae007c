#pragma once

#include <optional>

#include "api/access.h"
#include "api/answer.h"
#include "base/time.h"
#include "http/query.h"
#include "table/table.h"

namespace rota {

// Why the member is served nothing, whatever tokens it had; null is a name that leads to nobody.
std::optional<ErrorCode> refusal_of(const Published* row);
bool has_live_token(const Published& row, WallTime circle_now);

// What a name leads to, and whether the peer may have it. If it may not, that takes as long for a
// name that leads to nobody (Table::look_up()).
struct Found {
  const Published* row = nullptr;
  bool granted = false;
};
Found look_up(const MemberKey& key, const PeerIdentity& peer, const AccessPolicy& policy,
              const Table& table);

// Decides which name counts, and makes it `member.key`: the one as it stands if it leads to
// somebody or is granted, otherwise the other if that does.
void settle_name(NamedMember& member, const PeerIdentity& peer, const AccessPolicy& policy,
                 const Table& table);

// Decides one GET /v1/token: the token at once when it has the life that was asked for and is not
// the refused one; a wait for another; or why there is nothing to have.
Answer decide_token(const TokenQuery& query, const PeerIdentity& peer, const AccessPolicy& policy,
                    const Table& table, WallTime circle_now);

// What is answered after a wait, or when a request's turn comes that decide_token() had a token
// for: whatever the table holds under that name by now, if it is alive and may still be given. By
// name, since a member may have become one with another meanwhile.
TokenOutcome settle_token(const Asked& asked, const WaitAnswer& wait, const PeerIdentity& peer,
                          const AccessPolicy& policy, const Table& table, WallTime circle_now);

// What is sent as Retry-After where the rotation named no time.
inline constexpr Duration kRetryAfterDefault = std::chrono::seconds{1};

}  // namespace rota

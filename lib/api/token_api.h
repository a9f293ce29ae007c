#pragma once

#include <optional>

#include "api/access.h"
#include "api/answer.h"
#include "base/time.h"
#include "http/query.h"
#include "table/table.h"

namespace rota {

// Why a member in this state is not served, whatever tokens it has; nullopt if it is active. Null:
// no member has the name.
std::optional<ErrorCode> refusal_of(const Published* row);
// Whether the row has a token that is alive at `circle_now` (TokenService::circle_now()).
bool has_live_token(const Published& row, WallTime circle_now);

// What a name leads to, and whether the peer may have it. A refusal takes as long for a name that
// leads to nobody as for any other (Table::look_up()).
struct Found {
  const Published* row = nullptr;
  bool granted = false;
};
Found look_up(const MemberKey& key, const PeerIdentity& peer, const AccessPolicy& policy,
              const Table& table, Right right = Right::kFetch);

// A query may be read in two ways: `member.key`, and `member.as_form` (lib/http/query.h). Leaves
// the right one in `member.key`. That is as_form only if the key leads to no member and, besides,
// as_form leads to one or is the only one of the two that is granted. `member.as_form` stays if
// both are granted and neither leads to a member: then Circle knows which one is meant.
void settle_name(NamedMember& member, const PeerIdentity& peer, const AccessPolicy& policy,
                 const Table& table, Right right = Right::kFetch);

// Decides one GET /v1/token. If the table's token has the life that the query asks for, and is not
// the refused one, that token. Otherwise a wait, if the query allows one. Otherwise the token that
// there is, if it is alive, not refused and the query is not strict; or an error. With `enrol`, a
// name that is no member becomes one, and the answer is a wait; 403 if the peer may not enrol.
Answer decide_token(const TokenQuery& query, const PeerIdentity& peer, const AccessPolicy& policy,
                    const Table& table, WallTime circle_now);
// The same for whom look_up() has found by the query's key just now.
Answer decide_token(const TokenQuery& query, const Found& found, const PeerIdentity& peer,
                    const AccessPolicy& policy, WallTime circle_now);

// The answer after a wait, or when the turn comes of a request for which decide_token() had a
// token: the token that the table has for that name now, if it is alive and the peer may still have
// it. It looks up the name, not the member, since two members may have become one meanwhile.
TokenOutcome settle_token(const Asked& asked, const WaitAnswer& wait, const PeerIdentity& peer,
                          const AccessPolicy& policy, const Table& table, WallTime circle_now);

// The 401 or 403 that stands for `error` at /v1/authorization, since nginx's auth_request knows no
// other. A 401 stays one, and otherwise it is `code`: kUnauthorized if the request names nobody, as
// if nobody were logged in. The message keeps the reason.
ErrorReply as_authorization(ErrorReply error, ErrorCode code = ErrorCode::kForbidden);

// How the end of an enrolment's wait is answered. `row` is whom its name leads to now; null:
// nobody.
TokenOutcome settle_enrolment(const Asked& asked, const WaitAnswer& wait, const Published* row);

// The Retry-After if the rotation gave no time.
inline constexpr Duration kRetryAfterDefault = std::chrono::seconds{1};

}  // namespace rota

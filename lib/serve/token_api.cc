#include "serve/token_api.h"

#include "base/check.h"
#include "model/expiry.h"
#include "plan/freshness.h"
#include "serve/limits.h"

namespace rota {
namespace {

ErrorReply unavailable(Duration retry_after) {
  ErrorReply reply = error_reply(ErrorCode::kTokenUnavailable);
  reply.retry_after = retry_after;
  return reply;
}

}  // namespace

std::optional<ErrorCode> refusal_of(const Published* row) {
  if (row == nullptr) return ErrorCode::kMemberUnknown;
  switch (row->state) {
    case MemberState::kActive:
      return std::nullopt;
    case MemberState::kRetiring:
    case MemberState::kRetired:
      return ErrorCode::kMemberRetired;
    case MemberState::kBlocked:
      return ErrorCode::kMemberBlocked;
    case MemberState::kUnknown:
      return ErrorCode::kMemberUnknown;
    case MemberState::kMismatched:
      return ErrorCode::kMemberMismatched;
  }
  ROTA_CHECK(false);
}

bool has_live_token(const Published& row, WallTime circle_now) {
  return row.body != nullptr && alive(row.expires_at, circle_now);
}

Answer decide_token(const TokenQuery& query, const PeerIdentity& peer, const AccessPolicy& policy,
                    const Table& table, WallTime circle_now) {
  const Published* row = table.find(query.key.text());
  if (!policy.may_read(peer, query.key, row)) return error_reply(ErrorCode::kForbidden);
  if (const auto refusal = refusal_of(row)) return error_reply(*refusal);

  const bool live = has_live_token(*row, circle_now);
  const bool refused = query.refused && row->body != nullptr && *query.refused == row->fingerprint;
  const Duration needed = effective_min_ttl(query.min_ttl, row->expires_at - row->issued_at);
  const bool long_enough = live && row->expires_at - circle_now >= needed;
  if (long_enough && !refused) return TokenReply{row, circle_now, query.key};
  if (query.wait > Duration::zero()) {
    return WaitReply{.request = {.member = row->member,
                                 .min_ttl = query.min_ttl,
                                 .strict = query.strict,
                                 .refused = query.refused,
                                 .wait = query.wait},
                     .asked = query.key};
  }
  if (live && !query.strict && !refused) return TokenReply{row, circle_now, query.key};
  return unavailable(kRetryAfterDefault);
}

TokenOutcome settle_token(const MemberKey& asked, const WaitAnswer& wait, const PeerIdentity& peer,
                          const AccessPolicy& policy, const Table& table, WallTime circle_now) {
  // The reply may have stood behind others since the wait ended: member, grants and token are
  // judged as they are now.
  const Published* row = table.find(asked.text());
  if (!policy.may_read(peer, asked, row)) return error_reply(ErrorCode::kForbidden);
  switch (wait.result) {
    case WaitResult::kServe:
      break;
    case WaitResult::kUnavailable:
      return unavailable(wait.retry_after);
    case WaitResult::kRetired:
      return error_reply(ErrorCode::kMemberRetired);
    case WaitResult::kBlocked:
      return error_reply(ErrorCode::kMemberBlocked);
    case WaitResult::kUnknown:
      return error_reply(ErrorCode::kMemberUnknown);
    case WaitResult::kMismatched:
      return error_reply(ErrorCode::kMemberMismatched);
  }
  if (const auto refusal = refusal_of(row)) return error_reply(*refusal);
  if (!has_live_token(*row, circle_now)) return unavailable(kRetryAfterDefault);
  return TokenReply{row, circle_now, asked};
}

}  // namespace rota

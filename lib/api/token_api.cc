#include "api/token_api.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "http/limits.h"
#include "model/expiry.h"
#include "plan/freshness.h"

namespace rota {
namespace {

ErrorReply unavailable(Duration retry_after) {
  ErrorReply reply = error_reply(ErrorCode::kTokenUnavailable);
  reply.retry_after = retry_after;
  return reply;
}

Duration lifetime_of(const Published& row) { return row.expires_at - row.issued_at; }

// Whether a strict request asks for more life than this member's tokens ever have. The last token,
// even a dead one, shows how long they live.
bool asks_too_much(const Asked& asked, const Published& row) {
  return asked.strict && asked.min_ttl && row.access_token != nullptr &&
         *asked.min_ttl > min_ttl_max(lifetime_of(row));
}

// To wait would not help, so the reply says what would. Circle may give longer tokens one day.
ErrorReply too_much(const Published& row) {
  constexpr Duration kRetryAfter = std::chrono::hours{1};
  ErrorReply reply = unavailable(kRetryAfter);
  const auto most = std::chrono::floor<std::chrono::seconds>(min_ttl_max(lifetime_of(row)));
  reply.message = fmt::format(
      "no new token lives as long as min_ttl asks for: with strict=true it can be at most {}s",
      most.count());
  return reply;
}

// Whether the row's token has as much life left as the request asks for.
bool long_enough(const Asked& asked, const Published& row, WallTime circle_now) {
  return row.expires_at - circle_now >=
         required_life(asked.min_ttl, asked.strict, lifetime_of(row));
}

// Whether an enrolment may change what its name leads to. Whether it does, the engine decides.
bool may_become_member(const Published* row) {
  if (row == nullptr) return true;
  switch (row->state) {
    case MemberState::kRetiring:
    case MemberState::kRetired:
    case MemberState::kUnknown:
      return true;
    case MemberState::kActive:
    case MemberState::kBlocked:
    case MemberState::kMismatched:
      return false;
  }
  ROTA_CHECK(false);
}

WaitReply enrol_and_wait(const TokenQuery& query, const Published* row, EnrolmentRight right,
                         AuditCaller caller) {
  EnrolRequest enrol{.key = query.member.key,
                     .name = {},
                     .client = std::move(right.holder),
                     .tags = std::move(right.tags),
                     .caller = std::move(caller)};
  return {.request = {.member = row == nullptr ? MemberId{} : row->member,
                      .min_ttl = query.min_ttl,
                      .strict = query.strict,
                      .refused = query.refused,
                      .wait = query.wait,
                      .enrol = std::make_shared<const EnrolRequest>(std::move(enrol))},
          .asked = {.key = query.member.key, .strict = query.strict, .min_ttl = query.min_ttl},
          .or_enrol = query.member.as_form};
}

ErrorReply limited(Duration retry_after) {
  ErrorReply reply = error_reply(ErrorCode::kEnrolmentLimited);
  reply.retry_after = retry_after;
  return reply;
}

std::string member_text(const MemberKey& key, const Published* row) {
  boost::json::object member{{"member", key.text()}};
  const bool identified = row != nullptr && row->community_member_id != 0;
  member["community_member_id"] =
      identified ? boost::json::value(row->community_member_id) : boost::json::value();
  member["state"] = std::string(name_of(row == nullptr ? MemberState::kActive : row->state));
  member["source"] = row != nullptr && row->named_by_roster ? "roster" : "enrolled";
  return boost::json::serialize(member);
}

// The error that the end of a wait stands for; none: the wait brought what it was for.
std::optional<ErrorReply> error_of(const WaitAnswer& wait) {
  switch (wait.result) {
    case WaitResult::kServe:
    case WaitResult::kEnrolled:
    case WaitResult::kWasEnrolled:
      return std::nullopt;
    case WaitResult::kPending:
    case WaitResult::kUnavailable:
      return unavailable(wait.retry_after);
    case WaitResult::kLimited:
      return limited(wait.retry_after);
    case WaitResult::kRetired:
      return error_reply(ErrorCode::kMemberRetired);
    case WaitResult::kBlocked:
      return error_reply(ErrorCode::kMemberBlocked);
    case WaitResult::kUnknown:
      return error_reply(ErrorCode::kMemberUnknown);
    case WaitResult::kMismatched:
      return error_reply(ErrorCode::kMemberMismatched);
  }
  ROTA_CHECK(false);
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
  return row.access_token != nullptr && alive(row.expires_at, circle_now);
}

Found look_up(const MemberKey& key, const PeerIdentity& peer, const AccessPolicy& policy,
              const Table& table, Right right) {
  if (policy.may_all(peer, right)) return {.row = table.find(key), .granted = true};
  const Table::Lookup found = table.look_up(key);
  return {.row = found.row, .granted = policy.judge(peer, right, key, found).granted};
}

void settle_name(NamedMember& member, const PeerIdentity& peer, const AccessPolicy& policy,
                 const Table& table, Right right) {
  if (!member.as_form) return;
  const Found literal = look_up(member.key, peer, policy, table, right);
  const Found as_form = look_up(*member.as_form, peer, policy, table, right);
  const bool other =
      literal.row == nullptr && (as_form.row != nullptr || (as_form.granted && !literal.granted));
  if (other) member.key = *std::move(member.as_form);
  const bool open = literal.row == nullptr && literal.granted && as_form.granted;
  if (other || !open) member.as_form.reset();
}

Answer decide_token(const TokenQuery& query, const PeerIdentity& peer, const AccessPolicy& policy,
                    const Table& table, WallTime circle_now) {
  return decide_token(query, look_up(query.member.key, peer, policy, table), peer, policy,
                      circle_now);
}

Answer decide_token(const TokenQuery& query, const Found& found, const PeerIdentity& peer,
                    const AccessPolicy& policy, WallTime circle_now) {
  const Published* const row = found.row;
  if (!found.granted) return error_reply(ErrorCode::kForbidden);
  if (query.enrol) {
    auto right = policy.enrolment_of(peer);
    if (!right) return error_reply(ErrorCode::kForbidden);
    if (may_become_member(row)) {
      return enrol_and_wait(query, row, *std::move(right), caller_of(peer));
    }
  }
  if (const auto refusal = refusal_of(row)) return error_reply(*refusal);

  Asked asked{.key = query.member.key, .strict = query.strict, .min_ttl = query.min_ttl};
  const bool live = has_live_token(*row, circle_now);
  const bool refused =
      query.refused && row->access_token != nullptr && *query.refused == row->fingerprint;
  if (live && !refused && long_enough(asked, *row, circle_now)) {
    return TokenReply{row, circle_now, std::move(asked)};
  }
  if (asks_too_much(asked, *row)) return too_much(*row);
  if (query.wait > Duration::zero()) {
    return WaitReply{.request = {.member = row->member,
                                 .min_ttl = query.min_ttl,
                                 .strict = query.strict,
                                 .refused = query.refused,
                                 .wait = query.wait},
                     .asked = std::move(asked)};
  }
  if (live && !query.strict && !refused) return TokenReply{row, circle_now, std::move(asked)};
  return unavailable(kRetryAfterDefault);
}

TokenOutcome settle_token(const Asked& asked, const WaitAnswer& wait, const PeerIdentity& peer,
                          const AccessPolicy& policy, const Table& table, WallTime circle_now) {
  // The reply may have waited for others since the wait ended, so member, grants and token are
  // judged as they are now.
  const auto [row, granted] = look_up(asked.key, peer, policy, table);
  if (!granted) return error_reply(ErrorCode::kForbidden);
  // A new member's first token may have shown meanwhile how long its tokens live.
  if (wait.result == WaitResult::kUnavailable && row != nullptr && asks_too_much(asked, *row)) {
    return too_much(*row);
  }
  if (auto error = error_of(wait)) return *std::move(error);
  if (const auto refusal = refusal_of(row)) return error_reply(*refusal);
  if (!has_live_token(*row, circle_now)) return unavailable(kRetryAfterDefault);
  if (asked.strict && !long_enough(asked, *row, circle_now)) {
    return asks_too_much(asked, *row) ? too_much(*row) : unavailable(kRetryAfterDefault);
  }
  return TokenReply{row, circle_now, asked};
}

TokenOutcome settle_enrolment(const Asked& asked, const WaitAnswer& wait, const Published* row) {
  const auto member = [&](JsonStatus status) {
    return JsonReply{.body = member_text(asked.key, row), .status = status};
  };
  if (wait.result == WaitResult::kPending) return member(JsonStatus::kAccepted);
  if (auto error = error_of(wait)) return *std::move(error);
  // The name may have lost its member since the wait ended.
  if (const auto refusal = refusal_of(row)) return error_reply(*refusal);
  if (row->community_member_id == 0) return member(JsonStatus::kAccepted);
  return member(wait.result == WaitResult::kEnrolled ? JsonStatus::kCreated : JsonStatus::kOk);
}

ErrorReply as_authorization(ErrorReply error, ErrorCode code) {
  if (error.code == ErrorCode::kUnauthorized) return error;
  const ErrorRow row = row_of(error.code);
  ErrorReply reply = error_reply(
      code, fmt::format("{}: {}", row.code,
                        error.message.empty() ? row.message : std::string_view(error.message)));
  reply.retry_after = error.retry_after;
  return reply;
}

}  // namespace rota

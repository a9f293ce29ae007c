#include "api/circle_routes.h"

#include <memory>
#include <string>
#include <utility>

#include "api/circle_body.h"
#include "api/circle_errors.h"
#include "api/circle_logins.h"
#include "api/token_api.h"
#include "api/token_routes.h"
#include "base/check.h"
#include "base/fingerprint.h"
#include "circle/token_claims.h"
#include "engine/requests.h"

namespace rota {
namespace {

// A client that may not have been refused its token waits no longer than this.
constexpr Duration kDoubtWait = std::chrono::seconds{3};
constexpr Duration kRetryAfter = std::chrono::seconds{5};

ErrorReply retry_later(ErrorCode code, std::string message = {}) {
  ErrorReply reply = error_reply(code, std::move(message));
  reply.retry_after = kRetryAfter;
  return reply;
}

ErrorReply not_eligible() {
  return circle_error(ErrorCode::kCommunityNotEligible, kCircleNotEligible);
}

ErrorReply in_circles_words(ErrorReply error, const CircleError& not_found,
                            const TokenService& tokens) {
  if (error.code == ErrorCode::kTokenUnavailable && tokens.community_is_refused()) {
    return not_eligible();
  }
  const bool gone = error.code == ErrorCode::kMemberUnknown ||
                    error.code == ErrorCode::kMemberRetired ||
                    error.code == ErrorCode::kMemberBlocked;
  if (gone) error.circle = &not_found;
  if (row_of(error.code).status == 503 && !error.retry_after) error.retry_after = kRetryAfter;
  return error;
}

const CircleError& not_found_of(TokenShape shape) {
  switch (shape) {
    case TokenShape::kToken:
    case TokenShape::kAuthorization:
    case TokenShape::kMember:
    case TokenShape::kPair:
      return kCircleMemberNotFound;
    case TokenShape::kRefreshed:
      return kCircleRefreshTokenNotFound;
  }
  ROTA_CHECK(false);
}

// Decides a fetch as GET /v1/token does, and says how its reply looks.
Answer decide(const TokenQuery& query, const Found& found, const Asking& asking,
              const TokenServices& services, TokenShape shape, std::string holder) {
  TokenService& tokens = services.tokens;
  Answer answer = decide_token(query, found, asking.peer, services.policy, tokens.circle_now());
  note_use(query, answer, tokens);
  const auto dress = [&](Asked& asked) {
    asked.shape = shape;
    asked.holder = std::move(holder);
    asked.refusal_is_guess = query.refused.has_value();
  };
  if (auto* token = std::get_if<TokenReply>(&answer)) dress(token->asked);
  if (auto* wait = std::get_if<WaitReply>(&answer)) dress(wait->asked);
  if (auto* error = std::get_if<ErrorReply>(&answer)) {
    return in_circles_words(std::move(*error), not_found_of(shape), tokens);
  }
  return answer;
}

// The member whose handle this is, if the peer is its holder; or the error.
using HandleFound = std::variant<CircleLogins::Good, ErrorReply>;
HandleFound find_handle(const Asking& asking, const TokenServices& services,
                        const CircleError& wrong_type) {
  TokenRead read = read_token(asking.body, "refresh_token");
  if (std::holds_alternative<Missing>(read)) {
    return circle_error(ErrorCode::kBadRequest, kCircleRefreshTokenMissing);
  }
  if (std::holds_alternative<WrongType>(read)) {
    return circle_error(ErrorCode::kBadRequest, wrong_type);
  }
  const TokenService& tokens = services.tokens;
  const auto* text = std::get_if<Secret>(&read);
  CircleLogins::Judged judged = CircleLogins::NotFound{};
  if (text != nullptr) {
    judged = services.logins->judge(text->reveal(), tokens.table(), tokens.circle_now());
  }
  if (std::holds_alternative<CircleLogins::Expired>(judged)) {
    ++services.logins->counts().dead_handles;
    return circle_error(ErrorCode::kTokenExpired, kCircleRefreshTokenExpired);
  }
  auto* good = std::get_if<CircleLogins::Good>(&judged);
  if (good == nullptr || services.policy.holder_of(asking.peer) != good->handle.holder) {
    ++services.logins->counts().dead_handles;
    return circle_error(ErrorCode::kTokenUnknown, kCircleRefreshTokenNotFound);
  }
  return std::move(*good);
}

MemberKey key_of(const Handle& handle) {
  return *MemberKey::from_id(handle.community_member_id);  // judge() has read it
}

PlainReply reply_to_revocation(const Result<OperatorReport>& report) {
  if (!report) return retry_later(ErrorCode::kUnavailable, report.error().message);
  if (report->end == OperationEnd::kTokenRevoked) return EmptyReply{};
  if (report->end == OperationEnd::kNoSuchToken) {
    return circle_error(ErrorCode::kTokenUnknown, kCircleAccessTokenNotFound);
  }
  if (report->end == OperationEnd::kNotEligible) return not_eligible();
  return retry_later(ErrorCode::kUnavailable, describe(*report));
}

ErrorReply no_logins() { return retry_later(ErrorCode::kUnavailable); }

}  // namespace

Answer answer_auth_token(const Asking& asking, const TokenServices& services) {
  if (services.logins == nullptr) return no_logins();
  SelectorRead read = read_selector(asking.body);
  if (std::holds_alternative<Malformed>(read)) {
    return error_reply(ErrorCode::kBadRequest,
                       "the body must be a JSON object with exactly one of sso_user_id, "
                       "community_member_id and email");
  }
  auto* member = std::get_if<NamedMember>(&read);
  if (member == nullptr) return circle_error(ErrorCode::kMemberUnknown, kCircleMemberNotFound);

  const Table& table = services.tokens.table();
  settle_name(*member, asking.peer, services.policy, table);
  TokenQuery query;
  query.member = std::move(*member);
  query.wait = kWaitDefault;
  const Found found = look_up(query.member.key, asking.peer, services.policy, table);
  std::string holder = services.policy.holder_of(asking.peer);
  const bool live = found.granted && found.row != nullptr &&
                    has_live_token(*found.row, services.tokens.circle_now());
  if (live && !services.tokens.budget_is_short() && services.logins->doubts(holder, *found.row)) {
    query.refused = found.row->fingerprint;
    query.wait = kDoubtWait;
  }
  if (!live) query.enrol = services.policy.enrolment_of(asking.peer).has_value();
  return decide(query, found, asking, services, TokenShape::kPair, std::move(holder));
}

Answer answer_refresh(const Asking& asking, const TokenServices& services) {
  if (services.logins == nullptr) return no_logins();
  auto found = find_handle(asking, services, kCircleRefreshTokenNotFound);
  if (auto* error = std::get_if<ErrorReply>(&found)) return std::move(*error);
  auto& [handle, row] = std::get<CircleLogins::Good>(found);
  TokenQuery query;
  query.member.key = key_of(handle);
  query.wait = kWaitDefault;
  if (has_live_token(*row, services.tokens.circle_now()) &&
      services.logins->refuses(handle.holder, *row)) {
    query.refused = row->fingerprint;
  }
  const Found granted =
      look_up(query.member.key, asking.peer, services.policy, services.tokens.table());
  return decide(query, granted, asking, services, TokenShape::kRefreshed, std::move(handle.holder));
}

Answer start_handle_revocation(const Asking& asking, const TokenServices& services) {
  if (services.logins == nullptr) return no_logins();
  auto found = find_handle(asking, services, kCircleRefreshTokenInvalid);
  if (auto* error = std::get_if<ErrorReply>(&found)) return std::move(*error);
  auto& [handle, row] = std::get<CircleLogins::Good>(found);
  services.tokens.note_asked({.event = AuditEvent::kHandleRevokeAsked,
                              .member = row->member,
                              .called = key_of(handle).text(),
                              .detail = handle.holder,
                              .caller = caller_of(asking.peer)});
  return LaterReply{[&tokens = services.tokens, member = row->member,
                     holder = std::move(handle.holder)](auto done) mutable {
    tokens.raise_handle(member, std::move(holder),
                        [done = std::move(done)](const Result<void>& raised) mutable {
                          if (raised) return done(EmptyReply{});
                          done(retry_later(ErrorCode::kUnavailable, raised.error().message));
                        });
  }};
}

Answer start_access_revocation(const Asking& asking, const TokenServices& services) {
  TokenRead read = read_token(asking.body, "access_token");
  if (std::holds_alternative<Missing>(read) || std::holds_alternative<WrongType>(read)) {
    return circle_error(ErrorCode::kBadRequest, kCircleAccessTokenMissing);
  }
  const auto* text = std::get_if<Secret>(&read);
  const auto member = text == nullptr ? std::nullopt : member_in_token(text->reveal());
  if (!member) return circle_error(ErrorCode::kTokenUnknown, kCircleAccessTokenInvalid);
  ErrorReply not_found = circle_error(ErrorCode::kTokenUnknown, kCircleAccessTokenNotFound);
  const auto [row, granted] =
      look_up(*member, asking.peer, services.policy, services.tokens.table());
  // Whether it is on record, and alive, only the engine knows.
  if (!granted || row == nullptr || refusal_of(row)) return not_found;
  if (!services.policy.may(asking.peer, Right::kSignOut, *member, row)) {
    return error_reply(ErrorCode::kForbidden);
  }
  services.tokens.note_asked({.event = AuditEvent::kTokenRevokeAsked,
                              .member = row->member,
                              .called = member->text(),
                              .caller = caller_of(asking.peer)});
  return LaterReply{[&tokens = services.tokens, id = row->member, called = member->text(),
                     fingerprint = fingerprint_of(text->reveal())](auto done) mutable {
    tokens.operate({.member = id,
                    .action = OperatorAction::kRevokeToken,
                    .called = std::move(called),
                    .token = fingerprint},
                   [done = std::move(done)](const Result<OperatorReport>& report) mutable {
                     done(reply_to_revocation(report));
                   });
  }};
}

TokenOutcome settle_in_circles_words(const Asked& asked, TokenOutcome outcome,
                                     const TokenServices& services) {
  auto* error = std::get_if<ErrorReply>(&outcome);
  if (error == nullptr) return outcome;
  if (asked.refusal_is_guess && error->code == ErrorCode::kTokenUnavailable) {
    const WallTime now = services.tokens.circle_now();
    const Published* row = services.tokens.table().find(asked.key);
    if (row != nullptr && !refusal_of(row) && has_live_token(*row, now)) {
      return TokenReply{row, now, asked};
    }
  }
  return in_circles_words(std::move(*error), not_found_of(asked.shape), services.tokens);
}

}  // namespace rota

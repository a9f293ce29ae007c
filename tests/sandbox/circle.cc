#include "sandbox/circle.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "sandbox/fault_reply.h"
#include "sandbox/wire.h"

namespace rota::sandbox {
namespace {

int status_of(const Reply& reply) {
  const bool silent = reply.delivery == Delivery::kHang || reply.delivery == Delivery::kDrop;
  return silent ? Stats::kNoStatus : reply.status;
}

// The same status in Circle's shape, and a message that no description knows.
Reply in_other_words(const Reply& reply) {
  if (reply.content_type != kJsonType) return reply;
  Reply other = error_reply(reply.status, "Sorry, that did not work out.");
  other.headers = reply.headers;
  other.delivery = reply.delivery;
  return other;
}

}  // namespace

Circle::Circle(CircleOptions options)
    : options_(std::move(options)),
      faults_(options_.fault_seed),
      mint_(options_.token_seed),
      window_(options_.rate_window) {}

Exchange Circle::begin(const Request& request, Now now) {
  Exchange exchange;
  const bool admitted = window_.admit(now.boot, options_.rate_limit);
  const auto endpoint = route(request.method, request.target);
  const auto bearer = check_bearer(request.authorization, options_.app_token, options_.admin_token);
  std::expected<Subject, Refusal> subject = std::unexpected(Refusal{});
  // Breaches are noted even where a fault or a 429 will hide them from the caller.
  if (!endpoint) {
    breach(request.method, request.target, endpoint.error().reason);
  } else {
    exchange.endpoint = *endpoint;
    subject = read_body(*endpoint, request);
    if (!bearer) breach(request.method, request.target, bearer.error().reason);
    if (!subject) breach(request.method, request.target, subject.error().reason);
    if (subject) identify(*subject, exchange);
  }
  stats_.enter(exchange.member);
  if (admitted) exchange.fault = faults_.draw(exchange.endpoint);

  if (!admitted) {
    stats_.count_throttled();
    exchange.reply = throttled_reply(window_.wait(now.boot, options_.rate_limit), now);
  } else if (exchange.fault == FaultKind::kThrottle) {
    exchange.reply = throttled_reply(kFaultThrottle, now);
  } else if (exchange.fault && happens_in_place(*exchange.fault)) {
    exchange.reply = reply_in_place(*exchange.fault, exchange.endpoint, clock(now));
  } else if (!endpoint) {
    exchange.reply = endpoint.error().reply;
  } else if (!bearer) {
    exchange.reply = bearer.error().reply;
  } else if (!options_.eligible) {
    exchange.reply = error_reply(403, message::kNotEligible);
  } else if (!subject) {
    exchange.reply = subject.error().reply;
  } else {
    exchange.reply = carry_out(*subject, clock(now), exchange);
  }
  if (options_.messages == Messages::kOther && exchange.reply.status >= 400) {
    exchange.reply = in_other_words(exchange.reply);
  }
  if (exchange.fault && !happens_in_place(*exchange.fault)) {
    exchange.complete = spoil(*exchange.fault, exchange.reply);
  }
  if (exchange.fault) stats_.count_fault(*exchange.fault);
  stats_.count_call(exchange.endpoint, status_of(exchange.reply));
  return exchange;
}

void Circle::end(const Exchange& exchange, bool written) {
  stats_.leave(exchange.member);
  if (!written || !exchange.complete) return;
  for (const TokenId id : exchange.tokens) ledger_.mark_delivered(id);
}

void Circle::identify(const Subject& subject, Exchange& exchange) const {
  if (const auto* by = std::get_if<ByToken>(&subject)) {
    const TokenKind wanted =
        exchange.endpoint == Endpoint::kRevokeAccess ? TokenKind::kAccess : TokenKind::kRefresh;
    const auto id = ledger_.find(by->value);
    if (!id || ledger_.at(*id).kind != wanted) return;
    exchange.presented = id;
    exchange.member = ledger_.at(*id).member;
  } else if (const Member* member = members_.find(subject, options_.email_case)) {
    exchange.member = member->id;
  }
}

Reply Circle::carry_out(const Subject& subject, WallTime now, Exchange& exchange) {
  switch (exchange.endpoint) {
    case Endpoint::kIssue:
      return issue(subject, now, exchange);
    case Endpoint::kRefresh:
      return refresh(now, exchange);
    case Endpoint::kRevokeRefresh:
      return revoke_refresh(now, exchange);
    case Endpoint::kRevokeAccess:
      return revoke_access(now, exchange);
    case Endpoint::kOther:
      break;
  }
  return error_reply(404, message::kNoRoute);
}

Reply Circle::issue(const Subject& subject, WallTime now, Exchange& exchange) {
  const Member* member = members_.find(subject, options_.email_case);
  if (member == nullptr) return error_reply(404, message::kMemberNotFound);
  std::optional<TokenId> kept;
  if (options_.issue_mode == IssueMode::kSame) kept = ledger_.live_refresh(member->id, now);
  const TokenId refresh_id = kept ? *kept : new_refresh_token(*member, now);
  const TokenId access_id = new_access_token(*member, now);
  exchange.tokens = {access_id, refresh_id};
  return json_reply(
      200, fmt::format(
               R"({{"access_token":"{}","refresh_token":"{}","access_token_expires_at":"{}",)"
               R"("refresh_token_expires_at":"{}","community_member_id":{},"community_id":{}}})",
               ledger_.at(access_id).text, ledger_.at(refresh_id).text, end_of(access_id, exchange),
               end_of(refresh_id, exchange), member->id, options_.community_id));
}

Reply Circle::refresh(WallTime now, Exchange& exchange) {
  if (!exchange.presented) return error_reply(404, message::kRefreshTokenNotFound);
  const Token& token = ledger_.at(*exchange.presented);
  const Member* member = members_.find(token.member);
  if (token.revoked || member == nullptr) return error_reply(404, message::kRefreshTokenNotFound);
  if (token.state(now) == TokenState::kExpired) {
    return error_reply(401, message::kRefreshTokenExpired);
  }
  std::optional<TokenId> access_id;
  if (options_.refresh_mode == RefreshMode::kSticky) {
    access_id = ledger_.newest_access(member->id);
    if (access_id && ledger_.at(*access_id).state(now) != TokenState::kLive) access_id.reset();
  }
  if (!access_id) access_id = new_access_token(*member, now);
  exchange.tokens = {*access_id};
  if (options_.refresh_rotation == RefreshRotation::kOn) {
    const TokenId refresh_id = new_refresh_token(*member, now);
    exchange.tokens.push_back(refresh_id);
    return json_reply(200, fmt::format(R"({{"access_token":"{}","access_token_expires_at":"{}",)"
                                       R"("refresh_token":"{}","refresh_token_expires_at":"{}"}})",
                                       ledger_.at(*access_id).text, end_of(*access_id, exchange),
                                       ledger_.at(refresh_id).text, end_of(refresh_id, exchange)));
  }
  return json_reply(200, fmt::format(R"({{"access_token":"{}","access_token_expires_at":"{}"}})",
                                     ledger_.at(*access_id).text, end_of(*access_id, exchange)));
}

Reply Circle::revoke_refresh(WallTime now, const Exchange& exchange) {
  if (!exchange.presented) return error_reply(404, message::kRefreshTokenNotFound);
  const Token& token = ledger_.at(*exchange.presented);
  if (token.revoked) return error_reply(404, message::kRefreshTokenNotFound);
  if (token.state(now) == TokenState::kExpired) {
    return error_reply(401, message::kRefreshTokenExpired);
  }
  ledger_.revoke(*exchange.presented);
  return no_content();
}

Reply Circle::revoke_access(WallTime now, const Exchange& exchange) {
  // A JWT is decoded before anything is looked up, so its end comes before all else.
  if (!exchange.presented) return error_reply(422, message::kAccessTokenInvalid);
  const Token& token = ledger_.at(*exchange.presented);
  if (now >= token.expires_at) return error_reply(422, message::kAccessTokenExpired);
  if (token.community != options_.community_id) {
    return error_reply(422, message::kTokenCommunityNotFound);
  }
  if (members_.find(token.member) == nullptr) {
    switch (options_.removed_mode) {
      case RemovedMode::k422:
        return error_reply(422, message::kTokenMemberNotFound);
      case RemovedMode::k401:
        return error_reply(401, message::kTokenMemberNotFound);
      case RemovedMode::kNotFound:
        return error_reply(422, message::kAccessTokenNotFound);
    }
  }
  if (token.revoked) return error_reply(422, message::kAccessTokenNotFound);
  ledger_.revoke(*exchange.presented);
  return no_content();
}

TokenId Circle::new_access_token(const Member& member, WallTime now) {
  const WallTime end = now + options_.access_ttl;
  return ledger_.add(
      {.kind = TokenKind::kAccess,
       .text = mint_.access_token({options_.community_id, member.id, member.sso_user_id, end}),
       .member = member.id,
       .community = options_.community_id,
       .issued_at = now,
       .expires_at = end});
}

// Its end has whole seconds, as Circle's has.
TokenId Circle::new_refresh_token(const Member& member, WallTime now) {
  return ledger_.add(
      {.kind = TokenKind::kRefresh,
       .text = mint_.refresh_token(),
       .member = member.id,
       .community = options_.community_id,
       .issued_at = now,
       .expires_at = std::chrono::floor<std::chrono::seconds>(now + options_.refresh_ttl)});
}

bool Circle::erase_member(MemberId id) {
  ledger_.revoke_refresh_tokens(id);
  return members_.erase(id);
}

std::string Circle::end_of(TokenId id, const Exchange& exchange) const {
  std::string text = format_iso8601(ledger_.at(id).expires_at + options_.expiry_skew);
  if (exchange.fault == FaultKind::kNoMillis) text.replace(text.size() - 5, 5, "Z");
  return text;
}

Reply Circle::throttled_reply(Duration wait, Now now) const {
  Reply reply = error_reply(429, message::kThrottled);
  // Whole seconds, and never sooner than a call would pass.
  const auto whole =
      std::max(std::chrono::seconds{1}, std::chrono::ceil<std::chrono::seconds>(wait));
  switch (options_.retry_after) {
    case RetryAfter::kNone:
      break;
    case RetryAfter::kSeconds:
      reply.headers.emplace_back("Retry-After", fmt::format("{}", whole.count()));
      break;
    case RetryAfter::kDate: {
      const auto at = std::chrono::ceil<std::chrono::seconds>(clock(now) + whole);
      reply.headers.emplace_back("Retry-After", format_http_date(at));
      break;
    }
  }
  return reply;
}

}  // namespace rota::sandbox

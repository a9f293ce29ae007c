#include "circle/classify.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "circle/error_words.h"
#include "circle/excerpt.h"
#include "circle/reply_fields.h"
#include "circle/retry_after.h"

namespace rota {
namespace {

// All that the decision about one reply depends on.
struct Subject {
  CallKind kind;
  const HttpReply& reply;
  std::optional<ReplyFields> fields;
  std::optional<ErrorWords> words;
  const SentSecrets& sent;
};

// A content type in words of our own: the header may hold any text.
std::string_view type_of(const HttpReply& reply) {
  for (const std::string_view known : {"text/html", "text/plain", "application/json"}) {
    if (reply.content_type.starts_with(known)) return known;
  }
  return reply.content_type.empty() ? "no type" : "another type";
}

// "404 to refresh: Refresh token not found.", or what the reply had instead of such words.
std::string describe(const Subject& s) {
  std::string text = fmt::format("{} to {}", s.reply.status, name_of(s.kind));
  if (s.words) {
    text += ": " + safe_excerpt(*s.fields->message, s.sent);
  } else if (s.fields) {
    text += " with JSON that Circle does not document";
  } else if (s.reply.body.empty()) {
    text += " without a body";
  } else {
    text += fmt::format(" with {} bytes that are not a JSON object ({})", s.reply.body.size(),
                        type_of(s.reply));
  }
  return text;
}

bool is_about_one(const Subject& s) { return s.words && about_one(*s.words, s.reply.status); }

Outcome transient(const Subject& s, TransientReason reason) {
  return Transient{.reason = reason, .why = describe(s), .about_one = is_about_one(s)};
}
Outcome unclear(const Subject& s) { return transient(s, TransientReason::kUnclearReply); }
Outcome server_error(const Subject& s) { return transient(s, TransientReason::kServerError); }

bool is_revocation(CallKind kind) {
  return kind == CallKind::kRevokeRefresh || kind == CallKind::kRevokeAccess;
}

bool is_html(const HttpReply& reply) {
  return reply.content_type.starts_with("text/html") || trim(reply.body.reveal()).starts_with('<');
}

Outcome issued(const Subject& s) {
  if (!s.fields) return unclear(s);
  const ReplyFields& f = *s.fields;
  if (!f.access_token || !f.refresh_token || !f.access_token_expires_at ||
      !f.refresh_token_expires_at || !f.community_member_id || !f.community_id) {
    return unclear(s);
  }
  return Issued{TokenPair{.access = {f.access_token, *f.access_token_expires_at},
                          .refresh = f.refresh_token,
                          .refresh_expires_at = *f.refresh_token_expires_at,
                          .community_member_id = *f.community_member_id,
                          .community_id = *f.community_id}};
}

Outcome refreshed(const Subject& s) {
  if (!s.fields || !s.fields->access_token || !s.fields->access_token_expires_at) return unclear(s);
  Refreshed refreshed{AccessToken{s.fields->access_token, *s.fields->access_token_expires_at}};
  if (s.fields->refresh_token) {
    refreshed.refresh =
        NewRefreshToken{s.fields->refresh_token, s.fields->refresh_token_expires_at};
  }
  return refreshed;
}

// 200 or 201. A server may well say "created": a whole token pair is just as clear then, and a pair
// that we threw away would live on unseen.
Outcome on_success(const Subject& s) {
  switch (s.kind) {
    case CallKind::kIssue:
      return issued(s);
    case CallKind::kRefresh:
      return refreshed(s);
    case CallKind::kRevokeRefresh:
    case CallKind::kRevokeAccess:
      return unclear(s);
  }
  ROTA_CHECK(false);
}

bool says_member_gone(const Subject& s) {
  return is_revocation(s.kind) && s.words == ErrorWords::kAccessTokenMemberNotFound;
}

Outcome on_401(const Subject& s) {
  if (s.words == ErrorWords::kAccountNotAuthenticated) return AppTokenRefused{};
  if (says_member_gone(s)) return MemberGone{};
  const bool expired = s.words == ErrorWords::kRefreshTokenExpired;
  switch (s.kind) {
    case CallKind::kIssue:
      if (is_html(s.reply) || is_about_one(s)) return unclear(s);
      return AppTokenRefused{};
    case CallKind::kRefresh:
      if (expired) return RefreshTokenDead{};
      return transient(s, TransientReason::kUnclear401);
    case CallKind::kRevokeRefresh:
      if (expired) return AlreadyDead{};
      return unclear(s);
    case CallKind::kRevokeAccess:
      return unclear(s);
  }
  ROTA_CHECK(false);
}

Outcome on_403(const Subject& s) {
  if (s.words && s.fields->success == false && !is_about_one(s)) return NotEligible{};
  return unclear(s);
}

Outcome on_404(const Subject& s) {
  if (s.words == ErrorWords::kMissingParameter || s.words == ErrorWords::kRefreshTokenInvalid) {
    return server_error(s);
  }
  const bool no_refresh_token = s.words == ErrorWords::kRefreshTokenNotFound;
  switch (s.kind) {
    case CallKind::kIssue:
      if (s.words == ErrorWords::kMemberNotFound) return MemberUnknown{};
      return unclear(s);
    case CallKind::kRefresh:
      if (no_refresh_token) return RefreshTokenDead{};
      return unclear(s);
    case CallKind::kRevokeRefresh:
      if (no_refresh_token) return AlreadyDead{};
      return unclear(s);
    case CallKind::kRevokeAccess:
      return unclear(s);
  }
  ROTA_CHECK(false);
}

Outcome on_422(const Subject& s) {
  if (!s.words) return unclear(s);
  if (says_member_gone(s)) return MemberGone{};
  if (s.kind == CallKind::kRevokeAccess &&
      (s.words == ErrorWords::kAccessTokenInvalid || s.words == ErrorWords::kAccessTokenExpired ||
       s.words == ErrorWords::kAccessTokenNotFound)) {
    return AlreadyDead{};
  }
  return server_error(s);
}

Outcome on_429(const Subject& s, WallTime now) {
  if (!s.reply.retry_after) return Throttled{};
  return Throttled{parse_retry_after(*s.reply.retry_after, now)};
}

Outcome outcome_of(const Subject& s, WallTime now) {
  const int status = s.reply.status;
  switch (status) {
    case 200:
    case 201:
      return on_success(s);
    case 204:
      if (is_revocation(s.kind)) return Revoked{};
      return unclear(s);
    case 401:
      return on_401(s);
    case 403:
      return on_403(s);
    case 404:
      return on_404(s);
    case 422:
      return on_422(s);
    case 429:
      return on_429(s, now);
    default:  // plain
      if (status >= 500 && s.words) return server_error(s);
      return unclear(s);
  }
}

// A server that is overloaded or under maintenance may say when to come back (RFC 9110, 15.6.4).
void note_retry_after(const HttpReply& reply, WallTime now, Outcome& outcome) {
  auto* failure = std::get_if<Transient>(&outcome);
  if (failure == nullptr || reply.status < 500 || !reply.retry_after) return;
  failure->after = parse_retry_after(*reply.retry_after, now);
  if (failure->after) failure->after = std::min(*failure->after, kServerRetryAfterMax);
}

}  // namespace

Reply classify(CallKind kind, const HttpReply& reply, WallTime wall_now, const SentSecrets& sent) {
  Subject subject{kind, reply, read_reply_fields(reply.body.reveal()), std::nullopt, sent};
  subject.words = error_words_of(subject.fields);
  Reply result;
  if (reply.date) result.server_date = parse_http_date(trim(*reply.date));
  const WallTime now = result.server_date.value_or(wall_now);
  result.outcome = outcome_of(subject, now);
  note_retry_after(reply, now, result.outcome);
  if (auto* failure = std::get_if<Transient>(&result.outcome)) {
    failure->symptom = {.kind = Symptom::Kind::kStatus, .status = reply.status};
  }
  return result;
}

}  // namespace rota

#include "sandbox/fault_reply.h"

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "base/check.h"

namespace rota::sandbox {
namespace {

// Well-formed but for the token. No token is made for it: a client that saw half a pair could
// not be blamed for losing the rest.
Reply without_token(Endpoint endpoint, WallTime now) {
  const std::string end = format_iso8601(now + std::chrono::hours{1});
  switch (endpoint) {
    case Endpoint::kIssue:
    case Endpoint::kRefresh:
      return json_reply(200, fmt::format(R"({{"access_token_expires_at":"{}"}})", end));
    case Endpoint::kRevokeRefresh:
    case Endpoint::kRevokeAccess:
    case Endpoint::kOther:
      break;
  }
  return json_reply(200, "{}");
}

Reply unprocessable(Endpoint endpoint) {
  switch (endpoint) {
    case Endpoint::kIssue:
      return error_reply(422, message::kIssueFailed, "Record invalid");
    case Endpoint::kRefresh:
      return error_reply(422, message::kRefreshFailed, "JWT::EncodeError");
    case Endpoint::kRevokeRefresh:
      return error_reply(422, message::kRevokeRefreshFailed, "ActiveRecord::RecordNotDestroyed");
    case Endpoint::kRevokeAccess:
    case Endpoint::kOther:
      break;
  }
  // Circle's 422 on this endpoint all say that the token is dead, and it is not.
  return error_reply(422, "Failed to revoke the access token.");
}

Reply without_bytes(Delivery delivery) {
  Reply reply;
  reply.delivery = delivery;
  return reply;
}

Reply huge() {
  Reply reply;
  reply.body = R"({"access_token":")";
  reply.delivery = Delivery::kHuge;
  return reply;
}

Reply redirect() {
  Reply reply = html_reply(302, "302 Found");
  reply.headers.emplace_back("Location", "/api/v1/headless/moved");
  return reply;
}

Reply unavailable() {
  Reply reply = html_reply(503, "503 Service Unavailable");
  reply.headers.emplace_back("Retry-After", fmt::format("{}", kFaultUnavailable.count()));
  return reply;
}

void truncate(Reply& reply) {
  if (reply.status == 204) reply = json_reply(200, R"({"success":true})");
  reply.body.resize(reply.body.size() / 2);
}

}  // namespace

bool happens_in_place(FaultKind kind) {
  switch (kind) {
    case FaultKind::kHtml502:
    case FaultKind::kJson500:
    case FaultKind::kHtml404:
    case FaultKind::kNoToken:
    case FaultKind::kStatusUnauthorized:
    case FaultKind::kThrottle:
    case FaultKind::kUnavailable:
    case FaultKind::kUnauthorized:
    case FaultKind::kUnauthorizedOther:
    case FaultKind::kForbidden:
    case FaultKind::kUnprocessable:
    case FaultKind::kRedirect:
    case FaultKind::kHuge:
    case FaultKind::kHang:
    case FaultKind::kDropBefore:
      return true;
    case FaultKind::kHangAfter:
    case FaultKind::kDropAfter:
    case FaultKind::kTruncated:
    case FaultKind::kChunked:
    case FaultKind::kNoContentType:
    case FaultKind::kNoMillis:
      return false;
  }
  check_failed("a fault of no kind", __FILE__, __LINE__);
}

Reply reply_in_place(FaultKind kind, Endpoint endpoint, WallTime now) {
  switch (kind) {
    case FaultKind::kHtml502:
      return html_reply(502, "502 Bad Gateway");
    case FaultKind::kJson500:
      return error_reply(500, message::kServerError);
    case FaultKind::kHtml404:
      return html_reply(404, "404 Not Found");
    case FaultKind::kNoToken:
      return without_token(endpoint, now);
    case FaultKind::kStatusUnauthorized:
      return json_reply(200, R"({"status":"unauthorized"})");
    case FaultKind::kThrottle:
      return error_reply(429, message::kThrottled);
    case FaultKind::kUnavailable:
      return unavailable();
    case FaultKind::kUnauthorized:
      return error_reply(401, message::kUnauthorized);
    case FaultKind::kUnauthorizedOther:
      return error_reply(401, "You need to sign in before continuing.");
    case FaultKind::kForbidden:
      return error_reply(403, message::kNotEligible);
    case FaultKind::kUnprocessable:
      return unprocessable(endpoint);
    case FaultKind::kRedirect:
      return redirect();
    case FaultKind::kHuge:
      return huge();
    case FaultKind::kHang:
      return without_bytes(Delivery::kHang);
    case FaultKind::kDropBefore:
      return without_bytes(Delivery::kDrop);
    case FaultKind::kHangAfter:
    case FaultKind::kDropAfter:
    case FaultKind::kTruncated:
    case FaultKind::kChunked:
    case FaultKind::kNoContentType:
    case FaultKind::kNoMillis:
      break;
  }
  check_failed("a fault that comes after the call", __FILE__, __LINE__);
}

bool spoil(FaultKind kind, Reply& reply) {
  switch (kind) {
    case FaultKind::kHangAfter:
      reply.delivery = Delivery::kHang;
      return false;
    case FaultKind::kDropAfter:
      reply.delivery = Delivery::kDrop;
      return false;
    case FaultKind::kTruncated:
      truncate(reply);
      return false;
    case FaultKind::kChunked:
      reply.delivery = Delivery::kChunked;
      return true;
    case FaultKind::kNoContentType:
      reply.content_type.clear();
      return true;
    case FaultKind::kNoMillis:
    case FaultKind::kHtml502:
    case FaultKind::kJson500:
    case FaultKind::kHtml404:
    case FaultKind::kNoToken:
    case FaultKind::kStatusUnauthorized:
    case FaultKind::kThrottle:
    case FaultKind::kUnavailable:
    case FaultKind::kUnauthorized:
    case FaultKind::kUnauthorizedOther:
    case FaultKind::kForbidden:
    case FaultKind::kUnprocessable:
    case FaultKind::kRedirect:
    case FaultKind::kHuge:
    case FaultKind::kHang:
    case FaultKind::kDropBefore:
      break;
  }
  return true;
}

}  // namespace rota::sandbox

#include "http/response.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cstdint>
#include <iterator>

#include "base/check.h"
#include "http/token_body.h"

namespace rota {
namespace {

constexpr std::string_view kClose = "Connection: close\r\n";
constexpr std::string_view kTokenHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\nDate: ";
constexpr std::string_view kJsonHead =
    "\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n";
constexpr std::string_view kEmptyHead = "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n";
constexpr std::string_view kMetricsHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
    "Cache-Control: no-store\r\n";

void append_number(Buffer& out, std::uint64_t value) {
  char digits[20];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), value).ptr;
  out.append({digits, static_cast<std::size_t>(end - digits)});
}

// Ends the head and adds the body.
void append_body(Buffer& out, std::string_view body, ReplyForm form) {
  append_length(out, body.size(), form);
  if (!form.head_only) out.append(body);
}

std::string_view status_line_of(JsonStatus status) {
  switch (status) {
    case JsonStatus::kOk:
      return "HTTP/1.1 200 OK";
    case JsonStatus::kCreated:
      return "HTTP/1.1 201 Created";
    case JsonStatus::kAccepted:
      return "HTTP/1.1 202 Accepted";
    case JsonStatus::kUnavailable:
      return "HTTP/1.1 503 Service Unavailable";
  }
  ROTA_CHECK(false);
}

// A message may quote what the client sent. That may not be UTF-8, and JSON must be.
std::string printable(std::string_view text) {
  std::string result(text);
  std::ranges::replace_if(result, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return result;
}

}  // namespace

ErrorRow row_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kBadRequest:
      return {400, "Bad Request", "bad_request", "the request is malformed"};
    case ErrorCode::kUnauthorized:
      return {401, "Unauthorized", "unauthorized", "Your account could not be authenticated."};
    case ErrorCode::kForbidden:
      return {403, "Forbidden", "forbidden", "this user has no grant for that"};
    case ErrorCode::kCommunityNotEligible:
      return {403, "Forbidden", "community_not_eligible", "Circle refuses the community"};
    case ErrorCode::kMemberUnknown:
      return {404, "Not Found", "member_unknown", "no such member in the roster or at Circle"};
    case ErrorCode::kNotFound:
      return {404, "Not Found", "not_found", "no such path"};
    case ErrorCode::kMethodNotAllowed:
      return {405, "Method Not Allowed", "method_not_allowed",
              "this path does not allow that method"};
    case ErrorCode::kNotPossible:
      return {409, "Conflict", "not_possible", "not possible in the current state"};
    case ErrorCode::kMemberInRoster:
      return {409, "Conflict", "member_in_roster",
              "the roster names the member; remove it there first"};
    case ErrorCode::kMemberRetired:
      return {410, "Gone", "member_retired", "the member has left the roster"};
    case ErrorCode::kMemberBlocked:
      return {410, "Gone", "member_blocked", "an operator has revoked the member"};
    case ErrorCode::kExpectationFailed:
      return {417, "Expectation Failed", "expectation_failed", "unknown expectation"};
    case ErrorCode::kConfigInvalid:
      return {422, "Unprocessable Content", "config_invalid", "configuration or roster is invalid"};
    case ErrorCode::kRequestTooLarge:
      return {431, "Request Header Fields Too Large", "request_too_large",
              "the request is larger than the limit"};
    case ErrorCode::kInternal:
      return {500, "Internal Server Error", "internal", "an error in the daemon; see its log"};
    case ErrorCode::kNotImplemented:
      return {501, "Not Implemented", "not_implemented", "unknown transfer coding"};
    case ErrorCode::kTokenUnknown:
      return {404, "Not Found", "token_unknown", "no such token"};
    case ErrorCode::kTokenExpired:
      return {401, "Unauthorized", "token_expired", "the token has expired"};
    case ErrorCode::kTokenUnavailable:
      return {503, "Service Unavailable", "token_unavailable", "no suitable token is alive"};
    case ErrorCode::kMemberMismatched:
      return {503, "Service Unavailable", "member_mismatched",
              "the name now leads to another member at Circle; an operator must decide"};
    case ErrorCode::kEnrolmentLimited:
      return {503, "Service Unavailable", "enrolment_limited",
              "no more members can be enrolled now; try again later"};
    case ErrorCode::kRemovalsLimited:
      return {503, "Service Unavailable", "removals_limited",
              "this client has removed so many members that an operator must agree, with "
              "`rota lift-removals`"};
    case ErrorCode::kTooManyConnections:
      return {503, "Service Unavailable", "too_many_connections",
              "the limit on connections is reached"};
    case ErrorCode::kUnavailable:
      return {503, "Service Unavailable", "unavailable", "not possible now; try again later"};
  }
  ROTA_CHECK(false);
}

void append_error(Buffer& out, const ErrorReply& reply, ReplyForm form) {
  ErrorRow row = row_of(reply.code);
  if (!reply.message.empty()) row.message = reply.message;
  if (reply.circle != nullptr) {
    row.status = reply.circle->status;
    row.reason = reply.circle->reason;
    row.message = reply.circle->message;
  }
  const std::string_view details = reply.circle == nullptr ? "{}" : reply.circle->details;
  const std::string body =
      fmt::format(R"({{"success":false,"code":"{}","message":{},"error_details":{}}})", row.code,
                  boost::json::serialize(boost::json::value(printable(row.message))), details);
  fmt::memory_buffer head;
  fmt::format_to(std::back_inserter(head),
                 "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n",
                 row.status, row.reason);
  if (reply.retry_after) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*reply.retry_after).count();
    fmt::format_to(std::back_inserter(head), "Retry-After: {}\r\n",
                   std::max<std::int64_t>(seconds, 1));
  }
  // RFC 9110, 15.5.2: a 401 says how to do better.
  if (reply.code == ErrorCode::kUnauthorized) {
    fmt::format_to(std::back_inserter(head), "WWW-Authenticate: Bearer\r\n");
  }
  if (!reply.allow.empty()) {
    fmt::format_to(std::back_inserter(head), "Allow: {}\r\n", reply.allow);
  }
  out.append({head.data(), head.size()});
  append_body(out, body, form);
}

void append_json(Buffer& out, const JsonReply& reply, ReplyForm form) {
  out.append(status_line_of(reply.status));
  out.append(kJsonHead);
  append_body(out, reply.body, form);
}

// A 204 has no Content-Length (RFC 9110, 8.6).
void append_empty(Buffer& out, ReplyForm form) {
  out.append(kEmptyHead);
  if (form.close) out.append(kClose);
  out.append("\r\n");
}

void append_metrics(Buffer& out, const MetricsReply& reply, ReplyForm form) {
  out.append(kMetricsHead);
  append_body(out, reply.body, form);
}

void append_length(Buffer& out, std::size_t body_bytes, ReplyForm form) {
  if (form.close) out.append(kClose);
  out.append("Content-Length: ");
  append_number(out, body_bytes);
  out.append("\r\n\r\n");
}

// The values of Date and Rota-Expires-In.
void append_times(Buffer& out, const Published& row, WallTime circle_now) {
  ROTA_CHECK(row.expires_at > circle_now);
  const auto left = std::chrono::floor<std::chrono::seconds>(row.expires_at - circle_now);
  const auto date = http_date(circle_now);
  out.append({date.data(), date.size()});
  out.append("\r\nRota-Expires-In: ");
  append_number(out, static_cast<std::uint64_t>(left.count()));
  out.append("\r\n");
}

void append_token_head(Buffer& out, const Published& row, WallTime circle_now) {
  out.append(kTokenHead);
  append_times(out, row, circle_now);
}

void append_token(Buffer& out, const Published& row, WallTime circle_now, ReplyForm form) {
  const TokenBody body(row);
  append_token_head(out, row, circle_now);
  append_length(out, body.size(), form);
  if (form.head_only) return;
  out.append("{");
  body.append_fields(out);
}

void append_authorization(Buffer& out, const Published& row, WallTime circle_now, ReplyForm form) {
  ROTA_CHECK(row.access_token != nullptr);
  out.append(kEmptyHead);
  out.append("Date: ");
  append_times(out, row, circle_now);
  out.append("Authorization: Bearer ");
  out.append(row.access_token->reveal());
  out.append("\r\n");
  if (form.close) out.append(kClose);
  out.append("\r\n");
}

void append_continue(Buffer& out) { out.append("HTTP/1.1 100 Continue\r\n\r\n"); }

}  // namespace rota

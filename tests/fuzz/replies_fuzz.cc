// What Circle, or whatever answers in its place, can make of a token or a member (P5). An input is
// a reply: the status on the first line, header lines, an empty line, the body. It is judged as the
// reply to each of the four calls.

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/text.h"
#include "circle/classify.h"
#include "circle/error_words.h"
#include "circle/reply_fields.h"
#include "circle/retry_after.h"
#include "circle/token_text.h"
#include "fuzz/target.h"
#include "model/member_key.h"

namespace rota::fuzz {
namespace {

constexpr std::size_t kInputBytesMax = 64 * 1024;
constexpr std::size_t kWhyBytesMax = 600;
constexpr WallTime kNow{std::chrono::days{20'000}};
constexpr std::array kKinds{CallKind::kIssue, CallKind::kRefresh, CallKind::kRevokeRefresh,
                            CallKind::kRevokeAccess};

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

HttpReply reply_of(std::string_view text) {
  HttpReply reply;
  const std::string_view status = take_line(text);
  std::from_chars(status.data(), status.data() + status.size(), reply.status);
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    const auto value_of = [line](std::string_view name) -> std::optional<std::string> {
      if (!line.starts_with(name)) return std::nullopt;
      return std::string(line.substr(name.size()));
    };
    if (auto value = value_of("Retry-After: ")) reply.retry_after = std::move(value);
    if (auto value = value_of("Date: ")) reply.date = std::move(value);
    if (auto value = value_of("Content-Type: ")) reply.content_type = *std::move(value);
  }
  reply.body = Secret(text);
  return reply;
}

// What the reply says by another reading of it: the parsed body, as long as it is a JSON object.
struct Said {
  boost::json::value whole;
  const boost::json::object* object = nullptr;

  explicit Said(std::string_view body) {
    boost::system::error_code error;
    whole = boost::json::parse(boost::json::string_view(body.data(), body.size()), error);
    if (!error) object = whole.if_object();
  }
  std::string_view message() const {
    const auto* value = object == nullptr ? nullptr : object->if_contains("message");
    if (value == nullptr || !value->is_string()) return {};
    return {value->get_string().data(), value->get_string().size()};
  }
  // An error as Circle words it: nothing else may decide a fate.
  bool is_error(std::string_view words) const {
    const auto* success = object == nullptr ? nullptr : object->if_contains("success");
    const bool claims_success = success != nullptr && success->is_bool() && success->get_bool();
    return message().contains(words) && !claims_success;
  }
};

bool is_revocation(CallKind kind) {
  return kind == CallKind::kRevokeRefresh || kind == CallKind::kRevokeAccess;
}

void check_token(const SecretPtr& token, std::string_view body) {
  ROTA_CHECK(token && plausible_token(token->reveal()));
  // It stands in the body as it is, unless an escape does.
  ROTA_CHECK(body.contains(token->reveal()) || body.contains('\\'));
}

void check_why(const Transient& transient, const std::optional<ReplyFields>& fields) {
  const std::string& why = transient.why;
  ROTA_CHECK(!why.empty() && why.size() <= kWhyBytesMax);
  ROTA_CHECK(std::ranges::all_of(why, [](char c) { return c >= 0x20 && c <= 0x7e; }));
  constexpr std::size_t kTokenBytesLeast = 32;
  if (!fields) return;
  for (const SecretPtr& token : {fields->access_token, fields->refresh_token}) {
    if (token && token->size() >= kTokenBytesLeast) ROTA_CHECK(!why.contains(token->reveal()));
  }
}

void check_issued(const TokenPair& pair, std::string_view body) {
  check_token(pair.access.value, body);
  check_token(pair.refresh, body);
  ROTA_CHECK(pair.community_member_id >= 1 && pair.community_member_id <= kCommunityMemberIdMax);
  ROTA_CHECK(pair.community_id >= 1 && pair.community_id <= kCommunityMemberIdMax);
}

// Each fate needs its status, its call and its words.
void check_outcome(CallKind kind, const HttpReply& reply, const Said& said,
                   const Outcome& outcome) {
  const int status = reply.status;
  const bool good = status == 200 || status == 201;
  if (const auto* issued = std::get_if<Issued>(&outcome)) {
    ROTA_CHECK(kind == CallKind::kIssue && good && said.object != nullptr);
    check_issued(issued->pair, reply.body.reveal());
  } else if (const auto* refreshed = std::get_if<Refreshed>(&outcome)) {
    ROTA_CHECK(kind == CallKind::kRefresh && good && said.object != nullptr);
    check_token(refreshed->access.value, reply.body.reveal());
    if (refreshed->refresh) check_token(refreshed->refresh->value, reply.body.reveal());
  } else if (std::holds_alternative<Revoked>(outcome)) {
    ROTA_CHECK(is_revocation(kind) && status == 204);
  } else if (std::holds_alternative<AlreadyDead>(outcome)) {
    ROTA_CHECK(is_revocation(kind) && (status == 401 || status == 404 || status == 422));
    ROTA_CHECK(said.is_error(kind == CallKind::kRevokeAccess ? "access token" : "efresh token"));
    ROTA_CHECK(kind != CallKind::kRevokeAccess || !said.message().contains("associated"));
  } else if (std::holds_alternative<MemberUnknown>(outcome)) {
    ROTA_CHECK(kind == CallKind::kIssue && status == 404);
    ROTA_CHECK(said.is_error("Community member not found."));
  } else if (std::holds_alternative<RefreshTokenDead>(outcome)) {
    ROTA_CHECK(kind == CallKind::kRefresh && (status == 401 || status == 404));
    ROTA_CHECK(said.is_error("efresh token"));
  } else if (std::holds_alternative<AppTokenRefused>(outcome)) {
    ROTA_CHECK(status == 401);
    ROTA_CHECK(kind == CallKind::kIssue ||
               said.is_error("Your account could not be authenticated."));
  } else if (std::holds_alternative<NotEligible>(outcome)) {
    ROTA_CHECK(status == 403 && said.is_error(""));
  } else if (const auto* throttled = std::get_if<Throttled>(&outcome)) {
    ROTA_CHECK(status == 429);
    ROTA_CHECK(!throttled->after ||
               (*throttled->after > Duration{0} && *throttled->after <= kRetryAfterMax));
    ROTA_CHECK(!throttled->after || reply.retry_after);
  } else {
    ROTA_CHECK(std::get<Transient>(outcome).reason != TransientReason::kNotSent);
    ROTA_CHECK(std::get<Transient>(outcome).reason != TransientReason::kNoReply);
  }
}

void check_fields(std::string_view body, const Said& said) {
  const auto fields = read_reply_fields(body);
  if (!fields) return;
  ROTA_CHECK(said.object != nullptr);
  for (const auto& time : {fields->access_token_expires_at, fields->refresh_token_expires_at}) {
    if (time) ROTA_CHECK(parse_iso8601(format_iso8601(*time)) == *time);
  }
  // Cut short it is no reply at all.
  const std::string_view whole = trim(body);
  ROTA_CHECK(!read_reply_fields(whole.substr(0, whole.size() - 1)));
}

void check(std::string_view input) {
  const HttpReply reply = reply_of(input);
  const Said said(reply.body.reveal());
  check_fields(reply.body.reveal(), said);
  const auto fields = read_reply_fields(reply.body.reveal());
  for (const CallKind kind : kKinds) {
    const Reply result = classify(kind, reply, kNow);
    check_outcome(kind, reply, said, result.outcome);
    if (const auto* transient = std::get_if<Transient>(&result.outcome))
      check_why(*transient, fields);
    ROTA_CHECK(classify(kind, reply, kNow).outcome.index() == result.outcome.index());
    ROTA_CHECK(!result.server_date || reply.date);
    if (result.server_date) {
      // Whole seconds, of a year that four digits can write.
      ROTA_CHECK(result.server_date->time_since_epoch() % std::chrono::seconds{1} == Duration{0});
      ROTA_CHECK(parse_iso8601(format_iso8601(*result.server_date)) == *result.server_date);
    }
  }
}

}  // namespace
}  // namespace rota::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= rota::fuzz::kInputBytesMax) {
    rota::fuzz::check({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}

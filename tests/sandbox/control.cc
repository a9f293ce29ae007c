#include "sandbox/control.h"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sandbox/control_query.h"
#include "sandbox/report.h"

namespace rota::sandbox {
namespace {

namespace json = boost::json;

Reply error(int status, std::string_view text) {
  return json_reply(status, json::serialize(json::object{{"error", text}}));
}

Reply done() { return json_reply(200, "{}"); }

Result<json::value> parse_body(std::string_view body) {
  json::error_code ec;
  json::value value = json::parse(json::string_view(body), ec);
  if (ec) return fail(ErrorKind::kInvalid, "the body is not JSON");
  return value;
}

Result<json::object> object_body(const Request& request) {
  ROTA_ASSIGN(json::value value, parse_body(request.body));
  if (!value.is_object()) return fail(ErrorKind::kInvalid, "the body is not a JSON object");
  return std::move(value.get_object());
}

Result<std::string> text_field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) {
    return fail(ErrorKind::kInvalid, fmt::format("{} must be a string", name));
  }
  return std::string(std::string_view(value->get_string()));
}

// Absent or null gives an empty text.
Result<std::string> optional_text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return std::string();
  return text_field(object, name);
}

Result<Reply> set_faults(Circle& circle, const Request& request) {
  ROTA_ASSIGN(const json::value value, parse_body(request.body));
  if (!value.is_array()) return fail(ErrorKind::kInvalid, "the body is not a JSON array");
  std::vector<FaultRule> rules;
  for (const json::value& each : value.get_array()) {
    if (!each.is_string()) return fail(ErrorKind::kInvalid, "a fault is a string");
    ROTA_ASSIGN(const FaultRule rule, parse_fault(std::string_view(each.get_string())));
    rules.push_back(rule);
  }
  circle.faults().replace(std::move(rules));
  return done();
}

Result<Reply> put_member(Circle& circle, const Request& request) {
  ROTA_ASSIGN(const json::object body, object_body(request));
  const json::value* id = body.if_contains("id");
  if (id == nullptr || !id->is_int64() || id->get_int64() < 1) {
    return fail(ErrorKind::kInvalid, "id must be an integer of at least 1");
  }
  ROTA_ASSIGN(std::string email, optional_text(body, "email"));
  ROTA_ASSIGN(std::string sso, optional_text(body, "sso_user_id"));
  circle.members().put({id->get_int64(), std::move(email), std::move(sso)});
  return done();
}

Result<Reply> erase_member(Circle& circle, std::string_view id_text) {
  MemberId id = 0;
  const char* end = id_text.data() + id_text.size();
  const auto [stop, status] = std::from_chars(id_text.data(), end, id);
  if (status != std::errc{} || stop != end || !circle.erase_member(id)) {
    return error(404, "there is no such member");
  }
  return done();
}

Result<Reply> set_app_token(Circle& circle, const Request& request) {
  ROTA_ASSIGN(const json::object body, object_body(request));
  ROTA_ASSIGN(circle.options().app_token, text_field(body, "app_token"));
  return done();
}

Result<Reply> set_eligible(Circle& circle, const Request& request) {
  ROTA_ASSIGN(const json::object body, object_body(request));
  const json::value* value = body.if_contains("eligible");
  if (value == nullptr || !value->is_bool()) {
    return fail(ErrorKind::kInvalid, "eligible must be true or false");
  }
  circle.options().eligible = value->get_bool();
  return done();
}

Result<Reply> set_options(Circle& circle, const Request& request) {
  ROTA_ASSIGN(const json::object body, object_body(request));
  CircleOptions changed = circle.options();
  for (const auto& [key, value] : body) {
    // The counts of the window so far would be of another length.
    if (key == "rate_window") return fail(ErrorKind::kInvalid, "rate_window is fixed at the start");
    const std::string text = value.is_string() ? std::string(std::string_view(value.get_string()))
                                               : json::serialize(value);
    ROTA_TRY(set_option(changed, key, text));
  }
  circle.options() = std::move(changed);
  return done();
}

Result<TokenId> named_token(Circle& circle, const Request& request) {
  ROTA_ASSIGN(const json::object body, object_body(request));
  ROTA_ASSIGN(const std::string text, text_field(body, "token"));
  const auto id = circle.ledger().find(text);
  if (!id) return fail(ErrorKind::kInvalid, "there is no such token");
  return *id;
}

Result<Reply> expire_token(Circle& circle, const Request& request, Now now) {
  ROTA_ASSIGN(const TokenId id, named_token(circle, request));
  circle.ledger().expire(id, circle.clock(now));
  return done();
}

Result<Reply> revoke_token(Circle& circle, const Request& request) {
  ROTA_ASSIGN(const TokenId id, named_token(circle, request));
  circle.ledger().revoke(id);
  return done();
}

Result<Reply> ledger(Circle& circle, std::string_view query, Now now) {
  ROTA_ASSIGN(const LedgerFilter filter, parse_ledger_filter(query));
  return json_reply(200, ledger_report(circle.ledger(), filter, circle.clock(now)));
}

Result<Reply> dispatch(Circle& circle, const Request& request, Now now) {
  std::string_view path = request.target.substr(kControlPrefix.size());
  std::string_view query;
  if (const std::size_t mark = path.find('?'); mark != std::string_view::npos) {
    query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  constexpr std::string_view kMembers = "members/";
  if (request.method == "GET") {
    if (path == "ledger") return ledger(circle, query, now);
    if (path == "check") {
      return json_reply(200, token_report(circle.ledger(), query_value(query, "token").value_or(""),
                                          circle.clock(now)));
    }
    if (path == "stats") return json_reply(200, stats_report(circle, now));
  } else if (request.method == "POST") {
    if (path == "faults") return set_faults(circle, request);
    if (path == "members") return put_member(circle, request);
    if (path == "app-token") return set_app_token(circle, request);
    if (path == "eligible") return set_eligible(circle, request);
    if (path == "options") return set_options(circle, request);
    if (path == "expire") return expire_token(circle, request, now);
    if (path == "revoke") return revoke_token(circle, request);
  } else if (request.method == "DELETE" && path.starts_with(kMembers)) {
    return erase_member(circle, path.substr(kMembers.size()));
  }
  return error(404, "there is no such control call");
}

}  // namespace

Reply control(Circle& circle, const Request& request, Now now) {
  auto reply = dispatch(circle, request, now);
  if (!reply) return error(400, reply.error().message);
  return *std::move(reply);
}

}  // namespace rota::sandbox

#include "api/admin_api.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/check.h"
#include "http/limits.h"
#include "http/query.h"
#include "model/member_key.h"
#include "report/report.h"

namespace rota {
namespace {

ErrorReply reply_of(Error error) {
  ErrorCode code = ErrorCode::kInternal;
  switch (error.kind) {
    case ErrorKind::kConfig:
      code = ErrorCode::kConfigInvalid;
      break;
    case ErrorKind::kInvalid:
      code = ErrorCode::kNotPossible;
      break;
    case ErrorKind::kBusy:
    case ErrorKind::kIo:
    case ErrorKind::kFull:
      code = ErrorCode::kUnavailable;
      break;
    case ErrorKind::kCorrupt:
    case ErrorKind::kBug:
      code = ErrorCode::kInternal;
      break;
  }
  return error_reply(code, std::move(error.message));
}

using PlainDone = std::move_only_function<void(PlainReply)>;

// Turns the end of an operator's call into a reply.
std::move_only_function<void(Result<OperatorReport>)> reporting(PlainDone done) {
  return [done = std::move(done)](Result<OperatorReport> result) mutable {
    if (result) {
      done(JsonReply{operation_json(*result)});
    } else {
      done(reply_of(std::move(result).error()));
    }
  };
}

Result<void> expect_no_parameters(std::string_view query) {
  QueryReader reader(query);
  ROTA_ASSIGN(const bool any, reader.next());
  if (any) return unknown_parameter(reader.name());
  return {};
}

// The names that a request may mean: the name as written if it leads to somebody, otherwise the
// name with each "+" as a space if that does. If neither does, both: the audit trail may know one.
std::vector<std::string> names_meant(const NamedMember& member, const AdminService& admin) {
  std::vector<std::string> names{member.key.text()};
  if (!member.as_form || admin.knows(names.front())) return names;
  names.push_back(member.as_form->text());
  if (admin.knows(names.back())) names.erase(names.begin());
  return names;
}

struct MembersQuery {
  std::optional<std::string> state;
  std::optional<NamedMember> after;
  std::optional<std::size_t> limit;
};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || stop != end) return std::nullopt;
  return number;
}

static_assert(kMembersPageMax == 1'000 && kAuditPageMax == 1'000);
Result<std::size_t> parse_limit(std::string_view text) {
  const auto limit = parse_number<std::size_t>(text);
  if (!limit || *limit < 1 || *limit > kMembersPageMax) {
    return fail(ErrorKind::kInvalid, "limit is not a number from 1 to 1000");
  }
  return *limit;
}

Result<void> set_members_field(const QueryReader& reader, MembersQuery& query) {
  const std::string_view name = reader.name();
  const std::string_view value = reader.value();
  if (name == "state") {
    if (query.state) return repeated_parameter(name);
    query.state = value;
  } else if (name == "after") {
    if (query.after) return repeated_parameter(name);
    if (value.empty()) return {};
    ROTA_ASSIGN(query.after, read_member(value, reader.raw_value(), &MemberKey::parse));
  } else if (name == "limit") {
    if (query.limit) return repeated_parameter(name);
    ROTA_ASSIGN(query.limit, parse_limit(value));
  } else {
    return unknown_parameter(name);
  }
  return {};
}

Result<MembersQuery> parse_members_query(std::string_view text) {
  MembersQuery query;
  for (QueryReader reader(text);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return query;
    ROTA_TRY(set_members_field(reader, query));
  }
}

// The value goes on the audit trail even if there is no such plan, so it may have only an id's
// bytes.
bool looks_like_plan_id(std::string_view text) {
  constexpr std::size_t kLengthMax = 16;
  return !text.empty() && text.size() <= kLengthMax &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Result<std::string> parse_reload_query(std::string_view text) {
  std::optional<std::string> approve;
  for (QueryReader reader(text);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return std::move(approve).value_or("");
    if (reader.name() != "approve") return unknown_parameter(reader.name());
    if (approve) return repeated_parameter(reader.name());
    if (!looks_like_plan_id(reader.value())) {
      return fail(ErrorKind::kInvalid, "approve is not the id of a plan");
    }
    approve = reader.value();
  }
}

ErrorReply bad_request(Error error) {
  return error_reply(ErrorCode::kBadRequest, std::move(error.message));
}

Answer answer_members(std::string_view query, const AdminService& admin) {
  auto fields = parse_members_query(query);
  if (!fields) return bad_request(std::move(fields).error());
  const std::string after = fields->after ? names_meant(*fields->after, admin).front() : "";
  auto page = admin.members_json(fields->state.value_or(""), after,
                                 fields->limit.value_or(kMembersPageDefault));
  if (!page) return bad_request(std::move(page).error());
  return JsonReply{*std::move(page)};
}

Result<void> set_audit_field(const QueryReader& reader, const AdminService& admin,
                             AuditRequest& request) {
  const std::string_view name = reader.name();
  const std::string_view value = reader.value();
  if (name == "after") {
    const auto after = parse_number<std::int64_t>(value);
    if (!after || *after < 0) return fail(ErrorKind::kInvalid, "after is not the id of an entry");
    request.after = *after;
  } else if (name == "limit") {
    ROTA_ASSIGN(request.limit, parse_limit(value));
  } else if (name == "since") {
    if (const auto time = parse_iso8601(value)) {
      request.since = *time;
    } else if (const auto ago = parse_seconds_or_duration(value)) {
      request.since = *ago;
    } else {
      return fail(ErrorKind::kInvalid, "since is neither a duration nor a time in UTC");
    }
  } else if (name == "member") {
    ROTA_ASSIGN(const NamedMember member,
                read_member(value, reader.raw_value(), &MemberKey::parse));
    request.members = names_meant(member, admin);
  } else if (name == "token") {
    request.token = parse_fingerprint(value);
    if (!request.token) {
      return fail(ErrorKind::kInvalid, "token is not the first 16 hex digits of its SHA-256");
    }
  } else {
    return unknown_parameter(name);
  }
  return {};
}

Result<AuditRequest> parse_audit_query(std::string_view text, const AdminService& admin) {
  AuditRequest request{.limit = kAuditPageDefault};
  std::vector<std::string> seen;
  for (QueryReader reader(text);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return request;
    if (std::ranges::find(seen, reader.name()) != seen.end()) {
      return repeated_parameter(reader.name());
    }
    ROTA_TRY(set_audit_field(reader, admin, request));
    seen.emplace_back(reader.name());
  }
}

std::move_only_function<void(Result<std::string>)> text_reply(PlainDone done) {
  return [done = std::move(done)](Result<std::string> text) mutable {
    if (text) {
      done(JsonReply{*std::move(text)});
    } else {
      done(reply_of(std::move(text).error()));
    }
  };
}

Answer read_audit(std::string_view query, const AuditCaller&, AdminService& admin) {
  auto request = parse_audit_query(query, admin);
  if (!request) return bad_request(std::move(request).error());
  return LaterReply{[&admin, request = *std::move(request)](PlainDone done) mutable {
    admin.audit(std::move(request), text_reply(std::move(done)));
  }};
}

Answer start_reload(std::string_view query, const AuditCaller& caller, AdminService& admin) {
  auto approve = parse_reload_query(query);
  if (!approve) return bad_request(std::move(approve).error());
  admin.note_asked(approve->empty() ? AuditEvent::kReloadAsked : AuditEvent::kApproveAsked, {},
                   *approve, caller);
  return LaterReply{[&admin, approve = *std::move(approve)](PlainDone done) mutable {
    admin.reload(std::move(approve), text_reply(std::move(done)));
  }};
}

AuditEvent event_of(OperatorAction action) {
  switch (action) {
    case OperatorAction::kRotate:
      return AuditEvent::kRotateAsked;
    case OperatorAction::kRevoke:
      return AuditEvent::kRevokeAsked;
    case OperatorAction::kReinstate:
      return AuditEvent::kReinstateAsked;
  }
  ROTA_CHECK(false);
}

std::optional<OperatorAction> action_of(std::string_view name) {
  if (name == "rotate") return OperatorAction::kRotate;
  if (name == "revoke") return OperatorAction::kRevoke;
  if (name == "reinstate") return OperatorAction::kReinstate;
  return std::nullopt;
}

// `rest` follows "/v1/members/": KEY or KEY/ACTION. A slash inside the key is percent-encoded.
Answer answer_member(const RequestHead& request, std::string_view rest, const AuditCaller& caller,
                     AdminService& admin) {
  const auto slash = rest.find('/');
  const bool acts = slash != std::string_view::npos;
  const auto action = acts ? action_of(rest.substr(slash + 1)) : std::nullopt;
  if (acts && !action) return error_reply(ErrorCode::kNotFound);
  const std::string_view method = acts ? "POST" : "GET";
  if (request.method != method) return method_not_allowed(method);
  if (auto none = expect_no_parameters(request.query); !none) {
    return bad_request(std::move(none).error());
  }
  const std::string_view raw = rest.substr(0, slash);
  auto text = percent_decode(raw);
  if (!text) return bad_request(std::move(text).error());
  auto named = read_member(*text, raw, &MemberKey::parse);
  if (!named) return bad_request(std::move(named).error());
  std::string name = names_meant(*named, admin).front();
  if (!acts) {
    auto member = admin.member_json(name);
    if (!member) return error_reply(ErrorCode::kMemberUnknown);
    return JsonReply{*std::move(member)};
  }
  if (!admin.knows(name)) return error_reply(ErrorCode::kMemberUnknown);
  admin.note_asked(event_of(*action), name, {}, caller);
  return LaterReply{[&admin, key = std::move(name), action = *action](PlainDone done) {
    admin.operate(key, action, reporting(std::move(done)));
  }};
}

// A path without a variable part.
struct Route {
  std::string_view path;
  std::string_view method;
  bool has_parameters;  // `answer` reads the query itself; otherwise a query is refused
  Answer (*answer)(std::string_view query, const AuditCaller& caller, AdminService& admin);
};

constexpr Route kRoutes[] = {
    {"/v1/status", "GET", false,
     [](std::string_view, const AuditCaller&, AdminService& admin) -> Answer {
       return JsonReply{admin.status_json()};
     }},
    {"/v1/members", "GET", true,
     [](std::string_view query, const AuditCaller&, AdminService& admin) {
       return answer_members(query, admin);
     }},
    {"/v1/revoke-all", "POST", false,
     [](std::string_view, const AuditCaller& caller, AdminService& admin) -> Answer {
       admin.note_asked(AuditEvent::kRevokeAllAsked, {}, {}, caller);
       return LaterReply{
           [&admin](PlainDone done) { admin.revoke_all(reporting(std::move(done))); }};
     }},
    {"/v1/roster/plan", "GET", false,
     [](std::string_view, const AuditCaller&, AdminService& admin) -> Answer {
       return LaterReply{[&admin](PlainDone done) { admin.plan(text_reply(std::move(done))); }};
     }},
    {"/v1/audit", "GET", true, read_audit},
    {"/v1/roster/reload", "POST", true, start_reload},
};

}  // namespace

Answer answer_admin(const RequestHead& request, const AuditCaller& caller, AdminService& admin) {
  for (const Route& route : kRoutes) {
    if (request.path != route.path) continue;
    if (request.method != route.method) return method_not_allowed(route.method);
    if (!route.has_parameters) {
      if (auto none = expect_no_parameters(request.query); !none) {
        return bad_request(std::move(none).error());
      }
    }
    return route.answer(request.query, caller, admin);
  }
  constexpr std::string_view kMemberPrefix = "/v1/members/";
  if (request.path.starts_with(kMemberPrefix)) {
    return answer_member(request, request.path.substr(kMemberPrefix.size()), caller, admin);
  }
  return error_reply(ErrorCode::kNotFound);
}

}  // namespace rota

#include "api/admin_query.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "http/limits.h"
#include "model/member_key.h"

namespace rota {
namespace {

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

// The value goes on the audit trail even if there is no such plan, so it may have only an id's
// bytes.
bool looks_like_plan_id(std::string_view text) {
  constexpr std::size_t kLengthMax = 16;
  return !text.empty() && text.size() <= kLengthMax &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
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

}  // namespace

std::vector<std::string> names_meant(const NamedMember& member, const AdminService& admin) {
  std::vector<std::string> names{member.key.text()};
  if (!member.as_form || admin.knows(names.front())) return names;
  names.push_back(member.as_form->text());
  if (admin.knows(names.back())) names.erase(names.begin());
  return names;
}

Result<MembersQuery> parse_members_query(std::string_view text) {
  MembersQuery query;
  for (QueryReader reader(text);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return query;
    ROTA_TRY(set_members_field(reader, query));
  }
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

}  // namespace rota

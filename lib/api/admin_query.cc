#include "api/admin_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <span>
#include <utility>

#include "api/handle.h"
#include "base/text.h"
#include "http/limits.h"
#include "model/member_key.h"

namespace rota {
namespace {

constexpr std::string_view kHolderKinds[] = {"user:", "group:", "client:"};

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
    return fail(ErrorKind::kInvalid, "limit must be a number from 1 to 1000");
  }
  return *limit;
}

// No parameter is given twice.
Result<void> expect_new(const QueryReader& reader, std::vector<std::string>& seen) {
  if (std::ranges::find(seen, reader.name()) != seen.end()) {
    return repeated_parameter(reader.name());
  }
  seen.emplace_back(reader.name());
  return {};
}

// One of `all` by its name. `what`: the parameter.
template <class Enum>
Result<Enum> parse_one_of(std::string_view what, std::span<const Enum> all, std::string_view text) {
  for (const Enum each : all) {
    if (name_of(each) == text) return each;
  }
  std::string names;
  for (const Enum each : all) {
    names += fmt::format("{}{}", names.empty() ? "" : ", ", name_of(each));
  }
  return fail(ErrorKind::kInvalid, fmt::format("{} is none of {}", what, names));
}

Result<void> set_members_field(const QueryReader& reader, const AdminService& admin,
                               MembersWanted& wanted) {
  const std::string_view name = reader.name();
  const std::string_view value = reader.value();
  if (name == "state") {
    if (value.empty()) return {};
    ROTA_ASSIGN(wanted.state, parse_one_of<MemberState>("state", kMemberStates, value));
  } else if (name == "source") {
    if (value.empty()) return {};
    ROTA_ASSIGN(wanted.source, parse_one_of<MemberSource>("source", kMemberSources, value));
  } else if (name == "after") {
    if (value.empty()) return {};
    ROTA_ASSIGN(const NamedMember named, read_member(value, reader.raw_value(), &MemberKey::parse));
    wanted.after = meant_by(named, admin).names.front();
  } else if (name == "limit") {
    ROTA_ASSIGN(wanted.limit, parse_limit(value));
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

// What clients are called, whether or not a grant has this one now. The name goes on the audit
// trail.
bool looks_like_client(std::string_view text) {
  if (text.size() > kHolderBytesMax || has_control(text)) return false;
  if (text == "root") return true;
  return std::ranges::any_of(kHolderKinds, [text](std::string_view kind) {
    return text.starts_with(kind) && text.size() > kind.size();
  });
}

Result<void> set_audit_field(const QueryReader& reader, const AdminService& admin,
                             AuditRequest& request) {
  const std::string_view name = reader.name();
  const std::string_view value = reader.value();
  if (name == "after") {
    const auto after = parse_number<std::int64_t>(value);
    if (!after || *after < 0) return fail(ErrorKind::kInvalid, "after must be the id of an entry");
    request.after = *after;
  } else if (name == "limit") {
    ROTA_ASSIGN(request.limit, parse_limit(value));
  } else if (name == "since") {
    if (const auto time = parse_iso8601(value)) {
      request.since = *time;
    } else if (const auto ago = parse_seconds_or_duration(value)) {
      request.since = *ago;
    } else {
      return fail(ErrorKind::kInvalid, "since must be a duration or a time in UTC");
    }
  } else if (name == "member") {
    ROTA_ASSIGN(const NamedMember member,
                read_member(value, reader.raw_value(), &MemberKey::parse));
    request.members = meant_by(member, admin).names;
  } else if (name == "token") {
    request.token = parse_fingerprint(value);
    if (!request.token) {
      return fail(ErrorKind::kInvalid, "token must be the first 16 hex digits of its SHA-256");
    }
  } else if (name == "notable") {
    if (value != "true" && value != "false") {
      return fail(ErrorKind::kInvalid, "notable must be true or false");
    }
    request.notable = value == "true";
  } else {
    return unknown_parameter(name);
  }
  return {};
}

}  // namespace

Meant meant_by(const NamedMember& named, const AdminService& admin) {
  if (const auto member = admin.find(named.key)) return {{named.key}, member};
  if (!named.as_form) return {{named.key}, std::nullopt};
  if (const auto member = admin.find(*named.as_form)) return {{*named.as_form}, member};
  return {{named.key, *named.as_form}, std::nullopt};
}

Result<MembersWanted> parse_members_query(std::string_view text, const AdminService& admin) {
  MembersWanted wanted{.limit = kMembersPageDefault};
  std::vector<std::string> seen;
  for (QueryReader reader(text);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return wanted;
    ROTA_TRY(expect_new(reader, seen));
    ROTA_TRY(set_members_field(reader, admin, wanted));
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
      return fail(ErrorKind::kInvalid, "approve must be the id of a plan");
    }
    approve = reader.value();
  }
}

Result<std::string> parse_lift_query(std::string_view text) {
  std::optional<std::string> client;
  for (QueryReader reader(text);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) break;
    if (reader.name() != "client") return unknown_parameter(reader.name());
    if (client) return repeated_parameter(reader.name());
    client = reader.value();
  }
  if (!client || !looks_like_client(*client)) {
    return fail(ErrorKind::kInvalid,
                "client must be user:NAME, group:NAME, client:NAME or root, as the alarm names it");
  }
  return *std::move(client);
}

Result<AuditRequest> parse_audit_query(std::string_view text, const AdminService& admin) {
  AuditRequest request{.limit = kAuditPageDefault};
  std::vector<std::string> seen;
  for (QueryReader reader(text);;) {
    ROTA_ASSIGN(const bool more, reader.next());
    if (!more) return request;
    ROTA_TRY(expect_new(reader, seen));
    ROTA_TRY(set_audit_field(reader, admin, request));
  }
}

}  // namespace rota

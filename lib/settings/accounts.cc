#include "settings/accounts.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "base/check.h"
#include "base/text.h"

namespace rota {
namespace {

constexpr std::size_t kEntryBytesFirst = std::size_t{4} << 10U;
constexpr std::size_t kEntryBytesMax = std::size_t{16} << 20U;  // a group with all its members

// Calls getpwnam_r() or getgrnam_r(). None: there is no such entry.
template <class Entry, class Look>
Result<std::optional<Entry>> look_up(const std::string& name, Look look) {
  std::string buffer(kEntryBytesFirst, '\0');
  for (;;) {
    Entry entry{};
    Entry* found = nullptr;
    const int error = look(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (error == 0) return found == nullptr ? std::nullopt : std::optional(entry);
    if (error == EINTR) continue;
    // All of these mean that the name services do not know the name (getpwnam(3)).
    if (error == ENOENT || error == ESRCH || error == EBADF || error == EPERM) return std::nullopt;
    if (error != ERANGE || buffer.size() >= kEntryBytesMax) {
      return fail(ErrorKind::kIo, fmt::format("{} cannot be looked up: {}",
                                              in_quotes_unless_secret(name), std::strerror(error)));
    }
    buffer.resize(2 * buffer.size());
  }
}

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, number);
  if (status != std::errc{} || stop != end || number == kNoId) return std::nullopt;
  return number;
}

std::uint32_t read_number(const char* path, std::uint32_t otherwise) {
  std::string line;
  std::ifstream file(path);
  std::getline(file, line);
  return number_of(line).value_or(otherwise);
}

}  // namespace

Result<std::uint32_t> find_user(const std::string& name) {
  ROTA_ASSIGN(const auto entry, look_up<passwd>(name, ::getpwnam_r));
  if (entry) return entry->pw_uid;
  if (const auto number = number_of(name)) return *number;
  return fail(ErrorKind::kConfig, fmt::format("no user {}", in_quotes_unless_secret(name)));
}

Result<std::uint32_t> find_group(const std::string& name) {
  ROTA_ASSIGN(const auto entry, look_up<group>(name, ::getgrnam_r));
  if (entry) return entry->gr_gid;
  if (const auto number = number_of(name)) return *number;
  return fail(ErrorKind::kConfig, fmt::format("no group {}", in_quotes_unless_secret(name)));
}

OverflowIds overflow_ids() {
  const OverflowIds usual;
  return {.user = read_number("/proc/sys/kernel/overflowuid", usual.user),
          .group = read_number("/proc/sys/kernel/overflowgid", usual.group)};
}

namespace {

// The id of one grant's holder, or why there is none.
Result<std::uint32_t> checked(const GrantSettings& grant, const Result<std::uint32_t>& id,
                              const OverflowIds& strangers) {
  if (!id) return fail(id.error().kind, fmt::format("{}: {}", grant.where, id.error().message));
  const bool to_user = grant.holder == GrantSettings::Holder::kUser;
  if (grant.holder == GrantSettings::Holder::kClient) return *id;
  if (*id == (to_user ? strangers.user : strangers.group)) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{}: the kernel shows all users of other user namespaces as {}: a "
                            "grant to it would be a grant to all of them",
                            grant.where, in_quotes_unless_secret(grant.name)));
  }
  return *id;
}

Grant::Holder holder_of(GrantSettings::Holder holder) {
  switch (holder) {
    case GrantSettings::Holder::kUser:
      return Grant::Holder::kUser;
    case GrantSettings::Holder::kGroup:
      return Grant::Holder::kGroup;
    case GrantSettings::Holder::kClient:
      return Grant::Holder::kClient;
  }
  ROTA_CHECK(false);
}

// By the system's name services. A client has no id.
Result<std::uint32_t> find_holder(const GrantSettings& grant) {
  switch (grant.holder) {
    case GrantSettings::Holder::kUser:
      return find_user(grant.name);
    case GrantSettings::Holder::kGroup:
      return find_group(grant.name);
    case GrantSettings::Holder::kClient:
      return kNoId;
  }
  ROTA_CHECK(false);
}

template <class Find>
Grantees resolve(const std::vector<GrantSettings>& grants, Find find) {
  const OverflowIds strangers = overflow_ids();
  Grantees grantees;
  for (const GrantSettings& grant : grants) {
    const auto id = checked(grant, find(grant), strangers);
    if (!id) {
      grantees.held.push_back(
          {.why = id.error().message, .is_wrong = id.error().kind == ErrorKind::kInvalid});
      continue;
    }
    grantees.ids.emplace(std::pair(grant.holder, grant.name), *id);
    grantees.grants.push_back({.holder = holder_of(grant.holder),
                               .id = *id,
                               .name = grant.name,
                               .may = grant.may,
                               .enrol_tags = grant.enrol_tags,
                               .all_members = grant.all_members,
                               .tags = grant.tags,
                               .members = grant.members});
  }
  return grantees;
}

std::optional<std::uint32_t> known_id(const GrantSettings& grant, const HolderIds& known) {
  const auto id = known.find({grant.holder, grant.name});
  return id == known.end() ? std::nullopt : std::optional(id->second);
}

}  // namespace

bool Grantees::may_come() const { return !std::ranges::all_of(held, &HeldGrant::is_wrong); }

Grantees find_grantees(const std::vector<GrantSettings>& grants, const HolderIds& known) {
  HolderIds found;  // so that each name is looked up once
  return resolve(grants, [&](const GrantSettings& grant) -> Result<std::uint32_t> {
    if (const auto before = known_id(grant, found)) return *before;
    auto id = find_holder(grant);
    if (!id && id.error().kind == ErrorKind::kIo) {
      if (const auto before = known_id(grant, known)) return *before;
    }
    if (id) found.emplace(std::pair(grant.holder, grant.name), *id);
    return id;
  });
}

Grantees known_grantees(const std::vector<GrantSettings>& grants, const HolderIds& known) {
  return resolve(grants, [&](const GrantSettings& grant) -> Result<std::uint32_t> {
    if (grant.holder == GrantSettings::Holder::kClient) return kNoId;
    if (const auto id = known_id(grant, known)) return *id;
    return fail(ErrorKind::kIo,
                fmt::format("{} is being looked up", in_quotes_unless_secret(grant.name)));
  });
}

Result<std::vector<Grant>> resolve_grants(const std::vector<GrantSettings>& grants) {
  Grantees grantees = find_grantees(grants);
  if (grantees.held.empty()) return std::move(grantees.grants);
  return fail(ErrorKind::kConfig, grantees.held.front().why);
}

}  // namespace rota

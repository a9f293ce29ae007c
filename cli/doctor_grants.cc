#include "cli/doctor_grants.h"

#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "base/text.h"
#include "settings/accounts.h"

namespace rota::cli {
namespace {

constexpr std::size_t kEntryBytes = std::size_t{64} << 10U;
constexpr mode_t kModeBits = 07777;

std::string group_name(gid_t gid) {
  std::string buffer(kEntryBytes, '\0');
  group entry{};
  group* found = nullptr;
  ::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? fmt::to_string(gid) : std::string(found->gr_name);
}

bool reaches(const GrantSettings& grant, const std::set<std::string>& tags, const Roster& roster) {
  if (grant.all_members) return true;
  if (std::ranges::any_of(grant.tags, [&tags](const auto& tag) { return tags.contains(tag); })) {
    return true;
  }
  return std::ranges::any_of(roster.entries, [&grant](const RosterEntry& entry) {
    return !entry.retired && std::ranges::find(grant.members, entry.key) != grant.members.end();
  });
}

std::string value_of(const UnitProperties& shown, std::string_view name) {
  const auto found = shown.find(name);
  return found == shown.end() ? std::string{} : found->second;
}

}  // namespace

Findings judge_reach(const std::vector<GrantSettings>& grants, const Roster& roster) {
  Findings findings;
  if (std::ranges::any_of(grants, [](const auto& grant) { return grant.may.has(Right::kEnrol); })) {
    return findings;
  }
  std::set<std::string> tags;
  for (const RosterEntry& entry : roster.entries) {
    if (!entry.retired) tags.insert(entry.tags.begin(), entry.tags.end());
  }
  for (const GrantSettings& grant : grants) {
    if (reaches(grant, tags, roster)) continue;
    findings.push_back(note("grants",
                            fmt::format("the grant to {} reaches nobody: the roster has none of {}",
                                        grant.name, members_of(grant)),
                            fmt::format("correct it ({}), or the roster's tags",
                                        grant.where.substr(0, grant.where.find(": ")))));
  }
  return findings;
}

Finding judge_client(const std::string& name, const Settings& settings) {
  if (std::ranges::find(settings.clients, name, &ClientSettings::name) == settings.clients.end()) {
    return wrong("grants", fmt::format("there is no [[client]] {}", in_quotes_unless_secret(name)),
                 "rota client list shows them, and rota client add NAME makes one");
  }
  std::string text;
  for (const GrantSettings& grant : settings.grants) {
    if (grant.holder != GrantSettings::Holder::kClient || grant.name != name) continue;
    text += (text.empty() ? "" : "; ") + members_of(grant) + rights_of(grant);
  }
  if (text.empty()) {
    return wrong("grants", fmt::format("{} gets no tokens: no grant names it", name),
                 fmt::format("add [[grant]] client = \"{}\", members = [\"*\"] (or fewer) to the "
                             "configuration, then rota reload",
                             name));
  }
  return good("grants", fmt::format("{} gets {}", name, text));
}

Result<UserIds> user_ids(const std::string& name) {
  ROTA_ASSIGN(const std::uint32_t uid, find_user(name));
  UserIds user{.name = name, .uid = uid, .groups = {}};
  std::string buffer(kEntryBytes, '\0');
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
  if (found == nullptr) return user;  // a number without an account has no groups on record
  user.name = found->pw_name;         // where a number was given
  constexpr int kGroupsMax = 65'536;
  std::vector<gid_t> groups(kGroupsMax);
  int count = kGroupsMax;
  if (::getgrouplist(found->pw_name, found->pw_gid, groups.data(), &count) < 0) count = kGroupsMax;
  user.groups.assign(groups.begin(), groups.begin() + count);
  return user;
}

Result<UserIds> unit_ids(const std::string& unit, const UnitProperties& shown) {
  if (value_of(shown, "LoadState") != "loaded") {
    return fail(ErrorKind::kConfig,
                fmt::format("there is no unit {}", in_quotes_unless_secret(unit)));
  }
  if (value_of(shown, "DynamicUser") == "yes") {
    return fail(
        ErrorKind::kConfig,
        fmt::format("the user of {} is made when it starts (DynamicUser=): grant to a group "
                    "that its SupplementaryGroups= names",
                    unit));
  }
  const std::string user = value_of(shown, "User");
  ROTA_ASSIGN(UserIds ids, user_ids(user.empty() ? "root" : user));
  std::string more = value_of(shown, "Group") + " " + value_of(shown, "SupplementaryGroups");
  for (std::string_view rest = more; !rest.empty();) {
    const std::string_view name = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), name.size() + 1));
    if (name.empty()) continue;
    ROTA_ASSIGN(const std::uint32_t gid, find_group(std::string(name)));
    ids.groups.push_back(gid);
  }
  return ids;
}

std::optional<std::vector<PathStep>> way_to(const std::string& path) {
  std::vector<PathStep> way;
  std::filesystem::path at;
  for (const auto& part : std::filesystem::absolute(path).lexically_normal()) {
    at /= part;
    struct stat found{};
    if (::stat(at.c_str(), &found) != 0) return std::nullopt;
    way.push_back({.path = at.string(),
                   .uid = found.st_uid,
                   .gid = found.st_gid,
                   .group = group_name(found.st_gid),
                   .mode = found.st_mode & kModeBits});
  }
  return way;
}

}  // namespace rota::cli

#include "cli/doctor_access.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"

namespace rota::cli {
namespace {

constexpr std::size_t kNamesShownMax = 10;

bool in_group(const UserIds& user, std::uint32_t group) {
  return std::ranges::find(user.groups, group) != user.groups.end();
}

// `wanted`: the bit for others, such as S_IXOTH. As in the kernel, only the first class that the
// user belongs to decides.
bool permits(const UserIds& user, const PathStep& step, mode_t wanted) {
  if (user.uid == 0) return true;
  constexpr unsigned kOwner = 6;
  constexpr unsigned kGroup = 3;
  if (step.uid == user.uid) return (step.mode & (wanted << kOwner)) != 0;
  if (in_group(user, step.gid)) return (step.mode & (wanted << kGroup)) != 0;
  return (step.mode & wanted) != 0;
}

}  // namespace

std::string members_of(const GrantSettings& grant) {
  if (grant.all_members) return "all members";
  std::string text;
  std::size_t count = 0;
  const auto add = [&](const std::string& name) {
    if (++count <= kNamesShownMax) text += (text.empty() ? "" : ", ") + name;
  };
  for (const std::string& tag : grant.tags) add("tag:" + tag);
  for (const MemberKey& key : grant.members) add(key.text());
  if (count > kNamesShownMax) text += fmt::format(" and {} more", count - kNamesShownMax);
  return text;
}

std::string rights_of(const GrantSettings& grant) {
  std::string text;
  const auto add = [&](Right right, std::string_view what) {
    if (!grant.may.has(right)) return;
    text += fmt::format("{}{}", text.empty() ? ", and may " : ", ", what);
  };
  add(Right::kEnrol, "enrol anybody");
  add(Right::kSignOut, "sign them out");
  add(Right::kRemove, "remove whom it has enrolled");
  return text;
}

Finding judge_way(const UserIds& user, const std::vector<PathStep>& way) {
  const std::string about = "access";
  for (std::size_t i = 0; i < way.size(); ++i) {
    const PathStep& step = way[i];
    const bool is_socket = i + 1 == way.size();
    if (permits(user, step, is_socket ? S_IWOTH : S_IXOTH)) continue;
    if (!is_socket) {
      return wrong(about, fmt::format("{} cannot enter the folder {}", user.name, step.path),
                   fmt::format("chmod o+x {}", shell_word(step.path)));
    }
    // If membership in the socket's group would not help, the socket needs another group.
    const bool group_opens = (step.mode & S_IWGRP) != 0 && step.gid != 0;
    return wrong(about,
                 fmt::format("{} cannot open {} (mode {:04o}, group {})", user.name, step.path,
                             step.mode, step.group),
                 group_opens
                     ? fmt::format("usermod -aG {} {}, then restart the programs that run as {}: a "
                                   "process keeps the groups that it started with",
                                   shell_word(step.group), shell_word(user.name), user.name)
                     : std::string("give the socket a group that the user is in: SocketGroup= of "
                                   "rotad.socket, or token_socket_group"));
  }
  return good(about, fmt::format("{} can open {}", user.name,
                                 way.empty() ? std::string("the token socket") : way.back().path));
}

std::optional<Finding> judge_roster_reader(const UserIds& user, const std::vector<PathStep>& way) {
  if (user.uid == 0 || way.empty()) return std::nullopt;
  for (std::size_t i = 0; i < way.size(); ++i) {
    if (!permits(user, way[i], i + 1 == way.size() ? S_IROTH : S_IXOTH)) return std::nullopt;
  }
  const PathStep& roster = way.back();
  const bool by_group = roster.uid != user.uid && in_group(user, roster.gid);
  return note("access",
              fmt::format("{} can read {}, which has the members' names and addresses", user.name,
                          roster.path),
              by_group ? fmt::format("gpasswd --delete {} {}, if the user needs only tokens: the "
                                     "socket's group is enough for them",
                                     shell_word(user.name), shell_word(roster.group))
                       : fmt::format("chmod o-rwx {}", shell_word(roster.path)));
}

Finding judge_grants(const UserIds& user, std::uint32_t daemon_uid,
                     const std::vector<GrantSettings>& grants, const std::vector<Grant>& resolved) {
  const std::string about = "grants";
  if (user.uid == 0 || user.uid == daemon_uid) {
    return good(about, fmt::format("{} gets all members without a grant", user.name));
  }
  std::string text;
  for (std::size_t i = 0; i < grants.size() && i < resolved.size(); ++i) {
    if (resolved[i].holder == Grant::Holder::kClient) continue;
    if (!grants[i].may.has(Right::kFetch)) continue;
    const bool to_user = resolved[i].holder == Grant::Holder::kUser;
    const bool covered = to_user ? resolved[i].id == user.uid : in_group(user, resolved[i].id);
    if (!covered) continue;
    text += fmt::format("{}{} (as {} {}){}", text.empty() ? "" : "; ", members_of(grants[i]),
                        to_user ? "user" : "group", grants[i].name, rights_of(grants[i]));
  }
  if (text.empty()) {
    return wrong(
        about, fmt::format("{} gets no tokens: no grant names it or one of its groups", user.name),
        fmt::format("add [[grant]] user = \"{}\", members = [\"*\"] (or fewer) to the "
                    "configuration, then rota reload",
                    user.name));
  }
  return good(about, fmt::format("{} gets {}", user.name, text));
}

}  // namespace rota::cli

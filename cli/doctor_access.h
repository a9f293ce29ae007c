#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/access.h"
#include "cli/findings.h"
#include "settings/settings.h"

// Whether a user gets tokens: it must be able to open the socket, and a grant must name it. Pure.
namespace rota::cli {

struct UserIds {
  std::string name;
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> groups;  // the primary one and all others
};

// A folder on the way to a file, or the file itself, which is the last step.
struct PathStep {
  std::string path;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string group;  // its name; the number if it has none
  mode_t mode = 0;    // the permissions
};

// The members of a grant in words; and what else than their tokens it gives, ", and may …".
std::string members_of(const GrantSettings& grant);
std::string rights_of(const GrantSettings& grant);

// Whether the user can connect: it must be allowed to enter each folder and to write to the socket.
// Does not look at access lists.
Finding judge_way(const UserIds& user, const std::vector<PathStep>& way);

// A note if the user, who may fetch tokens, can also read the roster; none: it cannot. `way` leads
// to the roster.
std::optional<Finding> judge_roster_reader(const UserIds& user, const std::vector<PathStep>& way);

// Which members' tokens the user gets. `grants` are those of the settings, and `resolved` the same
// grants with ids, in the same order. `daemon_uid`: the user that rotad runs as.
Finding judge_grants(const UserIds& user, std::uint32_t daemon_uid,
                     const std::vector<GrantSettings>& grants, const std::vector<Grant>& resolved);

}  // namespace rota::cli

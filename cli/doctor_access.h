#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/access.h"
#include "cli/findings.h"
#include "settings/settings.h"

// Whether a user gets tokens: by the way to the socket, and by a grant. Pure.
namespace rota::cli {

struct UserIds {
  std::string name;
  std::uint32_t uid = 0;
  std::vector<std::uint32_t> groups;  // the primary one and all others
};

// A folder on the way to the socket, or the socket itself, the last.
struct PathStep {
  std::string path;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string group;  // its name, or the number
  mode_t mode = 0;    // the permissions
};

// Connecting needs the right to pass each folder and to write the socket. Access lists are not
// looked at.
Finding judge_way(const UserIds& user, const std::vector<PathStep>& way);

// Whether the user, who may fetch tokens, can read the roster as well; nothing to say if not. `way`
// is the way to the roster.
std::optional<Finding> judge_roster_reader(const UserIds& user, const std::vector<PathStep>& way);

// Which members the user gets. `grants` are the settings' own, `resolved` what they came to, in the
// same order.
Finding judge_grants(const UserIds& user, std::uint32_t daemon_uid,
                     const std::vector<GrantSettings>& grants, const std::vector<Grant>& resolved);

}  // namespace rota::cli

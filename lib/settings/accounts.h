#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/access.h"
#include "base/result.h"
#include "settings/settings.h"

namespace rota {

// The id of a user or group of this system. If no account has the name, a decimal number counts as
// the id itself: a container has users without a name. Both block while the system's name services
// answer, so a running daemon calls them on a thread of its own. Errors, each with the name in the
// message: kConfig, there is no such user or group; kIo, the name services cannot tell now.
Result<std::uint32_t> find_user(const std::string& name);
Result<std::uint32_t> find_group(const std::string& name);

// The ids that the kernel shows for users and groups of other user namespaces. Reads them from
// /proc; the defaults hold if they are not there.
struct OverflowIds {
  std::uint32_t user = 65'534;
  std::uint32_t group = 65'534;
};
OverflowIds overflow_ids();

// The grants with the ids of their holders; blocks like find_user(). kConfig, with file and line: a
// user or group does not exist, or is one of overflow_ids(), so that a grant to it would be a grant
// to all users of other namespaces.
Result<std::vector<Grant>> resolve_grants(const std::vector<GrantSettings>& grants);

// A grant that is not in force, because its holder is not known.
struct HeldGrant {
  std::string why;        // names file and line
  bool is_wrong = false;  // true: looking the name up again cannot help
};
// The ids of holders as they were last looked up, by kind and name.
using HolderIds = std::map<std::pair<GrantSettings::Holder, std::string>, std::uint32_t>;
// What became of a list of grants: each is in `grants` or in `held`.
struct Grantees {
  std::vector<Grant> grants;  // those whose holder is known
  std::vector<HeldGrant> held;
  HolderIds ids;  // of the holders of `grants`

  // Whether to look the names up again: one of `held` may be found later, such as a user of a
  // directory service that is not up yet at boot.
  bool may_come() const;
};
// Looks up the holder of each grant; blocks like find_user(). A holder keeps its id from `known` if
// the name services cannot tell now.
Grantees find_grantees(const std::vector<GrantSettings>& grants, const HolderIds& known = {});
// The same from `known` alone. Does not block.
Grantees known_grantees(const std::vector<GrantSettings>& grants, const HolderIds& known);

}  // namespace rota

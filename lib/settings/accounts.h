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

// Users and groups of the system, by name, or by number where no account has that name: containers
// have users without a name. These ask the system's name services, which may block for long: a
// running daemon asks on a thread of its own. kConfig: there is none. kIo: the services cannot tell
// now. The message is a sentence about the name.
Result<std::uint32_t> find_user(const std::string& name);
Result<std::uint32_t> find_group(const std::string& name);

// The ids that the kernel shows in the place of users and groups of other user namespaces.
struct OverflowIds {
  std::uint32_t user = 65'534;
  std::uint32_t group = 65'534;
};
OverflowIds overflow_ids();

// The grants with their holders resolved. kConfig, naming file and line: a user or group that does
// not exist, or one that stands for strangers, since a grant to those were a grant to all.
Result<std::vector<Grant>> resolve_grants(const std::vector<GrantSettings>& grants);

// A grant whose holder cannot be had now.
struct HeldGrant {
  std::string why;        // names file and line
  bool is_wrong = false;  // for good: looking the name up again would not help
};
// The ids of holders as they were last looked up.
using HolderIds = std::map<std::pair<GrantSettings::Holder, std::string>, std::uint32_t>;
struct Grantees {
  std::vector<Grant> grants;  // of those whose holder is known
  std::vector<HeldGrant> held;
  HolderIds ids;

  bool may_come() const;  // one that is held may be had later, such as a directory's user at boot
};
// Resolves each grant for itself. While the services cannot tell, a holder keeps the id of `known`.
Grantees find_grantees(const std::vector<GrantSettings>& grants, const HolderIds& known = {});
// The same from what is known alone, without asking anybody.
Grantees known_grantees(const std::vector<GrantSettings>& grants, const HolderIds& known);

}  // namespace rota

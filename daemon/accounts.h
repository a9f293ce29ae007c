#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "daemon/settings.h"
#include "serve/access.h"

namespace rota {

// Users and groups of the system, by name, or by number where no account has that name: containers
// have users without a name. These ask the system's name services, which may block, so they run at
// the start and at a reload only. kConfig: there is none. kIo: the services cannot tell now. The
// message is a sentence about the name.
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

}  // namespace rota

#pragma once

#include <string>
#include <vector>

#include "cli/doctor_access.h"
#include "cli/doctor_status.h"
#include "cli/findings.h"
#include "roster/roster.h"
#include "settings/settings.h"

// Whom grants reach, and what their holders get.
namespace rota::cli {

// A note for each grant that gives nobody's token: no member of the roster has its tags, and none
// is one of its keys. Not for a grant of "*", nor if some grant lets clients enrol members, who may
// be these. Pure.
Findings judge_reach(const std::vector<GrantSettings>& grants, const Roster& roster);

// Whose tokens the [[client]] gets, and what else it may do. Pure.
Finding judge_client(const std::string& name, const Settings& settings);

// The ids of a user of this system, and the groups of it. kConfig, kIo: as find_user().
Result<UserIds> user_ids(const std::string& name);
// The same of the user that a systemd unit runs as, with the unit's own groups. `shown`: its
// properties. kConfig: there is no such unit, or its user is made when it starts (DynamicUser=).
Result<UserIds> unit_ids(const std::string& unit, const UnitProperties& shown);

// The steps from the root to `path`. None: one does not exist, or this user may not see it.
std::optional<std::vector<PathStep>> way_to(const std::string& path);

}  // namespace rota::cli

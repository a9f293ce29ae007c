#pragma once

#include <string>
#include <vector>

#include "settings/settings.h"

namespace rota {

// The sections of the configuration in which something has changed that no reload takes in. A
// reload takes in the grants, the app token's place and the log level. Sections are compared as a
// whole: a setting that is added needs a restart unless an exception is made for it here. Pure.
std::vector<std::string> restart_needed(const Settings& in_force, const Settings& on_disk);

}  // namespace rota

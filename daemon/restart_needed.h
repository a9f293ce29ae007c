#pragma once

#include <string>
#include <vector>

#include "settings/settings.h"

namespace rota {

// The names of the sections with a change that needs a restart. A reload applies the grants, the
// place of the app token and the log level. Sections are compared as a whole, so a new setting
// needs a restart unless an exception for it is made here. Pure.
std::vector<std::string> restart_needed(const Settings& in_force, const Settings& on_disk);

}  // namespace rota

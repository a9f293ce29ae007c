#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace rota {

// `rotad --check`: reads configuration and roster, compares with the store where it may be opened,
// and returns the lines to print. Changes nothing.
Result<std::string> check_configuration(const std::string& config_path, const Clock& clock);

}  // namespace rota

#pragma once

#include <string>

#include "base/result.h"
#include "base/time.h"

namespace rota {

// `rotad --check`: reads configuration and roster, compares the roster with the database if it can
// be opened, and returns the lines to print. Changes nothing on disk and calls nobody. If root runs
// it, the process becomes the user that owns the database. Blocks on the disk and on name services.
// kConfig: the error that the start would end with.
Result<std::string> check_configuration(const std::string& config_path, const Clock& clock);

}  // namespace rota

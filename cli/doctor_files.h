#pragma once

#include <sys/types.h>

#include <string>

#include "cli/findings.h"

namespace rota::cli {

// What is wrong with one token file of `rota files`: whether the configuration at `config` names
// it, its folder is safe for a service that runs as `service`, and it is there as it was asked for.
// Blocks on the disk.
Findings judge_token_file(const std::string& config, const std::string& path, uid_t service);

}  // namespace rota::cli

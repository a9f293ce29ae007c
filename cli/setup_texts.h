#pragma once

#include <string>
#include <vector>

#include "cli/setup_files.h"
#include "model/member_key.h"

// The files that `rota setup` writes first. Pure.
namespace rota::cli {

// All at its default but for what is under another root.
std::string first_config(const Places& places);
// Without members it has an example that is commented out.
std::string first_roster(const std::vector<MemberKey>& members);
// For rotad.service.d: both credentials, sealed.
std::string encrypted_drop_in(const Places& places);

}  // namespace rota::cli

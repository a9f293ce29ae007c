#pragma once

#include <string>
#include <vector>

#include "cli/setup_files.h"
#include "model/member_key.h"

// The files that `rota setup` writes first. Pure.
namespace rota::cli {

// Everything at its default, except paths below another root, and the base URL if there is one.
std::string first_config(const Places& places, const std::string& base_url);
// Without members: an example, commented out.
std::string first_roster(const std::vector<MemberKey>& members);
// A drop-in for rotad.service that loads both credentials sealed.
std::string encrypted_drop_in(const Places& places);

}  // namespace rota::cli

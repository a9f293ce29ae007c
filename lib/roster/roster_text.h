#pragma once

#include <span>
#include <string>
#include <string_view>

#include "roster/roster.h"

namespace rota {

// `text`, which is UTF-8, as a TOML string in quotes. Characters that a reader does not see, or
// that change what it sees of others, are escaped, so that nobody's name can hide something in the
// file.
std::string toml_string(std::string_view text);

// The entries as [[member]] tables, each with an empty line in front. parse_roster() reads the same
// entries from it.
std::string roster_text(std::span<const RosterEntry> entries);

}  // namespace rota

#pragma once

#include <string>
#include <string_view>

namespace rota::cli {

// What stands below the help of rota itself.
std::string_view footer_of_all();

// Under which heading the help lists this command; empty: it is none of rota's.
std::string group_of(std::string_view command);

// Two command lines for the help of this command, "rota plan", as they may be typed; empty: it is
// none of rota's.
std::string examples_of(std::string_view command);

}  // namespace rota::cli

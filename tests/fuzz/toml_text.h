#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace rota::fuzz {

// A text as a TOML basic string, with its quotes.
std::string toml_string(std::string_view text);

// What every error of a file that people write must be: kConfig, one line that begins with the
// file's name and a line number, of bounded length, without what a terminal would obey.
void check_file_error(const Error& error, std::string_view file);

}  // namespace rota::fuzz

#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rota::testing {

// Requests of the kind that servers have been tricked with: each must get 400 and a close, for what
// stands behind it might be read in two ways. Parser, socket and fuzzer share the list.
std::vector<std::string> http_oddities();

// The same for what is well formed and too large: 431 and a close.
std::vector<std::string> http_oversizes();

// A good request but for these lines, each with its CR LF.
std::string with_fields(std::string_view fields);

}  // namespace rota::testing

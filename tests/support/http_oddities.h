#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace rota::testing {

// Requests like those that have tricked servers. Each must get 400 and a close, because what
// follows it could be read in two ways. The tests of the parser, of the socket and the fuzzer share
// the list.
std::vector<std::string> http_oddities();

// Requests that are well formed but too large: 431 and a close.
std::vector<std::string> http_oversizes();

// Bodies behind "Transfer-Encoding: chunked" that are not well formed: 400 and a close. Each has
// reached the byte with the error.
std::vector<std::string> chunk_oddities();

// A good request with these header lines added, each with its CR LF.
std::string with_fields(std::string_view fields);

}  // namespace rota::testing

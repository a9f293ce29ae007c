#pragma once

#include <span>
#include <string>

namespace rota {

// `message`, which a parser wrote about a command line with these arguments. Each argument that may
// be a secret, or the part of it after "=" or a dash, is replaced by words that say so (P10).
std::string without_secret_arguments(std::string message, std::span<const char* const> arguments);

}  // namespace rota

#pragma once

#include <span>
#include <string>

namespace rota {

// A parser's message about a command line, without the arguments in it that may be a secret (P10).
std::string without_secret_arguments(std::string message, std::span<const char* const> arguments);

}  // namespace rota

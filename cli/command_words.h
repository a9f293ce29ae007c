#pragma once

#include <CLI/App.hpp>
#include <vector>

#include "cli/completion.h"

namespace rota::cli {

// The commands of the command line, but for the hidden ones. Pure.
std::vector<CommandWords> words_of(const CLI::App& app);

}  // namespace rota::cli

#include "cli/command_words.h"

#include <CLI/CLI.hpp>
#include <string>
#include <utility>

namespace rota::cli {

std::vector<CommandWords> words_of(const CLI::App& app) {
  std::vector<CommandWords> all;
  for (const CLI::App* each : app.get_subcommands({})) {
    if (each->get_group().empty()) continue;  // hidden
    CommandWords command{.name = each->get_name(), .about = each->get_description()};
    for (const CLI::Option* option : each->get_options()) {
      if (option->get_positional() && option->get_type_name() == "KEY") command.takes_keys = true;
      for (const std::string& name : option->get_lnames()) command.options.push_back("--" + name);
    }
    all.push_back(std::move(command));
  }
  return all;
}

}  // namespace rota::cli

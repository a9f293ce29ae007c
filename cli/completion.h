#pragma once

#include <string>
#include <string_view>
#include <vector>

// Scripts that complete the words of `rota` in a shell. They ask `rota complete-keys` for member
// keys. Pure.
namespace rota::cli {

enum class Shell { kBash, kZsh, kFish };

// One command as the command line has it.
struct CommandWords {
  std::string name;
  std::string about;
  std::vector<std::string> options{};  // "--json"
  bool takes_keys = false;
};

// Prints the script.
struct CompletionCommand {
  Shell shell = Shell::kBash;
  std::vector<CommandWords> commands{};
};

std::string completion_script(Shell shell, const std::vector<CommandWords>& commands);

// Of these keys the ones that begin with `prefix`, one a line, but for those that a shell would not
// take as they are.
std::string keys_with(const std::vector<std::string>& keys, std::string_view prefix);

}  // namespace rota::cli

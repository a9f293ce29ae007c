#include "cli/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.h"
#include "base/text.h"

namespace rota::cli {
namespace {

std::string names_of(const std::vector<CommandWords>& commands, bool only_with_keys,
                     std::string_view between) {
  std::vector<std::string> names;
  for (const CommandWords& command : commands) {
    if (!only_with_keys || command.takes_keys) names.push_back(command.name);
  }
  return fmt::to_string(fmt::join(names, between));
}

// bash breaks words at colons, which keys have: only what follows the last one is replaced.
std::string for_bash(const std::vector<CommandWords>& commands) {
  std::string cases;
  for (const CommandWords& command : commands) {
    cases +=
        fmt::format("    {}) options='{}' ;;\n", command.name, fmt::join(command.options, " "));
  }
  return fmt::format(R"sh(# Completion of rota(1) for bash.
_rota() {{
  local line=${{COMP_LINE:0:COMP_POINT}} word command options='' found community=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  if [[ ${{words[1]-}} == -C || ${{words[1]-}} == --community ]] && ((${{#words[@]}} > 3)); then
    community=(--community "${{words[2]}}") words=(rota "${{words[@]:3}}")
  fi
  word=${{words[-1]}} command=${{words[1]-}}
  if ((${{#words[@]}} <= 2)); then
    mapfile -t COMPREPLY < <(compgen -W '{} --community --socket --version --help' -- "$word")
    return
  fi
  case $command in
{}  esac
  COMPREPLY=()
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    return
  fi
  case $command in
    {})
      while read -r found; do
        [[ $word == *:* ]] && found=${{found#"${{word%:*}}:"}}
        COMPREPLY+=("$found")
      done < <(rota "${{community[@]}}" complete-keys "$word" 2>/dev/null)
      ;;
  esac
}}
complete -o default -F _rota rota
)sh",
                     names_of(commands, false, " "), cases, names_of(commands, true, "|"));
}

std::string for_zsh(const std::vector<CommandWords>& commands) {
  std::string described, cases;
  for (const CommandWords& command : commands) {
    described += fmt::format("    {}\n", shell_word(command.name + ":" + command.about));
    cases +=
        fmt::format("    {}) options=({}) ;;\n", command.name, fmt::join(command.options, " "));
  }
  return fmt::format(R"sh(#compdef rota
# Completion of rota(1) for zsh.
_rota() {{
  local -a commands options keys community
  if [[ $words[2] == (-C|--community) ]] && ((CURRENT > 3)); then
    community=(--community $words[3])
    words=($words[1] $words[4,-1])
    ((CURRENT -= 2))
  fi
  commands=(
{}  )
  if ((CURRENT == 2)); then
    _describe command commands
    return
  fi
  case $words[2] in
{}  esac
  if [[ $PREFIX == -* ]]; then
    compadd -- $options
    return
  fi
  case $words[2] in
    {})
      keys=(${{(f)"$(rota $community complete-keys "$PREFIX" 2>/dev/null)"}})
      compadd -- $keys
      ;;
    *) _files ;;
  esac
}}
_rota "$@"
)sh",
                     described, cases, names_of(commands, true, "|"));
}

std::string for_fish(const std::vector<CommandWords>& commands) {
  std::string text = "# Completion of rota(1) for fish.\n";
  for (const CommandWords& command : commands) {
    text += fmt::format("complete -c rota -f -n __fish_use_subcommand -a {} -d {}\n", command.name,
                        shell_word(command.about));
    for (const std::string& option : command.options) {
      text += fmt::format("complete -c rota -n '__fish_seen_subcommand_from {}' -l {}\n",
                          command.name, option.substr(2));
    }
  }
  return text + fmt::format(
                    "complete -c rota -f -n '__fish_seen_subcommand_from {}' -a '(rota "
                    "complete-keys (commandline -ct) 2>/dev/null)'\n",
                    names_of(commands, true, " "));
}

}  // namespace

std::string completion_script(Shell shell, const std::vector<CommandWords>& commands) {
  switch (shell) {
    case Shell::kBash:
      return for_bash(commands);
    case Shell::kZsh:
      return for_zsh(commands);
    case Shell::kFish:
      return for_fish(commands);
  }
  ROTA_CHECK(false);
}

std::string keys_with(const std::vector<std::string>& keys, std::string_view prefix) {
  std::string text;
  for (const std::string& key : keys) {
    if (key.starts_with(prefix) && shell_word(key) == key) text += key + "\n";
  }
  return text;
}

}  // namespace rota::cli

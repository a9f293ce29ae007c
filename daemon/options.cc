#include "daemon/options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <span>
#include <sstream>

#include "base/secret_arguments.h"
#include "base/text.h"
#include "daemon/version.h"

namespace rota {

DaemonOptions read_options(int argc, char** argv) {
  DaemonOptions options;
  bool check = false;
  CLI::App app{
      "rotad keeps the tokens of a Circle community's members fresh and serves them on a Unix "
      "socket"};
  app.add_option("--config", options.config, "the configuration")->capture_default_str();
  app.add_flag(
      "--check", check,
      "read configuration and roster, print what would change and what it costs, and exit");
  app.set_version_flag("--version", std::string("rotad ") + std::string(kVersion));
  const CLI::App* keygen = app.add_subcommand("keygen", "print a new store key and exit");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kUsage = 64;  // EX_USAGE
    options.command = DaemonCommand::kExit;
    std::ostringstream out;
    std::ostringstream err;
    options.exit_code = app.exit(error, out, err) == 0 ? 0 : kUsage;
    options.said = out.str();
    // It quotes the wrong word, which may be a secret in a wrong place (P10).
    const std::span<const char* const> words(argv, static_cast<std::size_t>(argc));
    std::cerr << visible(without_secret_arguments(err.str(), words.subspan(1)), "\n");
    return options;
  }
  if (*keygen) options.command = DaemonCommand::kKeygen;
  if (check) options.command = DaemonCommand::kCheck;
  return options;
}

}  // namespace rota

#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/clients_command.h"
#include "cli/doctor.h"
#include "cli/exec_command.h"
#include "cli/files_command.h"
#include "cli/import.h"
#include "cli/setup.h"

// The command lines of the commands that work without the daemon. Each function adds one to `app`,
// which fills in what it is given, and returns it; it is app's own.
namespace rota::cli {

struct SetupWords {
  SetupCommand& setup;
  std::vector<std::string>& members;  // its members, not read yet
  bool& no_check;
  bool& json;
};
CLI::App* add_setup(CLI::App& app, SetupWords words);
CLI::App* add_doctor(CLI::App& app, DoctorCommand& doctor, bool& no_check, bool& json);
// `by`: a word that check_selector() takes.
CLI::App* add_import(CLI::App& app, ImportCommand& lists, std::string& by, bool& json);
CLI::App* add_client(CLI::App& app, ClientCommand& client, bool& json);
CLI::App* add_files(CLI::App& app, FilesCommand& files);
// `keys`, `signal`: not read yet.
struct ExecWords {
  ExecCommand& exec;
  std::vector<std::string>& keys;
  std::string& signal;
};
CLI::App* add_exec(CLI::App& app, ExecWords words);
// Reads them. Returns what is wrong, for people; empty: nothing.
std::string settle_exec(ExecWords words);
// The words of `rota exec … -- COMMAND` up to the "--", and in `command` those behind it. All words
// of any other command line.
std::vector<const char*> without_command(int argc, const char* const* argv,
                                         std::vector<std::string>& command);

}  // namespace rota::cli

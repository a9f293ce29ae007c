#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rota {

// What became of each part of a reload. Each part comes into force on its own. A plain value.
struct ReloadReport {
  enum class Part {
    kInForce,  // as it is on disk
    kWaiting,  // read, but only partly in force: it waits for the roster or for an operator
    kFailed,   // what was in force before stays; grants that are gone on disk are withdrawn
  };

  Part configuration = Part::kInForce;
  Part grants = Part::kInForce;
  Part app_token = Part::kInForce;
  Part roster = Part::kInForce;
  std::vector<std::string> needs_restart;  // sections with changes that a reload does not apply
  std::vector<std::string> changed;        // what else than the roster, as "clients: 1 added"
  std::vector<std::string> held_back;      // why grants are held back, one sentence each
  std::vector<std::string> problems;       // a sentence for each part that failed
  std::optional<ErrorKind> kind;           // of the first problem

  void add(const Error& error) {
    if (!kind) kind = error.kind;
    problems.push_back(error.message);
  }
  bool failed() const { return !problems.empty(); }
};

// How many of a kind a reload added, changed and removed.
struct ReloadChanges {
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;
};
// "clients: 1 added, 2 removed"; empty if nothing changed.
std::string changes_in(std::string_view what, const ReloadChanges& changes);

// The error of a failed reload: all its problems, and what came into force nevertheless.
Error error_of(const ReloadReport& report);
// A plan's JSON with the member "reload" added: {"configuration","grants","app_token","roster",
// "needs_restart","held_back","changed"}.
std::string with_report(std::string plan_json, const ReloadReport& report);
// What to log as warnings, whether or not the reload failed.
std::vector<std::string> warnings_of(const ReloadReport& report);

}  // namespace rota

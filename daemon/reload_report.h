#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rota {

// What became of each part of one reload. The parts come into force each for itself.
struct ReloadReport {
  enum class Part {
    kInForce,  // as it is on disk
    kWaiting,  // read, and partly in force: something else comes first
    kFailed,   // what was in force before stays so
  };

  Part configuration = Part::kInForce;
  Part grants = Part::kInForce;
  Part app_token = Part::kInForce;
  Part roster = Part::kInForce;
  std::vector<std::string> needs_restart;  // sections that changed and that no reload takes in
  std::vector<std::string> held_back;      // grants whose holder is not there, and why
  std::vector<std::string> problems;       // a sentence for each part that failed
  std::optional<ErrorKind> kind;           // of the first problem

  void add(const Error& error) {
    if (!kind) kind = error.kind;
    problems.push_back(error.message);
  }
  bool failed() const { return !problems.empty(); }
};

// What the reload failed with, and what came into force all the same.
Error error_of(const ReloadReport& report);
// A plan's JSON with the member "reload" added: {"configuration","grants","app_token","roster",
// "needs_restart","held_back"}.
std::string with_report(std::string plan_json, const ReloadReport& report);
// Warnings of a reload that did not fail, for the log.
std::vector<std::string> warnings_of(const ReloadReport& report);

}  // namespace rota

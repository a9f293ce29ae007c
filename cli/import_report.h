#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "model/member_key.h"
#include "plan/policy.h"
#include "roster/roster.h"

// What `rota import` says. Pure.
namespace rota::cli {

enum class ImportEnding { kWritten, kSame, kDryRun };

struct ImportReport {
  std::string out;
  std::size_t members = 0;
  std::string size;                // of the new file, in words
  std::vector<std::string> notes;  // what else a person should know
  ImportEnding ending = ImportEnding::kWritten;

  // What changes; each list is sorted.
  std::vector<MemberKey> add;     // new, or retired until now
  std::vector<MemberKey> change;  // another name, other tags or another spelling
  std::vector<MemberKey> retire;  // still listed, no longer active
  std::vector<MemberKey> remove;  // no longer listed
  std::size_t leavers = 0;        // those that were active: `retire`, and some of `remove`
  std::size_t active = 0;         // before
  bool held = false;              // the guard would hold the leavers
  std::size_t calls = 0;          // to Circle, about: the daemon knows which tokens are alive
  Policy policy;
};

// `before` and `after` are the whole roster without and with the new file.
ImportReport report_import(const Roster& before, const Roster& after, const Policy& policy);

std::string describe_import(const ImportReport& report);
// The same as JSON, with all keys in its lists, and named as in the daemon's plan.
std::string import_json(const ImportReport& report);

}  // namespace rota::cli

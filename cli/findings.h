#pragma once

#include <string>
#include <vector>

// What `rota doctor` tells: one line for each thing it looked at.
namespace rota::cli {

enum class FindingState {
  kGood,
  kNote,   // worth knowing; nothing is wrong
  kWrong,  // something does not work, or is open to somebody
};

struct Finding {
  std::string about;  // a word: "grants"
  FindingState state = FindingState::kGood;
  std::string text;
  std::string remedy;  // what to do; empty where nothing is to be done

  bool operator==(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

Finding good(std::string about, std::string text);
Finding note(std::string about, std::string text, std::string remedy = {});
Finding wrong(std::string about, std::string text, std::string remedy);

bool all_well(const Findings& findings);
// A line each, those that are wrong first; what others wrote comes out visible().
std::string describe_findings(const Findings& findings);
// {"ok":…,"findings":[{"about":…,"state":"good|note|wrong","text":…,"do":…}]} and a line's end.
std::string findings_json(const Findings& findings);

}  // namespace rota::cli

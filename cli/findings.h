#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

// What `rota doctor` prints: one line for each thing that it checked.
namespace rota::cli {

enum class FindingState {
  kGood,
  kNote,   // worth knowing; nothing is wrong
  kWrong,  // something does not work, or others have access to it
};

struct Finding {
  std::string about;  // one word: "grants"
  FindingState state = FindingState::kGood;
  std::string text;
  std::string remedy;  // what to do; empty: nothing
  bool asked = false;  // somebody asked for it, so it is shown even if it is good

  bool operator==(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

Finding good(std::string about, std::string text);
Finding note(std::string about, std::string text, std::string remedy = {});
Finding wrong(std::string about, std::string text, std::string remedy);

bool all_well(const Findings& findings);
// One line each, the wrong ones first, made visible(). A remedy that several have stands behind the
// first of them. Without `all`, the last line counts the good ones. `columns`: of the terminal, at
// which long ones are folded.
std::string describe_findings(const Findings& findings, bool all,
                              std::optional<std::size_t> columns = {});
// {"ok":…,"findings":[{"about":…,"state":"good|note|wrong","text":…,"do":…}]} and a newline.
std::string findings_json(const Findings& findings);

}  // namespace rota::cli

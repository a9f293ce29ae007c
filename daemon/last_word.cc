#include "daemon/last_word.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <vector>

#include "base/text.h"

namespace rota {

LastWord last_word(const Ending& ending) {
  std::vector<std::string> left;
  if (ending.changes_left) {
    left.push_back(
        ending.commit_error.empty()
            ? "the last changes are not committed"
            : fmt::format("the last changes are not committed: {}", ending.commit_error));
  }
  if (!ending.database_problem.empty() && ending.database_problem != ending.commit_error) {
    left.push_back(ending.database_problem);
  }
  if (ending.audit_left > 0) {
    left.push_back(counted(ending.audit_left, "entry of the audit trail is not written",
                           "entries of the audit trail are not written"));
  }
  const bool all_is_durable = left.empty();
  if (ending.calls_in_flight > 0) {
    left.push_back(counted(ending.calls_in_flight, "call was in flight", "calls were in flight") +
                   ", and the next start learns of that from the call journal");
  }
  if (!left.empty()) {
    return {.severity = Severity::kError,
            .text = fmt::format("not everything ended well: {}", fmt::join(left, "; ")),
            .all_is_durable = all_is_durable};
  }
  if (!ending.in_time) {
    return {.severity = Severity::kWarning,
            .text = "all calls are finished and committed, but not all connections ended in time"};
  }
  return {.text = "all calls are finished and committed"};
}

}  // namespace rota

#include "cli/setup_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/text.h"
#include "cli/columns.h"

namespace rota::cli {

namespace json = boost::json;

Result<void> SetupReport::say(std::string_view text) {
  return as_json_ ? Result<void>{} : output_.out(visible(text, "\n"));
}

Result<void> SetupReport::say_folded(std::string_view line) {
  const auto columns = output_.columns();
  return say(columns ? wrapped(trim(line), *columns, 0) : std::string(line));
}

Result<void> SetupReport::kept(std::string_view file) {
  kept_.emplace_back(file);
  return say(fmt::format("kept: {}\n", file));
}

Result<void> SetupReport::done(std::string_view step) {
  done_.emplace_back(step);
  return say(fmt::format("done: {}\n", step));
}

Result<void> SetupReport::app_token(std::string_view said) {
  app_token_ += said;
  return say_folded(said);
}

Result<void> SetupReport::checked(bool good, std::string_view said) {
  is_good_ = good;
  check_ = said;
  return say(said);
}

Result<void> SetupReport::next(std::string_view lines) {
  for (std::string_view rest = lines; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    next_.emplace_back(line);
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  return say(lines);
}

Result<void> SetupReport::finish(std::string_view problem) {
  if (!as_json_) return {};
  const json::object all{{"ok", is_good_ && problem.empty()},
                         {"kept", kept_},
                         {"done", done_},
                         {"app_token", trim(app_token_)},
                         {"check", trim(check_)},
                         {"next", next_},
                         {"problem", problem}};
  return output_.out(visible_json(json::serialize(all)) + "\n");
}

}  // namespace rota::cli

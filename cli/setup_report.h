#pragma once

#include <boost/json/array.hpp>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/output.h"

namespace rota::cli {

// What `rota setup` tells: lines as they come, for a person, or with --json one object at the end.
// What others wrote is made visible(). Each method fails if the output cannot be written.
class SetupReport {
 public:
  // `output` must outlive this.
  SetupReport(bool as_json, Output& output) : as_json_(as_json), output_(output) {}

  bool is_json() const { return as_json_; }
  // Only for a person. `text` has its end.
  Result<void> say(std::string_view text);
  // The same of one line of prose, which is folded to the terminal's width.
  Result<void> say_folded(std::string_view line);
  // A file that was there and stays as it is.
  Result<void> kept(std::string_view file);
  // A step that was carried out.
  Result<void> done(std::string_view step);
  // What the server in base_url said of the app token; with its end.
  Result<void> app_token(std::string_view said);
  // What rotad --check printed.
  Result<void> checked(bool good, std::string_view said);
  // What to do now; each line with its end.
  Result<void> next(std::string_view lines);
  // The object; nothing for a person. `problem`: why setup failed, or did not do all; else empty.
  Result<void> finish(std::string_view problem);

 private:
  const bool as_json_;
  Output& output_;
  boost::json::array kept_;
  boost::json::array done_;
  boost::json::array next_;
  std::string app_token_;
  std::string check_;
  bool is_good_ = false;  // by rotad --check
};

}  // namespace rota::cli

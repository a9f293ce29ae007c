#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "cli/audit_screen.h"
#include "model/notable.h"

namespace rota::cli {

// Turns entries of the audit trail into lines of plain words, in the order in which they come: a
// start that no stop came before says so. Pure, but for `name_of_user`.
class EventLines {
 public:
  // `columns`: of the terminal; none: nothing is cut.
  EventLines(std::optional<std::size_t> columns, UserName name_of_user)
      : columns_(columns), name_of_user_(std::move(name_of_user)) {}

  // The line of an entry of GET /v1/audit, with its end. Empty: it is none for operators
  // (is_notable()). What others wrote is made visible(). `now`: times of another day have a date.
  std::string line(const boost::json::object& entry, WallTime now);

 private:
  std::string words_of(const Notable& event, const boost::json::object& entry);
  std::string start_words(std::string_view words, const std::string& detail);

  const std::optional<std::size_t> columns_;
  const UserName name_of_user_;
  bool runs_ = false;  // the last start or stop was a start
};

}  // namespace rota::cli

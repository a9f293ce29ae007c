#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"

// `rota members` for a person: which of the daemon's rows, in which order, and how they look. Names
// and tags of others are made visible(). Pure.
namespace rota::cli {

// Which members to show, of those that the daemon lists. `now` is this machine's clock throughout.
struct MembersFilter {
  bool retired = false;  // those too
  bool overdue = false;  // only those that are to be kept fresh and have no live token
  std::string tag{};     // only those with this tag; empty: any
  std::string find{};    // only those with this text in a key or the name, in any case
};
bool is_wanted(const boost::json::object& member, const MembersFilter& filter, WallTime now);

// Whom somebody should look at, before all others; then by key, as a person sorts.
void sort_members(std::vector<boost::json::object>& members, WallTime now);

struct MembersLook {
  // Of the terminal: longer texts are cut to fit. None: nothing is cut, for a pipe or --wide.
  std::optional<std::size_t> columns{};
  bool utc = false;  // times in UTC, instead of "in 43 min"
};
// A heading and one line for each.
std::string members_table(const std::vector<boost::json::object>& members, const MembersLook& look,
                          WallTime now);

// "in 43 min", "12 s ago", "now".
std::string relative(WallTime time, WallTime now);

}  // namespace rota::cli

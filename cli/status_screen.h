#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <string>

#include "base/time.h"

namespace rota::cli {

// One screen of a terminal: at most so many lines, each of at most so many columns.
inline constexpr std::size_t kScreenLines = 23;
inline constexpr std::size_t kScreenColumns = 80;

// The body of GET /v1/status for a person: first whether the daemon is ready, and if it is not, why
// and what to do; then the members, Circle, and this machine. `now` is this machine's clock. A
// field that is missing (another version of the daemon) is left out. What others wrote is made
// visible(). Pure.
std::string status_screen(const boost::json::object& status, WallTime now);

}  // namespace rota::cli

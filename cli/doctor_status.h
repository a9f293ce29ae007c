#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "cli/findings.h"

// What the daemon says about itself, and systemd about the units, as findings. Pure.
namespace rota::cli {

// Judges the body of GET /v1/status: readiness, calls, clock and budget. A field that is missing
// (an older daemon) is not judged. `seen`: what other findings are about that are wrong; a reason
// that says the same is left out.
Findings judge_status(const boost::json::object& status, const std::set<std::string>& seen = {});

// Members in the state "unknown" or "mismatched", of which there are `count`. `page`: the first of
// them, as GET /v1/members has them; of any other form if it could not be asked.
Finding judge_strangers(std::string_view state, std::size_t count, const boost::json::value& page);
inline constexpr std::size_t kStrangersShown = 5;

// What to do about a reason for which the daemon is not ready, by its code in GET /v1/status.
std::string remedy_of(std::string_view code);

// The output of `systemctl show UNIT`: its properties by name.
using UnitProperties = std::map<std::string, std::string, std::less<>>;
UnitProperties parse_unit_properties(std::string_view text);
Finding judge_unit(const std::string& unit, const UnitProperties& properties);
// Of the unit that holds the port of a [[listener]]. rotad opens the port itself without it.
inline constexpr const char* kClientUnit = "rotad-client.socket";
Finding judge_client_unit(const UnitProperties& properties);

}  // namespace rota::cli

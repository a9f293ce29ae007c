#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>

#include "cli/findings.h"

// What the daemon and systemd say of themselves, as findings. Pure.
namespace rota::cli {

// Of GET /v1/status: readiness, clock skew, budget, Circle. A field that is missing is not judged.
Findings judge_status(const boost::json::object& status);

// Of `systemctl show UNIT`: its properties by name.
using UnitProperties = std::map<std::string, std::string, std::less<>>;
UnitProperties parse_unit_properties(std::string_view text);
Finding judge_unit(const std::string& unit, const UnitProperties& properties);

}  // namespace rota::cli

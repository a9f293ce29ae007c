#pragma once

#include <string>

#include "report/health.h"

namespace rota {

// What GET /v1/status answers. Pure; no token in it.
std::string status_json(const Health& health);

// One line for systemd's STATUS= and for people: what is wrong, how many members are fresh, what
// comes next.
std::string status_line(const Health& health);

}  // namespace rota

#pragma once

#include <string>

#include "report/health.h"

namespace rota {

// What GET /metrics answers, in Prometheus' text format. No label holds what came from outside.
std::string metrics_text(const Health& health);

}  // namespace rota

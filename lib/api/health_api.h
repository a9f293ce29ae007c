#pragma once

#include "api/routes.h"

namespace rota {

// /healthz (always ok while the loop runs), /readyz and /metrics. These routes need no grant.
Answer answer_alive(const Asking& asking, const HealthServices& services);
Answer answer_ready(const Asking& asking, const HealthServices& services);
Answer answer_metrics(const Asking& asking, const HealthServices& services);

}  // namespace rota

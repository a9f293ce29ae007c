#pragma once

#include <optional>

#include "api/answer.h"
#include "api/services.h"
#include "http/http_head.h"

namespace rota {

// Answers /healthz (always ok while the loop runs), /readyz and, if `with_metrics`, /metrics.
// Nullopt for any other path. These routes need no grant and ignore the query, since some probes
// put a number there.
std::optional<Answer> answer_health(const RequestHead& request, const HealthService& health,
                                    bool with_metrics);

}  // namespace rota

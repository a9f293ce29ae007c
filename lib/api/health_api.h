#pragma once

#include <optional>

#include "api/answer.h"
#include "api/services.h"
#include "http/http_head.h"

namespace rota {

// Answers /healthz, which needs nothing but the loop to turn, /readyz and, where it is wanted,
// /metrics; none for every other path. These need no grant, and ignore what follows a "?": some
// probes put a number there.
std::optional<Answer> answer_health(const RequestHead& request, const HealthService& health,
                                    bool with_metrics);

}  // namespace rota

#include "api/health_api.h"

#include "report/health.h"
#include "report/metrics.h"

namespace rota {

Answer answer_alive(const Asking& /*asking*/, const HealthServices& /*services*/) {
  return JsonReply{R"({"status":"ok"})"};
}

Answer answer_ready(const Asking& /*asking*/, const HealthServices& services) {
  const auto reasons = unready_reasons(services.health.health());
  return JsonReply{.body = readiness_json(reasons),
                   .status = reasons.empty() ? JsonStatus::kOk : JsonStatus::kUnavailable};
}

Answer answer_metrics(const Asking& /*asking*/, const HealthServices& services) {
  return MetricsReply{metrics_text(services.health.health())};
}

}  // namespace rota

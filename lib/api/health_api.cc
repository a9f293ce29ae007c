#include "api/health_api.h"

#include <utility>

namespace rota {

Answer answer_alive(const Asking& /*asking*/, const HealthServices& /*services*/) {
  return JsonReply{R"({"status":"ok"})"};
}

Answer answer_ready(const Asking& /*asking*/, const HealthServices& services) {
  Readiness readiness = services.health.readiness();
  return JsonReply{.body = std::move(readiness.json), .unavailable = !readiness.ready};
}

Answer answer_metrics(const Asking& /*asking*/, const HealthServices& services) {
  return MetricsReply{services.health.metrics()};
}

}  // namespace rota

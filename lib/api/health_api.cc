#include "api/health_api.h"

#include <utility>

namespace rota {

std::optional<Answer> answer_health(const RequestHead& request, const HealthService& health,
                                    bool with_metrics) {
  const bool alive = request.path == "/healthz";
  const bool ready = request.path == "/readyz";
  const bool metrics = with_metrics && request.path == "/metrics";
  if (!alive && !ready && !metrics) return std::nullopt;
  if (request.method != "GET") return method_not_allowed("GET");
  if (alive) return JsonReply{R"({"status":"ok"})"};
  if (metrics) return MetricsReply{health.metrics()};
  Readiness readiness = health.readiness();
  return JsonReply{.body = std::move(readiness.json), .unavailable = !readiness.ready};
}

}  // namespace rota

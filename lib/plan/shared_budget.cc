#include "plan/shared_budget.h"

#include <numeric>

#include "base/check.h"

namespace rota {

CallClass class_of(Lane lane) {
  switch (lane) {
    case Lane::kWaiting:
      return CallClass::kWaiting;
    case Lane::kRevocation:
      return CallClass::kRevocation;
    case Lane::kRefresh:
    case Lane::kRenewal:
      return CallClass::kRefresh;
    case Lane::kIssue:
    case Lane::kSuperseded:
      return CallClass::kOther;
  }
  ROTA_CHECK(false);
}

std::size_t sum_of(const CallCounts& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::size_t{0});
}

}  // namespace rota

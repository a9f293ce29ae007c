#include "engine/best_answer.h"

#include <algorithm>

#include "base/check.h"
#include "model/expiry.h"
#include "plan/freshness.h"
#include "plan/identity.h"
#include "plan/servable.h"

namespace rota {
namespace {

constexpr Duration kRetryAfterMin{1'000};
constexpr Duration kRetryAfterMax = std::chrono::minutes{5};

bool is_good_enough(const Token& access, const WaitRequest& request, WallTime serving) {
  if (request.refused == access.fingerprint) return false;
  const Duration needed = required_life(request.min_ttl, request.strict, lifetime_of(access));
  return !request.strict || access.expires_at - serving >= needed;
}

}  // namespace

WaitAnswer best_answer(const MemberRecord& record, const Attempts& attempts,
                       const WaitRequest& request, WallTime serving, WallTime circle) {
  switch (record.state) {
    case MemberState::kActive:
      break;
    case MemberState::kRetiring:
    case MemberState::kRetired:
      return {.result = WaitResult::kRetired};
    case MemberState::kBlocked:
      return {.result = WaitResult::kBlocked};
    case MemberState::kUnknown:
      return {.result = WaitResult::kUnknown};
    case MemberState::kMismatched:
      return {.result = WaitResult::kMismatched};
  }
  if (request.wait_for == WaitFor::kIdentity && is_identified(record)) {
    return {.result = WaitResult::kServe};
  }
  const Token* access = request.wait_for == WaitFor::kToken ? servable(record) : nullptr;
  if (access != nullptr && alive(access->expires_at, serving) &&
      is_good_enough(*access, request, serving)) {
    return {.result = WaitResult::kServe};
  }
  Duration retry_after = kRetryAfterMin;
  if (attempts.failures > 0) retry_after = std::max(retry_after, attempts.retry_at - circle);
  return {.result = WaitResult::kUnavailable, .retry_after = std::min(retry_after, kRetryAfterMax)};
}

}  // namespace rota

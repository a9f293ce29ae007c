#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "sandbox/endpoint.h"
#include "sandbox/names.h"

namespace rota::sandbox {

enum class FaultKind : std::uint8_t {
  // In place of the call: nothing happens to any token.
  kHtml502,
  kJson500,
  kHtml404,
  kNoToken,             // 200, everything but the tokens
  kStatusUnauthorized,  // 200 {"status":"unauthorized"}
  kThrottle,            // 429
  kUnavailable,         // 503 with Retry-After
  kUnauthorized,        // 401, the app token refused
  kUnauthorizedOther,   // 401 with words that Circle's description does not know
  kForbidden,           // 403, the community is not eligible
  kUnprocessable,       // 422 of the endpoint's own kind
  kRedirect,            // 302 to a path that does not exist
  kHuge,
  kHang,
  kDropBefore,
  // The call is carried out and its answer suffers.
  kHangAfter,
  kDropAfter,
  kTruncated,  // Content-Length is right for what is sent, but the JSON is cut
  kChunked,
  kNoContentType,
  kNoMillis,  // timestamps without the fraction
};

inline constexpr std::array<Name<FaultKind>, 21> kFaultNames{{
    {FaultKind::kHtml502, "html502"},
    {FaultKind::kJson500, "json500"},
    {FaultKind::kHtml404, "html404"},
    {FaultKind::kNoToken, "no_token"},
    {FaultKind::kStatusUnauthorized, "status_unauthorized"},
    {FaultKind::kThrottle, "throttle"},
    {FaultKind::kUnavailable, "unavailable"},
    {FaultKind::kUnauthorized, "unauthorized"},
    {FaultKind::kUnauthorizedOther, "unauthorized_other"},
    {FaultKind::kForbidden, "forbidden"},
    {FaultKind::kUnprocessable, "unprocessable"},
    {FaultKind::kRedirect, "redirect"},
    {FaultKind::kHuge, "huge"},
    {FaultKind::kHang, "hang"},
    {FaultKind::kDropBefore, "drop_before"},
    {FaultKind::kHangAfter, "hang_after"},
    {FaultKind::kDropAfter, "drop_after"},
    {FaultKind::kTruncated, "truncated"},
    {FaultKind::kChunked, "chunked"},
    {FaultKind::kNoContentType, "no_content_type"},
    {FaultKind::kNoMillis, "no_millis"},
}};

struct FaultRule {
  std::optional<Endpoint> endpoint;  // none: any of the four
  FaultKind kind = FaultKind::kJson500;
  double rate = 0;  // 0..1, of the calls that no earlier rule has taken
};

// Parses "ENDPOINT:KIND:RATE", as in "refresh:html502:0.1".
Result<FaultRule> parse_fault(std::string_view text);

// The rules in force, tried in their order; the same seed and calls give the same faults.
class Faults {
 public:
  explicit Faults(std::uint64_t seed) : random_(seed) {}

  void replace(std::vector<FaultRule> rules) { rules_ = std::move(rules); }
  std::optional<FaultKind> draw(Endpoint endpoint);

 private:
  Random random_;
  std::vector<FaultRule> rules_;
};

}  // namespace rota::sandbox

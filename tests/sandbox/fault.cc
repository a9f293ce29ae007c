#include "sandbox/fault.h"

#include <fmt/format.h>

#include <charconv>

namespace rota::sandbox {
namespace {

Result<double> parse_rate(std::string_view text) {
  double rate = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, rate);
  // Written so that a NaN fails too.
  const bool in_range = rate >= 0 && rate <= 1;
  if (status != std::errc{} || stop != end || !in_range) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not a rate from 0 to 1", text));
  }
  return rate;
}

}  // namespace

Result<FaultRule> parse_fault(std::string_view text) {
  const std::size_t first = text.find(':');
  const std::size_t last = text.rfind(':');
  if (first == std::string_view::npos || first == last) {
    return fail(ErrorKind::kInvalid, fmt::format("\"{}\" is not ENDPOINT:KIND:RATE", text));
  }
  const std::string_view where = text.substr(0, first);
  const std::string_view what = text.substr(first + 1, last - first - 1);
  FaultRule rule;
  if (where != "any") {
    rule.endpoint = value_of(kEndpointNames, where);
    if (!rule.endpoint || *rule.endpoint == Endpoint::kOther) {
      return fail(
          ErrorKind::kInvalid,
          fmt::format("\"{}\" is not issue, refresh, revoke_refresh, revoke_access or any", where));
    }
  }
  const auto kind = value_of(kFaultNames, what);
  if (!kind) {
    return fail(ErrorKind::kInvalid,
                fmt::format("\"{}\" is not a fault: {}", what, choices(kFaultNames)));
  }
  rule.kind = *kind;
  ROTA_ASSIGN(rule.rate, parse_rate(text.substr(last + 1)));
  return rule;
}

std::optional<FaultKind> Faults::draw(Endpoint endpoint) {
  if (endpoint == Endpoint::kOther) return std::nullopt;
  for (const FaultRule& rule : rules_) {
    if (rule.endpoint && *rule.endpoint != endpoint) continue;
    if (random_.fraction() < rule.rate) return rule.kind;
  }
  return std::nullopt;
}

}  // namespace rota::sandbox

#include "sandbox/stats.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>

#include "base/check.h"

namespace rota::sandbox {

namespace json = boost::json;

void Stats::count_call(Endpoint endpoint, int status) {
  ++calls_[static_cast<std::size_t>(endpoint)][status];
}

void Stats::count_fault(FaultKind kind) { ++faults_[kind]; }

void Stats::violation(std::string_view method, std::string_view target, std::string_view reason) {
  const std::string_view path = target.substr(0, std::min(target.find('?'), kPathCharsMax));
  ++violations_;
  ++violations_by_reason_[reason];
  recent_violations_.push_back(
      {std::string(method.substr(0, kPathCharsMax)), std::string(path), reason});
  if (recent_violations_.size() > kRecentViolationsMax) recent_violations_.pop_front();
}

void Stats::enter(std::optional<MemberId> member) {
  in_flight_peak_ = std::max(in_flight_peak_, ++in_flight_);
  if (!member) return;
  const std::size_t count = ++in_flight_by_member_[*member];
  member_peak_ = std::max(member_peak_, count);
  if (count < 2) return;
  ++overlaps_;
  if (overlaps_by_member_.contains(*member) || overlaps_by_member_.size() < kOverlappedMembersMax) {
    ++overlaps_by_member_[*member];
  }
}

void Stats::leave(std::optional<MemberId> member) {
  ROTA_CHECK(in_flight_ > 0);
  --in_flight_;
  if (!member) return;
  const auto at = in_flight_by_member_.find(*member);
  ROTA_CHECK(at != in_flight_by_member_.end());
  if (--at->second == 0) in_flight_by_member_.erase(at);
}

void Stats::write(json::object& out) const {
  std::uint64_t total = 0;
  json::object calls;
  for (const auto& [endpoint, name] : kEndpointNames) {
    json::object by_status;
    for (const auto& [status, count] : calls_[static_cast<std::size_t>(endpoint)]) {
      by_status[status == kNoStatus ? "none" : std::to_string(status)] = count;
      total += count;
    }
    calls[name] = std::move(by_status);
  }
  json::object faults;
  for (const auto& [kind, count] : faults_) faults[name_of(kFaultNames, kind)] = count;
  json::object by_reason;
  for (const auto& [reason, count] : violations_by_reason_) by_reason[reason] = count;
  json::array recent;
  for (const Violation& each : recent_violations_) {
    recent.push_back({{"method", each.method}, {"path", each.path}, {"reason", each.reason}});
  }
  json::object overlaps_by_member;
  for (const auto& [member, count] : overlaps_by_member_) {
    overlaps_by_member[std::to_string(member)] = count;
  }
  out["calls_total"] = total;
  out["calls"] = std::move(calls);
  out["faults"] = std::move(faults);
  out["violations"] = {
      {"total", violations_}, {"by_reason", std::move(by_reason)}, {"recent", std::move(recent)}};
  out["in_flight"] = {{"now", in_flight_},
                      {"peak", in_flight_peak_},
                      {"peak_per_member", member_peak_},
                      {"overlaps", overlaps_},
                      {"overlaps_by_member", std::move(overlaps_by_member)}};
}

}  // namespace rota::sandbox

#pragma once

#include <array>
#include <boost/json/fwd.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sandbox/endpoint.h"
#include "sandbox/fault.h"
#include "sandbox/request.h"

namespace rota::sandbox {

// What the sandbox has seen: calls, breaches of the contract, and how calls lay over each other.
class Stats {
 public:
  // The status of a call that was answered by nothing: a hang or a drop.
  static constexpr int kNoStatus = 0;

  void count_call(Endpoint endpoint, int status);
  void count_fault(FaultKind kind);
  void count_throttled() { ++throttled_; }
  // `target` loses its query and is cut: neither token nor length gets into the list.
  void violation(std::string_view method, std::string_view target, std::string_view reason);

  // A call is in flight from its arrival until its reply is out or the client has gone.
  void enter(std::optional<MemberId> member);
  void leave(std::optional<MemberId> member);

  std::uint64_t violations() const { return violations_; }
  std::uint64_t overlaps() const { return overlaps_; }
  // Adds "calls", "faults", "violations" and "in_flight" to an object.
  void write(boost::json::object& out) const;
  std::uint64_t throttled() const { return throttled_; }

 private:
  static constexpr std::size_t kRecentViolationsMax = 100;
  static constexpr std::size_t kOverlappedMembersMax = 100;
  static constexpr std::size_t kPathCharsMax = 100;

  struct Violation {
    std::string method;
    std::string path;
    std::string_view reason;  // always a literal
  };

  std::array<std::map<int, std::uint64_t>, kEndpointNames.size()> calls_;
  std::map<FaultKind, std::uint64_t> faults_;
  std::uint64_t throttled_ = 0;

  std::uint64_t violations_ = 0;
  std::map<std::string_view, std::uint64_t> violations_by_reason_;
  std::deque<Violation> recent_violations_;  // oldest first

  std::size_t in_flight_ = 0;
  std::size_t in_flight_peak_ = 0;
  std::size_t member_peak_ = 0;
  std::uint64_t overlaps_ = 0;
  std::unordered_map<MemberId, std::size_t> in_flight_by_member_;
  std::map<MemberId, std::uint64_t> overlaps_by_member_;
};

}  // namespace rota::sandbox

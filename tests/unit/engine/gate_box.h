#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/call_gate.h"
#include "tests/unit/plan/records.h"

namespace rota::test {

inline constexpr Duration kGateWindow = 5min;

inline Policy policy_with(std::size_t max_in_flight, std::size_t requests_per_window = 1'200) {
  Policy policy;
  policy.max_in_flight = max_in_flight;
  policy.requests_per_window = requests_per_window;
  policy.window = kGateWindow;
  return policy;
}

inline Outcome no_reply() { return transient(TransientReason::kNoReply); }

// A gate on a clock that the test moves.
struct GateBox {
  explicit GateBox(const Policy& policy = policy_with(16)) : gate(policy) {}

  CallId open(Lane lane = Lane::kWaiting, CallKind kind = CallKind::kRefresh,
              std::int64_t member = 1) {
    const CallId id{++last_id};
    CallState call;
    call.id = id;
    call.kind = kind;
    call.lane = lane;
    call.member = MemberId{member};
    gate.open(call, now);
    return id;
  }
  CallId send(Lane lane = Lane::kWaiting, CallKind kind = CallKind::kRefresh,
              std::int64_t member = 1) {
    const CallId id = open(lane, kind, member);
    gate.send(gate.at(id), now);
    return id;
  }
  CallGate::Heard reply(CallId id, const Outcome& outcome) {
    const CallState call = gate.close(id);
    return gate.heard(call, outcome, now, kT0, random);
  }
  // A call of this member that is answered at once.
  CallGate::Heard hear(const Outcome& outcome, std::int64_t member = 1) {
    return reply(send(Lane::kWaiting, CallKind::kRefresh, member), outcome);
  }
  CallGate::Arrival arrived(std::int64_t member, bool dead) {
    return gate.arrived(MemberId{member}, dead, now, random);
  }
  bool may_send(Lane lane) { return gate.may_send(lane, now); }
  std::optional<BootTime> earliest(Lane lane) { return gate.earliest(lane, now); }
  bool may_still_send(CallId id) { return gate.may_still_send(gate.at(id), now); }

  CallGate gate;
  BootTime now{10h};
  Random random{1};
  std::int64_t last_id = 0;
};

}  // namespace rota::test

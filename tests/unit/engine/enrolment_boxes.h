#pragma once

#include <string_view>

#include "tests/unit/engine/engine_box.h"

// Started engines without a roster, for members that clients enrol.
namespace rota::test {

inline constexpr std::string_view kAdaKey = "email:ada@example.com";

inline EngineBox started(const Policy& policy = exact_policy()) {
  EngineBox box({}, policy);
  box.start();
  box.settle();
  return box;
}

// Ada is enrolled by user:web, and has "access-1" and "refresh-1".
inline EngineBox box_with_ada(const Policy& policy = exact_policy()) {
  EngineBox box = started(policy);
  box.enrol(kAdaKey);
  box.settle();
  // With the date: while Circle's time is not sure, nobody is forgotten and nobody is idle.
  box.reply(box.newest_call(), issued("access-1", "refresh-1", box.circle()), box.circle());
  box.settle();
  return box;
}

inline OperationEnd end_of(const EngineBox& box, OperatorId op) {
  const Result<OperatorReport>* report = box.report_of(op);
  return report == nullptr || !report->has_value() ? OperationEnd::kRunning : (*report)->end;
}

}  // namespace rota::test

#include "daemon/restart_needed.h"

#include <string_view>

namespace rota {

std::vector<std::string> restart_needed(const Settings& in_force, const Settings& on_disk) {
  std::vector<std::string> sections;
  const auto compare = [&sections](std::string_view name, bool same) {
    if (!same) sections.emplace_back(name);
  };
  UpstreamSettings upstream = on_disk.upstream;
  upstream.app_token = in_force.upstream.app_token;  // a reload reads that
  // The policy has keys of three sections (plan/policy.h).
  Policy rotation = on_disk.policy;
  rotation.requests_per_window = in_force.policy.requests_per_window;
  rotation.window = in_force.policy.window;
  rotation.max_in_flight = in_force.policy.max_in_flight;
  Policy without_upstream = rotation;
  rotation.guard = in_force.policy.guard;
  rotation.enrolment = in_force.policy.enrolment;
  compare("upstream", upstream == in_force.upstream && without_upstream == on_disk.policy);
  compare("rotation", rotation == in_force.policy);
  compare("roster", on_disk.roster == in_force.roster && without_upstream.guard == rotation.guard);
  compare("enrolment", on_disk.policy.enrolment == in_force.policy.enrolment);
  compare("store", on_disk.store == in_force.store);
  compare("audit", on_disk.audit == in_force.audit);
  compare("serve", on_disk.serve == in_force.serve);
  compare("listener", on_disk.listeners == in_force.listeners);
  return sections;
}

}  // namespace rota

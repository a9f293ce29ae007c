#pragma once

#include <string>

#include "model/audit.h"
#include "rotator/audit_trail.h"
#include "settings/hidden_values.h"

namespace rota {

// Puts the daemon's own entries on the audit trail: its start and stop, and what comes into force.
// No entry repeats a value of `hidden` (P10). Both arguments must outlive it. Loop thread only.
class DaemonNotes {
 public:
  DaemonNotes(AuditTrail& trail, const HiddenValues& hidden) : trail_(trail), hidden_(hidden) {}

  void note(AuditEvent event, std::string detail = {}) {
    trail_.note({.event = event, .detail = hidden_.hide(std::move(detail))}, {});
  }

 private:
  AuditTrail& trail_;
  const HiddenValues& hidden_;
};

}  // namespace rota

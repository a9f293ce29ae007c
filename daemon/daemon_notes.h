#pragma once

#include <string>

#include "model/audit.h"
#include "rotator/audit_trail.h"
#include "settings/hidden_values.h"

namespace rota {

// What the daemon itself puts on the audit trail: its start and stop, and what comes into force. No
// entry repeats one of the values that `hidden` has. Both must outlive it. Loop thread only.
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

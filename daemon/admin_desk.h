#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/services.h"
#include "daemon/daemon_health.h"
#include "daemon/reloads.h"
#include "daemon/roster_intake.h"
#include "rotator/rotator.h"

namespace rota {

// Answers what operators ask on the admin socket; lib/api/services.h has the contract. Decides
// nothing: it passes each question to the part that answers it. Loop thread only.
class AdminDesk final : public AdminService {
 public:
  struct Parts {  // all outlive the desk
    const Clock& clock;
    Rotator& rotator;
    const DaemonHealth& health;
    RosterIntake& roster;
    Reloads& reloads;
  };
  explicit AdminDesk(Parts parts) : parts_(parts) {}

  std::string status_json() const override;
  Result<std::string> members_json(std::string_view state, std::string_view after,
                                   std::size_t limit) const override;
  bool knows(std::string_view key) const override;
  std::optional<std::string> member_json(std::string_view key) const override;
  void plan(std::move_only_function<void(Result<std::string>)> done) override;
  void operate(std::string_view key, OperatorAction action,
               std::move_only_function<void(Result<OperatorReport>)> done) override;
  void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) override;
  void note_asked(AuditEvent event, std::string_view member, std::string detail,
                  const AuditCaller& caller) override;
  void audit(AuditRequest request,
             std::move_only_function<void(Result<std::string>)> done) override;
  void reload(std::string approve,
              std::move_only_function<void(Result<std::string>)> done) override;

 private:
  const Parts parts_;
};

}  // namespace rota

#pragma once

#include <functional>
#include <optional>
#include <string>

#include "api/services.h"
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
    RosterIntake& roster;
    Reloads& reloads;
  };
  explicit AdminDesk(Parts parts) : parts_(parts) {}

  std::optional<MemberId> find(const MemberKey& key) const override;
  MemberView member(MemberId member) const override;
  MembersPage members(const MembersWanted& wanted) const override;
  void plan(std::move_only_function<void(Result<RosterPlanPtr>)> done) override;
  void operate(OperatorRequest request,
               std::move_only_function<void(Result<OperatorReport>)> done) override;
  void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) override;
  void lift_removals(const std::string& client,
                     std::move_only_function<void(Result<bool>)> done) override;
  void back_up(std::move_only_function<void(Result<Backup>)> done) override;
  void audit(AuditRequest request, std::move_only_function<void(Result<AuditPage>)> done) override;
  void reload(std::string approve,
              std::move_only_function<void(Result<std::string>)> done) override;

 private:
  const Parts parts_;
};

}  // namespace rota

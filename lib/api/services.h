#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/fingerprint.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/commands.h"
#include "engine/requests.h"
#include "model/audit.h"
#include "model/member_key.h"
#include "model/record.h"
#include "report/health.h"
#include "report/member_view.h"
#include "store/token_store.h"
#include "table/table.h"

namespace rota {

// For the audit trail: somebody has asked for something that changes what is served, on any socket.
struct AuditOrder {
  AuditEvent event{};
  MemberId member{};     // whom it is about; 0: nobody who is on record
  std::string called{};  // as the caller called the member; empty if `member` is 0
  std::string detail{};
  AuditCaller caller{};
};

// What the sockets need of the rotation. Loop thread only. Rotator implements it.
class TokenService {
 public:
  virtual ~TokenService() = default;
  // What may be served now.
  virtual const Table& table() const = 0;
  virtual Subscriptions& subscriptions() = 0;  // the table's
  // The latest that Circle's time may be: a token is served only if it is alive then (P1).
  virtual WallTime circle_now() const = 0;
  // Calls `done` exactly once, on the loop thread and never from inside this call, unless
  // cancel_wait() came first.
  virtual WaitId wait_for_token(const WaitRequest& request,
                                std::move_only_function<void(WaitAnswer)> done) = 0;
  // Does nothing if the wait has ended.
  virtual void cancel_wait(WaitId wait) = 0;
  // A client asked for this member's token. Cheap enough for every fetch.
  virtual void note_use(const Published& row) = 0;
  // This caller was given this member's token: for the audit trail. Cheap enough for every fetch.
  virtual void note_fetch(const Published& row, const AuditCaller& caller) = 0;
  // For the audit trail, before the order is carried out.
  virtual void note_asked(AuditOrder order) = 0;
  // A client that does not wait says that Circle refused this token.
  virtual void note_refused(MemberId member, Fingerprint refused) = 0;
  // Whether some members are refreshed on demand only, because the budget does not suffice for all.
  virtual bool budget_is_short() const = 0;
  // Whether Circle last refused the whole community (403), so that no token can come from it.
  virtual bool community_is_refused() const = 0;
  // A client signs a member out, or ends its own enrolment of one. The caller has judged its right.
  // `done` comes when the operation has ended. kInvalid: there is no such member.
  virtual void operate(const OperatorRequest& request,
                       std::move_only_function<void(Result<OperatorReport>)> done) = 0;
  // Raises the holder's HandleCount of this member. `done` comes once that is durable; with an
  // error if there is no such member, or the store takes nothing.
  virtual void raise_handle(MemberId member, std::string holder,
                            std::move_only_function<void(Result<void>)> done) = 0;
};

// How the daemon does now. Loop thread only.
class HealthService {
 public:
  virtual ~HealthService() = default;
  virtual Health health() const = 0;
};

// Which entries of the audit trail an operator asks for.
struct AuditRequest {
  std::int64_t after = 0;  // only entries with a larger id
  std::size_t limit = 100;
  std::variant<std::monostate, WallTime, Duration> since{};  // a time, or how long ago
  std::vector<MemberKey> members{};  // entries about any of these; empty: all entries
  std::optional<Fingerprint> token{};
  bool notable = false;  // only what an operator wants to read of: is_notable()
};

// What the admin socket needs of the daemon. Values go in and come out: the admin routes read the
// requests and write the replies. A member is looked up by its key once, by find(); from then on it
// goes by its id. Each `done` is called once, later, on the loop thread, and never from inside the
// method. Loop thread only. AdminDesk implements it.
class AdminService {
 public:
  virtual ~AdminService() = default;
  // The member on record that has this name; nullopt if nobody has it.
  virtual std::optional<MemberId> find(const MemberKey& key) const = 0;
  // `member` is one that find() has returned in this turn of the loop.
  virtual MemberView member(MemberId member) const = 0;
  // A page of members, in the order of their keys.
  virtual MembersPage members(const MembersWanted& wanted) const = 0;
  // What the roster on disk would change now. kConfig if it cannot be used as it is.
  virtual void plan(std::move_only_function<void(Result<RosterPlanPtr>)> done) = 0;
  // `done` comes when the operation has ended. kInvalid: there is no such member, or the action is
  // not possible now.
  virtual void operate(OperatorRequest request,
                       std::move_only_function<void(Result<OperatorReport>)> done) = 0;
  // Revokes every member that is not retired already.
  virtual void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) = 0;
  // Nothing holds this client's removals back for an hour. `done` comes once that is durable:
  // whether something did until now.
  virtual void lift_removals(const std::string& client,
                             std::move_only_function<void(Result<bool>)> done) = 0;
  // A sealed copy of the database, in a file of the daemon's own folder. kBusy: another one is
  // under way. kFull: there is no room.
  virtual void back_up(std::move_only_function<void(Result<Backup>)> done) = 0;
  virtual void audit(AuditRequest request,
                     std::move_only_function<void(Result<AuditPage>)> done) = 0;
  // Reads configuration and roster again. `approve` is the id of a held plan to let through, or
  // empty. On success `done` gets JSON: the plan, and what became of each file. It is a text
  // because the plan of a large roster is long, and another thread than the loop writes it.
  virtual void reload(std::string approve,
                      std::move_only_function<void(Result<std::string>)> done) = 0;
};

}  // namespace rota

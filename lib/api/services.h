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
#include "engine/requests.h"
#include "model/audit.h"
#include "model/record.h"
#include "table/table.h"

namespace rota {

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
  // A client that does not wait says that Circle refused this token.
  virtual void note_refused(MemberId member, Fingerprint refused) = 0;
};

// The daemon's health, for anybody who may connect, so no answer names a member. Loop thread only.
struct Readiness {
  bool ready = false;
  std::string json;  // {"ready":…,"reasons":[{"code","message"}]}
};
class HealthService {
 public:
  virtual ~HealthService() = default;
  virtual Readiness readiness() const = 0;  // whether the daemon is ready, and if not, why
  virtual std::string metrics() const = 0;  // Prometheus' text format
};

// Which entries of the audit trail an operator asks for.
struct AuditRequest {
  std::int64_t after = 0;  // only entries with a larger id
  std::size_t limit = 100;
  std::variant<std::monostate, WallTime, Duration> since{};  // a time, or how long ago
  std::vector<std::string> members{};  // entries about any of these keys; empty: all entries
  std::optional<Fingerprint> token{};
};

// What the admin socket needs of the daemon. The implementation makes the JSON texts (report/
// report.h), since they show engine internals. Each `done` is called once, later, on the loop
// thread, and never from inside the method. Loop thread only.
class AdminService {
 public:
  virtual ~AdminService() = default;
  // The state of the daemon as a whole.
  virtual std::string status_json() const = 0;
  // A page of members. `state`: the name of a MemberState, or empty for all. `after`: the key of
  // the last member of the page before, or empty. kInvalid for a state that does not exist.
  virtual Result<std::string> members_json(std::string_view state, std::string_view after,
                                           std::size_t limit) const = 0;
  // Whether a member on record has this key, in its prefixed form.
  virtual bool knows(std::string_view key) const = 0;
  // Nullopt if there is no such member.
  virtual std::optional<std::string> member_json(std::string_view key) const = 0;
  // What the roster on disk would change now. kConfig if it cannot be used as it is.
  virtual void plan(std::move_only_function<void(Result<std::string>)> done) = 0;
  // `done` comes when the operation has ended. kInvalid: there is no such member, or the action is
  // not possible now.
  virtual void operate(std::string_view key, OperatorAction action,
                       std::move_only_function<void(Result<OperatorReport>)> done) = 0;
  // Revokes every member that is not retired already.
  virtual void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) = 0;
  // For the audit trail: this caller has asked for this, about a member or, if empty, about none.
  virtual void note_asked(AuditEvent event, std::string_view member, std::string detail,
                          const AuditCaller& caller) = 0;
  // A page of the audit trail as JSON.
  virtual void audit(AuditRequest request,
                     std::move_only_function<void(Result<std::string>)> done) = 0;
  // Reads configuration and roster again. `approve` is the id of a held plan to let through, or
  // empty. On success `done` gets the plan's JSON.
  virtual void reload(std::string approve,
                      std::move_only_function<void(Result<std::string>)> done) = 0;
};

}  // namespace rota

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

// What the token socket needs of the rotation. Loop thread only.
class TokenService {
 public:
  virtual ~TokenService() = default;
  virtual const Table& table() const = 0;
  virtual Subscriptions& subscriptions() = 0;  // to the table
  virtual WallTime circle_now() const = 0;
  // Calls `done` exactly once, on the loop thread and never from inside this call, unless
  // cancel_wait() came first.
  virtual WaitId wait_for_token(const WaitRequest& request,
                                std::move_only_function<void(WaitAnswer)> done) = 0;
  virtual void cancel_wait(WaitId wait) = 0;
  // A client asked for this member's token: cheap enough for every fetch.
  virtual void note_use(const Published& row) = 0;
  // This caller was given this member's token: for the audit trail, and as cheap.
  virtual void note_fetch(const Published& row, const AuditCaller& caller) = 0;
  // A client that does not wait says that Circle refused this token.
  virtual void note_refused(MemberId member, Fingerprint refused) = 0;
};

// How the daemon is, for whoever may connect: no answer names a member. Loop thread only.
struct Readiness {
  bool ready = false;
  std::string json;  // {"ready":…,"reasons":[{"code","message"}]}
};
class HealthService {
 public:
  virtual ~HealthService() = default;
  virtual Readiness readiness() const = 0;
  virtual std::string metrics() const = 0;  // Prometheus' text format
};

// What of the audit trail is asked for.
struct AuditRequest {
  std::int64_t after = 0;  // an entry's id
  std::size_t limit = 100;
  std::variant<std::monostate, WallTime, Duration> since{};  // a time, or so long ago
  std::vector<std::string> members{};                        // any of these keys; none: all entries
  std::optional<Fingerprint> token{};
};

// JSON texts are made by the implementation (report/report.h): they show engine internals.
class AdminService {
 public:
  virtual ~AdminService() = default;
  virtual std::string status_json() const = 0;
  // `state`: a name of MemberState or empty for all; `after`: a member key to go on from, or empty.
  // kInvalid for a state that does not exist.
  virtual Result<std::string> members_json(std::string_view state, std::string_view after,
                                           std::size_t limit) const = 0;
  // Whether a member on record has this key, in its prefixed form.
  virtual bool knows(std::string_view key) const = 0;
  // None: there is no such member.
  virtual std::optional<std::string> member_json(std::string_view key) const = 0;
  // What the roster on disk would change now. kConfig: it cannot be used as it is.
  virtual void plan(std::move_only_function<void(Result<std::string>)> done) = 0;
  // `done` comes once, later, on the loop thread. kInvalid: no such member or not possible now.
  virtual void operate(std::string_view key, OperatorAction action,
                       std::move_only_function<void(Result<OperatorReport>)> done) = 0;
  virtual void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) = 0;
  // Somebody at the admin socket has asked for this, about that member or none ("").
  virtual void note_asked(AuditEvent event, std::string_view member, std::string detail,
                          const AuditCaller& caller) = 0;
  // A page of the audit trail as JSON.
  virtual void audit(AuditRequest request,
                     std::move_only_function<void(Result<std::string>)> done) = 0;
  // Reads configuration parts and roster again; `approve` names a held plan to let through. On
  // success the value is the plan's JSON.
  virtual void reload(std::string approve,
                      std::move_only_function<void(Result<std::string>)> done) = 0;
};

}  // namespace rota

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "circle/request.h"
#include "engine/requests.h"
#include "model/audit.h"
#include "model/record.h"
#include "store/token_store.h"
#include "table/table.h"

namespace rota {

// What applying a roster does or would do; shown as JSON by `rota plan` and `rotad --check`.
struct RosterPlan {
  std::string id;     // names the retirements: approval is for exactly these
  bool held = false;  // the guard holds the retirements until an operator approves them
  std::vector<MemberKey> add;
  std::vector<MemberKey> retire;
  std::vector<MemberKey> change;
  std::size_t calls = 0;  // to Circle, that carrying it out costs
  std::string json{};     // all of this, as PlanWriter writes it; or empty
};

using RosterPlanPtr = std::shared_ptr<const RosterPlan>;

enum class OperatorId : std::uint64_t {};
enum class ReloadId : std::uint64_t {};
enum class PlanId : std::uint64_t {};

enum class Severity { kDebug, kInfo, kWarning, kError };

// Something worth telling people once. The library never logs: the daemon does, from these.
struct Notice {
  Severity severity = Severity::kInfo;
  std::string event;   // a machine's word for it: "issued", "breaker", …
  std::string member;  // its key, or empty
  std::string text;    // no secret in it
};

// The commands of the engine: what its driver carries out, in the order given.
namespace command {

// Make these durable, all or nothing, and report on_committed() or on_commit_failed(). One at a
// time.
struct Commit {
  std::vector<Mutation> mutations;
};
// Send this to Circle, once, and report on_reply(). Its journal row is durable already.
struct Call {
  CallId call{};
  AuthRequest request;
};
struct Publish {
  Published row;
};
struct Withdraw {
  MemberId member{};
};
struct Answer {
  WaitId wait{};
  WaitAnswer answer;
};
struct Report {
  OperatorId op{};
  Result<OperatorReport> report;
};
struct Reloaded {
  ReloadId reload{};
  Result<RosterPlanPtr> plan;  // an error: not durable yet; kInvalid: refused, and never in force
  std::shared_ptr<const void> spent{};  // what it took: large, so destroy it off the loop
};
// Follows what it asked for once that is durable and published, however long the store takes. A
// part of it may be held by the guard.
struct RosterInForce {
  ReloadId reload{};
  bool held = false;
  std::shared_ptr<const void> spent{};  // as above
};
// What a roster would do.
struct Planned {
  PlanId plan{};
  RosterPlanPtr result;
  std::shared_ptr<const void> spent{};  // as above
};
struct Tell {
  Notice notice;
};
// To be put on the audit trail.
struct Note {
  AuditKey key;
  std::string member;  // its key, or empty
};

}  // namespace command

using Command =
    std::variant<command::Commit, command::Call, command::Publish, command::Withdraw,
                 command::Answer, command::Report, command::Reloaded, command::RosterInForce,
                 command::Planned, command::Tell, command::Note>;
using Commands = std::vector<Command>;

}  // namespace rota

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/fingerprint.h"
#include "circle/request.h"
#include "engine/requests.h"
#include "model/audit.h"
#include "model/record.h"
#include "store/token_store.h"
#include "table/table.h"

namespace rota {

// What applying a roster does or would do. `rota plan` prints it, from the JSON; `rotad --check`
// does too.
struct RosterPlan {
  // A hash of the retirements: an approval is for exactly these. If there are none, a hash of the
  // additions and changes.
  std::string id;
  bool held = false;  // the guard holds the retirements until an operator approves them
  std::vector<MemberKey> add;
  std::vector<MemberKey> retire;
  std::vector<MemberKey> change;
  std::size_t calls = 0;  // the calls to Circle that it costs
  std::string json{};     // all of this, as PlanWriter writes it; empty: not written yet
};

using RosterPlanPtr = std::shared_ptr<const RosterPlan>;

enum class OperatorId : std::uint64_t {};
enum class ReloadId : std::uint64_t {};
enum class PlanId : std::uint64_t {};

enum class Severity { kDebug, kInfo, kWarning, kError };

// Something to tell people once. The library never logs; the daemon logs these.
struct Notice {
  Severity severity = Severity::kInfo;
  std::string event;   // a word for programs: "issued", "breaker", …
  std::string member;  // its key, or empty
  std::string text;    // one line; never has a secret
};

// The commands of the engine: what its driver carries out, in the order given.
namespace command {

// Make these durable, all or none; if that worked, open these tokens (TokenStore::open_tokens); and
// call on_committed() or on_commit_failed(). The engine has at most one commit under way.
struct Commit {
  std::vector<Mutation> mutations;
  std::vector<TokenId> to_open{};
};
// Send this to Circle exactly once, and call on_reply(). Its journal row is already durable.
struct Call {
  CallId call{};
  AuthRequest request;
};
// Put this row into the table (table/table.h), in place of the member's row if it has one.
struct Publish {
  Published row;
};
// From now on the table does not show this token of the member, or, if none is named, no token at
// all, until the next Publish. Comes at once, before the sign-out or the revocation that it is for
// is durable.
struct Unserve {
  MemberId member{};
  std::optional<Fingerprint> token{};
};
// From now on the table shows no other tags of the member than these, until the next Publish. Comes
// at once, before the roster that takes tags away is durable.
struct KeepTags {
  MemberId member{};
  std::vector<std::string> tags;  // sorted
};
// Take the member's row out of the table.
struct Withdraw {
  MemberId member{};
};
// Answer this wait; it is over.
struct Answer {
  WaitId wait{};
  WaitAnswer answer;
};
// Answer this operator; the operation is over.
struct Report {
  OperatorId op{};
  Result<OperatorReport> report;
};
// Answer whoever asked for this reload. It comes once.
struct Reloaded {
  ReloadId reload{};
  // kInvalid: the approval was refused, and this roster never comes into force. Any other error:
  // the store fails now, and the roster comes into force once it works again.
  Result<RosterPlanPtr> plan;
  std::shared_ptr<const void> spent{};  // large: destroy it on another thread than the loop's
};
// The roster of this reload is durable and published, but for retirements that the guard holds
// (`held`). Comes just before Reloaded, or long after it if the store failed in between; never for
// a refused one.
struct RosterInForce {
  ReloadId reload{};
  bool held = false;
  std::shared_ptr<const void> spent{};  // as above
};
// Answer whoever asked what a roster would do.
struct Planned {
  PlanId plan{};
  RosterPlanPtr result;
  std::shared_ptr<const void> spent{};  // as above
};
struct Tell {
  Notice notice;
};
// Put this on the audit trail. What it is about is durable by then.
struct Note {
  AuditKey key;
  std::string member;  // its key, or empty
};

}  // namespace command

using Command = std::variant<command::Commit, command::Call, command::Publish, command::Unserve,
                             command::KeepTags, command::Withdraw, command::Answer, command::Report,
                             command::Reloaded, command::RosterInForce, command::Planned,
                             command::Tell, command::Note>;
using Commands = std::vector<Command>;

}  // namespace rota

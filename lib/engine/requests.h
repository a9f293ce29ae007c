#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "base/time.h"
#include "model/record.h"

namespace rota {

// How long a client waits for a token by default, and at most.
inline constexpr Duration kWaitDefault = std::chrono::seconds{10};
inline constexpr Duration kWaitMax = std::chrono::seconds{60};

// A client waits for a token, because the one in the table does not do.
struct WaitRequest {
  MemberId member{};
  std::optional<Duration> min_ttl;     // none: the default rule (plan/policy.h)
  bool strict = false;                 // no token rather than one with less than min_ttl
  std::optional<Fingerprint> refused;  // Circle refused this token: get another first
  Duration wait = kWaitDefault;
};

// How a wait ended.
enum class WaitResult {
  kServe,        // serve what the table holds for the member now
  kUnavailable,  // 503 token_unavailable with Retry-After
  kRetired,      // 410 member_retired
  kBlocked,      // 410 member_blocked
  kUnknown,      // 404 member_unknown: gone, or Circle has no such member
  kMismatched,   // 503 member_mismatched
};
struct WaitAnswer {
  WaitResult result = WaitResult::kUnavailable;
  Duration retry_after{1'000};  // only for kUnavailable
};

enum class WaitId : std::uint64_t {};

// How long an operator's command waits for Circle and for the disk.
inline constexpr Duration kOperationMax = std::chrono::seconds{30};

// What an operator may ask for one member.
enum class OperatorAction { kRotate, kRevoke, kReinstate };

struct OperatorRequest {
  MemberId member{};  // who was found under that name; the engine looks up no key
  OperatorAction action = OperatorAction::kRevoke;
  std::string called;  // as the operator called the member, for messages
};

// What became of one token of a revocation.
struct RevocationLine {
  TokenKind kind = TokenKind::kAccess;
  Fingerprint fingerprint = 0;
  std::string result;  // "revoked", "already_dead", "member_gone", "expired", or why it is alive
  bool alive = false;
};
// How an operator's command ended.
enum class OperationEnd {
  kRunning,        // it has not
  kRevoked,        // no token on record is alive
  kReinstated,     // report.state has the member's new state
  kRotated,        // a new access token is in force
  kNobody,         // there are no members to revoke
  kSameToken,      // Circle answered with the same access token as before
  kDeadOnArrival,  // Circle gave an access token that had already expired when it arrived
  kTimedOut,       // Circle did not answer in time; the engine goes on trying
  kNotDurable,     // all is done, but not durable yet
};
// Whether what was asked is complete and durable.
bool is_success(OperationEnd end);

// The result of an operator's command. It is sent when the command is over, or after kOperationMax.
struct OperatorReport {
  OperationEnd end = OperationEnd::kRunning;
  MemberState state = MemberState::kActive;
  std::vector<RevocationLine> revocations;
  std::int64_t doubts = 0;  // calls of unknown fate that may have left a token alive (P3)
};
// One line for people.
std::string describe(const OperatorReport& report);

}  // namespace rota

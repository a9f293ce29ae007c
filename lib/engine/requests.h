#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "base/time.h"
#include "model/audit.h"
#include "model/member_key.h"
#include "model/record.h"

namespace rota {

// How long a client waits for a token by default, and at most.
inline constexpr Duration kWaitDefault = std::chrono::seconds{10};
inline constexpr Duration kWaitMax = std::chrono::seconds{60};

// A client wants a name to be a member.
struct EnrolRequest {
  MemberKey key;
  std::string name;               // for people
  std::string client;             // as Enrolment::client
  std::vector<std::string> tags;  // sorted, without repeats
  AuditCaller caller{};           // for the audit trail
  // Asks Circle although it did not know the name lately; once in 10 s for each name.
  bool ask_anyway = false;
};

enum class WaitFor {
  kToken,
  kIdentity,  // until Circle has said who the member is, and that is durable
};

// A client waits for a token, because the one in the table does not do, or for an enrolment.
struct WaitRequest {
  MemberId member{};                   // 0: see `enrol`
  std::optional<Duration> min_ttl;     // none: the default rule (plan/policy.h)
  bool strict = false;                 // no token rather than one with less than min_ttl
  std::optional<Fingerprint> refused;  // Circle refused this token: get another first
  Duration wait = kWaitDefault;
  // Not null: its key is to be a member. The engine looks the key up itself, so `member` may be 0.
  std::shared_ptr<const EnrolRequest> enrol{};
  WaitFor wait_for = WaitFor::kToken;
};

// How a wait ended.
enum class WaitResult {
  kServe,        // serve what the table holds for the member now
  kUnavailable,  // 503 token_unavailable with Retry-After
  kRetired,      // 410 member_retired
  kBlocked,      // 410 member_blocked
  kUnknown,      // 404 member_unknown: gone, or Circle has no such member
  kMismatched,   // 503 member_mismatched
  // Of waits for an identity:
  kEnrolled,     // 201: it is a member from now on, and Circle has said who it is
  kWasEnrolled,  // 200: it was a member before
  kPending,      // 202: it is a member, but Circle has not said yet who it is
  // Of any wait that enrols:
  kLimited,  // 503 enrolment_limited with Retry-After; nothing was enrolled
};
struct WaitAnswer {
  WaitResult result = WaitResult::kUnavailable;
  Duration retry_after{1'000};  // only for kUnavailable and kLimited
  MemberId member{};            // whom it is about; 0: nobody
};

enum class WaitId : std::uint64_t {};

// How long an operator's command waits for Circle and for the disk.
inline constexpr Duration kOperationMax = std::chrono::seconds{30};

// What an operator may ask for one member.
enum class OperatorAction {
  kRotate,
  kRevoke,
  kReinstate,
  kSignOut,       // its access tokens are revoked, and it stays a member
  kEndEnrolment,  // it is no member any more, unless somebody else says that it is
  kRevokeHandle,  // a holder's login handles are dead: its number is raised by one
  kRevokeToken,   // one access token is revoked; the member's logins stay
};

struct OperatorRequest {
  MemberId member{};  // who was found under that name; the engine looks up no key
  OperatorAction action = OperatorAction::kRevoke;
  std::string called;  // as the operator called the member, for messages
  // kEndEnrolment: whose enrolments end; empty: all of them. kRevokeHandle: the holder.
  std::string client{};
  Fingerprint token = 0;  // kRevokeToken: of the access token
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
  kRunning,         // it has not
  kRevoked,         // no token on record is alive
  kReinstated,      // report.state has the member's new state
  kRotated,         // a new access token is in force
  kNobody,          // there are no members to revoke
  kSameToken,       // Circle answered with the same access token as before
  kDeadOnArrival,   // Circle gave an access token that had already expired when it arrived
  kTimedOut,        // Circle did not answer in time; the engine goes on trying
  kNotDurable,      // all is done, but not durable yet
  kSignedOut,       // no access token on record is alive
  kEnrolmentEnded,  // it has; if the member left with it, no token of it on record is alive
  kHandleRevoked,
  kInRoster,         // 409: the roster names it, so nothing was ended
  kNotEnrolled,      // 404: this client has not enrolled it
  kRemovalsLimited,  // 503: this client has removed so many that an operator has to agree
  kSignedOutLately,  // it was signed out less than kSignOutGap ago: nothing new was done
  kTokenRevoked,     // the access token is not alive
  kNoSuchToken,      // 422: the member has no access token like this that may be alive
  kRemovalsLifted,   // the client may remove members again
  // Of rotations, as soon as no call can bring a token any more:
  kMemberUnknown,     // Circle has no such member
  kMemberMismatched,  // its name leads to another member at Circle
  kMemberOut,         // it has left, or an operator blocked it
  // Of all that need Circle: no call can succeed. Revocations go on once one can.
  kAppTokenRefused,  // Circle refuses the app token
  kNotEligible,      // Circle refuses the community
  kStopping,         // rotad stops; revocations go on at the next start
};
// Sign-outs of one member are this far apart.
inline constexpr Duration kSignOutGap = std::chrono::seconds{10};
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

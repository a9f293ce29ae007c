#include <fmt/format.h>

#include "base/check.h"
#include "engine/requests.h"

namespace rota {

bool is_success(OperationEnd end) {
  switch (end) {
    case OperationEnd::kRevoked:
    case OperationEnd::kReinstated:
    case OperationEnd::kRotated:
    case OperationEnd::kNobody:
    case OperationEnd::kSignedOut:
    case OperationEnd::kEnrolmentEnded:
    case OperationEnd::kHandleRevoked:
    case OperationEnd::kTokenRevoked:
    case OperationEnd::kRemovalsLifted:
      return true;
    case OperationEnd::kRunning:
    case OperationEnd::kSameToken:
    case OperationEnd::kDeadOnArrival:
    case OperationEnd::kTimedOut:
    case OperationEnd::kNotDurable:
    case OperationEnd::kInRoster:
    case OperationEnd::kNotEnrolled:
    case OperationEnd::kRemovalsLimited:
    case OperationEnd::kSignedOutLately:
    case OperationEnd::kMemberUnknown:
    case OperationEnd::kMemberMismatched:
    case OperationEnd::kMemberOut:
    case OperationEnd::kAppTokenRefused:
    case OperationEnd::kNotEligible:
    case OperationEnd::kStopping:
    case OperationEnd::kNoSuchToken:
      return false;
  }
  ROTA_CHECK(false);
}

std::string describe(const OperatorReport& report) {
  switch (report.end) {
    case OperationEnd::kRunning:
      return "it is still running";
    case OperationEnd::kRevoked:
      return "no token on record is alive";
    case OperationEnd::kReinstated:
      return fmt::format("the member is {}", name_of(report.state));
    case OperationEnd::kRotated:
      return "a new access token is in force";
    case OperationEnd::kNobody:
      return "there are no members";
    case OperationEnd::kSameToken:
      return "Circle answered with the same access token as before";
    case OperationEnd::kDeadOnArrival:
      return "Circle gave an access token that had expired, or was about to, when it arrived";
    case OperationEnd::kTimedOut:
      return "not finished yet: rotad goes on; look again with `rota member`";
    case OperationEnd::kNotDurable:
      return "not on disk yet: look again with `rota member`";
    case OperationEnd::kSignedOut:
      return "no access token on record is alive";
    case OperationEnd::kEnrolmentEnded:
      return "the enrolment has ended";
    case OperationEnd::kHandleRevoked:
      return "the login handles of this holder are dead";
    case OperationEnd::kInRoster:
      return "the roster names this member: remove it there";
    case OperationEnd::kNotEnrolled:
      return "this client has not enrolled the member";
    case OperationEnd::kRemovalsLimited:
      return "this client has removed many members within an hour: an operator has to agree";
    case OperationEnd::kSignedOutLately:
      return "it was signed out a few seconds ago";
    case OperationEnd::kMemberUnknown:
      return "Circle has no such member";
    case OperationEnd::kMemberMismatched:
      return "its name leads to another member at Circle: an operator has to decide (`rota "
             "reinstate` or `rota revoke`)";
    case OperationEnd::kMemberOut:
      return "it is no active member any more";
    case OperationEnd::kAppTokenRefused:
      return "Circle refuses the app token: no call can succeed until it accepts one (`rota "
             "doctor`)";
    case OperationEnd::kNotEligible:
      return "Circle refuses the community: no call can succeed until it accepts it (`rota "
             "doctor`)";
    case OperationEnd::kStopping:
      return "not finished: rotad stops, and revocations go on at its next start";
    case OperationEnd::kTokenRevoked:
      return "the access token is not alive";
    case OperationEnd::kNoSuchToken:
      return "the member has no such access token";
    case OperationEnd::kRemovalsLifted:
      return "the client may remove members for an hour";
  }
  ROTA_CHECK(false);
}

}  // namespace rota

#include "api/operation_reply.h"

#include <utility>

#include "api/circle_errors.h"
#include "base/check.h"
#include "report/report.h"

namespace rota {

PlainReply operation_reply(const OperatorReport& report) {
  JsonStatus status = JsonStatus::kOk;
  switch (report.end) {
    case OperationEnd::kInRoster:
      return error_reply(ErrorCode::kMemberInRoster);
    case OperationEnd::kNotEnrolled:
      return error_reply(ErrorCode::kMemberUnknown, "this client has not enrolled the member");
    case OperationEnd::kRemovalsLimited: {
      ErrorReply reply = error_reply(ErrorCode::kRemovalsLimited);
      reply.retry_after = std::chrono::hours{1};
      return reply;
    }
    case OperationEnd::kSignedOutLately: {
      ErrorReply reply = error_reply(ErrorCode::kUnavailable,
                                     "the member has a new token since the last sign-out, which is "
                                     "less than 10 s ago; try again later");
      reply.retry_after = kSignOutGap;
      return reply;
    }
    case OperationEnd::kNoSuchToken:
      return circle_error(ErrorCode::kTokenUnknown, kCircleAccessTokenNotFound);
    case OperationEnd::kRunning:
    case OperationEnd::kTimedOut:
    case OperationEnd::kNotDurable:
    case OperationEnd::kAppTokenRefused:
    case OperationEnd::kNotEligible:
    case OperationEnd::kStopping:
      status = JsonStatus::kAccepted;
      break;
    case OperationEnd::kRevoked:
    case OperationEnd::kReinstated:
    case OperationEnd::kRotated:
    case OperationEnd::kNobody:
    case OperationEnd::kSameToken:
    case OperationEnd::kDeadOnArrival:
    case OperationEnd::kSignedOut:
    case OperationEnd::kEnrolmentEnded:
    case OperationEnd::kHandleRevoked:
    case OperationEnd::kMemberUnknown:
    case OperationEnd::kMemberMismatched:
    case OperationEnd::kMemberOut:
    case OperationEnd::kTokenRevoked:
    case OperationEnd::kRemovalsLifted:
      break;
  }
  return JsonReply{.body = operation_json(report), .status = status};
}

AuditEvent event_of(OperatorAction action) {
  switch (action) {
    case OperatorAction::kRotate:
      return AuditEvent::kRotateAsked;
    case OperatorAction::kRevoke:
      return AuditEvent::kRevokeAsked;
    case OperatorAction::kReinstate:
      return AuditEvent::kReinstateAsked;
    case OperatorAction::kSignOut:
      return AuditEvent::kSignOutAsked;
    case OperatorAction::kEndEnrolment:
      return AuditEvent::kEnrolmentEndAsked;
    case OperatorAction::kRevokeHandle:
      return AuditEvent::kHandleRevokeAsked;
    case OperatorAction::kRevokeToken:
      return AuditEvent::kTokenRevokeAsked;
  }
  ROTA_CHECK(false);
}

ErrorReply service_error(Error error) {
  ErrorCode code = ErrorCode::kInternal;
  switch (error.kind) {
    case ErrorKind::kConfig:
      code = ErrorCode::kConfigInvalid;
      break;
    case ErrorKind::kInvalid:
      code = ErrorCode::kNotPossible;
      break;
    case ErrorKind::kBusy:
    case ErrorKind::kIo:
    case ErrorKind::kFull:
      code = ErrorCode::kUnavailable;
      break;
    case ErrorKind::kCorrupt:
    case ErrorKind::kBug:
      code = ErrorCode::kInternal;
      break;
  }
  return error_reply(code, std::move(error.message));
}

}  // namespace rota

#include "model/notable.h"

#include "base/check.h"

namespace rota {

std::optional<Notable> notable(AuditEvent event) {
  using Telling = Notable::Telling;
  switch (event) {
    case AuditEvent::kStarted:
      return Notable{Telling::kStart, "started"};
    case AuditEvent::kStopped:
      return Notable{Telling::kStop, "stopped"};
    case AuditEvent::kBreakerOpened:
      return Notable{Telling::kWithDetail, "CALLS FAIL, so rotad makes one probe at a time"};
    case AuditEvent::kBreakerClosed:
      return Notable{Telling::kWords, "calls to Circle work again"};
    case AuditEvent::kAppTokenRefused:
      return Notable{Telling::kWords, "CIRCLE REFUSES THE APP TOKEN: no member gets a new token"};
    case AuditEvent::kAppTokenAccepted:
      return Notable{Telling::kWords, "Circle takes the app token again"};
    case AuditEvent::kAppTokenChanged:
      return Notable{Telling::kWords, "a new app token is in force"};
    case AuditEvent::kRosterApplied:
      return Notable{Telling::kWithDetail, "the roster is in force"};
    case AuditEvent::kPlanHeld:
      return Notable{Telling::kWithDetail, "THE GUARD HOLDS"};
    case AuditEvent::kPlanApproved:
      return Notable{Telling::kWithDetail, "approved"};
    case AuditEvent::kReloadFailed:
      return Notable{Telling::kWithDetail, "A RELOAD HAD AN ERROR"};
    case AuditEvent::kGrantsChanged:
      return Notable{Telling::kWithDetail, "grants"};
    case AuditEvent::kMemberMismatched:
      return Notable{Telling::kOfMember,
                     "LEADS TO ANOTHER PERSON at Circle: rotad serves nothing of it"};
    case AuditEvent::kRemovalsLimited:
      return Notable{Telling::kOfDetail, "IS HELD BACK: it removed too many members"};
    case AuditEvent::kRevokeAsked:
      return Notable{Telling::kOrderOnMember, "revoke"};
    case AuditEvent::kReinstateAsked:
      return Notable{Telling::kOrderOnMember, "reinstate"};
    case AuditEvent::kRevokeAllAsked:
      return Notable{Telling::kOrder, "revoke all tokens of all members"};
    case AuditEvent::kApproveAsked:
      return Notable{Telling::kOrderOnDetail, "approve plan"};
    case AuditEvent::kRemovalsLiftAsked:
      return Notable{Telling::kOrderOnDetail, "let members be removed by"};
    case AuditEvent::kBackupAsked:
      return Notable{Telling::kOrder, "make a backup"};
    case AuditEvent::kRestored:
      return Notable{Telling::kWithDetail, "AN EARLIER COPY of the database is in place"};
    case AuditEvent::kTokenFetched:
    case AuditEvent::kTokenIssued:
    case AuditEvent::kTokenRefreshed:
    case AuditEvent::kPairRenewed:
    case AuditEvent::kTokenRevoked:
    case AuditEvent::kRevocationFailed:
    case AuditEvent::kRevocationOver:
    case AuditEvent::kMemberRetired:
    case AuditEvent::kMemberReturned:
    case AuditEvent::kMemberBlocked:
    case AuditEvent::kMemberReinstated:
    case AuditEvent::kReloaded:
    case AuditEvent::kRotateAsked:
    case AuditEvent::kReloadAsked:
    case AuditEvent::kEnrolled:
    case AuditEvent::kEnrolmentEnded:
    case AuditEvent::kSignedOut:
    case AuditEvent::kSignOutAsked:
    case AuditEvent::kEnrolAsked:
    case AuditEvent::kEnrolmentEndAsked:
    case AuditEvent::kHandleRevoked:
    case AuditEvent::kClientRefused:
    case AuditEvent::kHandleRevokeAsked:
    case AuditEvent::kTokenRevokeAsked:
      return std::nullopt;
  }
  ROTA_CHECK(false);
}

}  // namespace rota

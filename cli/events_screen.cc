#include "cli/events_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "cli/columns.h"
#include "cli/fields.h"
#include "model/audit.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kTimeWidth = 11;  // "03-20 16:36"

// None: another version of rotad has more events.
std::optional<AuditEvent> event_of(const std::string& name) {
  const auto* const found = std::ranges::find_if(
      kAuditEvents, [&name](AuditEvent event) { return name_of(event) == name; });
  return found == kAuditEvents.end() ? std::nullopt : std::optional(*found);
}

std::string with_detail(std::string_view words, const std::string& detail) {
  return detail.empty() ? std::string(words) : fmt::format("{}: {}", words, detail);
}

}  // namespace

std::string EventLines::start_words(const std::string& detail) {
  const bool stopped = !std::exchange(runs_, true);
  return with_detail(stopped ? "started" : "started without a stop before (killed, or a power cut)",
                     detail);
}

std::string EventLines::line(const json::object& entry, WallTime now) {
  const auto event = event_of(text_at(entry, "event"));
  if (!event || !is_notable(*event)) return {};
  const std::string detail = text_at(entry, "detail");
  const std::string member = text_at(entry, "member");
  const auto ordered = [&](std::string_view what, const std::string& whom) {
    return fmt::format("{} ordered: {}{}{}", who_did(entry, name_of_user_), what,
                       whom.empty() ? "" : " ", whom);
  };
  std::string words;
  switch (*event) {
    case AuditEvent::kStarted:
      words = start_words(detail);
      break;
    case AuditEvent::kStopped:
      runs_ = false;
      words = "stopped";
      break;
    case AuditEvent::kBreakerOpened:
      words = with_detail("CALLS FAIL, so rotad makes one probe at a time", detail);
      break;
    case AuditEvent::kBreakerClosed:
      words = "calls to Circle work again";
      break;
    case AuditEvent::kAppTokenRefused:
      words = "CIRCLE REFUSES THE APP TOKEN: no member gets a new token";
      break;
    case AuditEvent::kAppTokenAccepted:
      words = "Circle takes the app token again";
      break;
    case AuditEvent::kAppTokenChanged:
      words = "a new app token is in force";
      break;
    case AuditEvent::kRosterApplied:
      words = with_detail("the roster is in force", detail);
      break;
    case AuditEvent::kPlanHeld:
      words = with_detail("THE GUARD HOLDS", detail);
      break;
    case AuditEvent::kPlanApproved:
      words = with_detail("approved", detail);
      break;
    case AuditEvent::kReloadFailed:
      words = with_detail("A RELOAD HAD AN ERROR", detail);
      break;
    case AuditEvent::kGrantsChanged:
      words = with_detail("grants", detail);
      break;
    case AuditEvent::kMemberMismatched:
      words =
          fmt::format("{} LEADS TO ANOTHER PERSON at Circle: rotad serves nothing of it", member);
      break;
    case AuditEvent::kRemovalsLimited:
      words = fmt::format("{} IS HELD BACK: it removed too many members", detail);
      break;
    case AuditEvent::kRevokeAsked:
      words = ordered("revoke", member);
      break;
    case AuditEvent::kReinstateAsked:
      words = ordered("reinstate", member);
      break;
    case AuditEvent::kRevokeAllAsked:
      words = ordered("revoke all tokens of all members", "");
      break;
    case AuditEvent::kApproveAsked:
      words = ordered("approve plan", detail);
      break;
    case AuditEvent::kRemovalsLiftAsked:
      words = ordered("let members be removed by", detail);
      break;
    case AuditEvent::kBackupAsked:
      words = ordered("make a backup", "");
      break;
    case AuditEvent::kRestored:
      words = with_detail("AN EARLIER COPY of the database is in place", detail);
      break;
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
      ROTA_CHECK(false);  // not notable
  }
  if (const auto count = number_at(entry, "count"); count && *count > 1) {
    words += fmt::format(" ({} times)", *count);
  }
  const std::string text = fmt::format(
      "{}  {}", in_column(audit_time(text_at(entry, "at"), now), kTimeWidth), visible(words));
  return (columns_ ? cut(text, *columns_) : text) + "\n";
}

}  // namespace rota::cli

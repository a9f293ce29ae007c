#include "cli/events_screen.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>

#include "cli/columns.h"
#include "model/audit.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace json = boost::json;

const WallTime kNow = *parse_iso8601("2024-03-20T16:42:10Z");

std::string root(std::uint32_t uid) { return uid == 0 ? "root" : ""; }

json::object entry(AuditEvent event, std::string_view detail = "", std::string_view member = "") {
  return {{"at", "2024-03-20T16:36:47.274Z"},
          {"event", std::string(name_of(event))},
          {"count", 1},
          {"uid", 0},
          {"pid", 812},
          {"detail", detail},
          {"member", member}};
}

class EventsScreen : public ::testing::Test {
 protected:
  std::string words(const json::object& entry) {
    const std::string line = lines_.line(entry, kNow);
    return line.empty() ? line : line.substr(13, line.size() - 14);
  }
  EventLines lines_{80, root};
};

// What operators care about: all of it, and nothing else.
TEST_F(EventsScreen, TellsTheseEventsInTheseWords) {
  using Event = AuditEvent;
  const std::map<Event, std::string> told{
      {Event::kStarted, "started: d"},
      {Event::kStopped, "stopped"},
      {Event::kBreakerOpened, "CALLS FAIL, so rotad makes one probe at a time: d"},
      {Event::kBreakerClosed, "calls to Circle work again"},
      {Event::kAppTokenRefused, "CIRCLE REFUSES THE APP TOKEN: no member gets a new token"},
      {Event::kAppTokenAccepted, "Circle takes the app token again"},
      {Event::kAppTokenChanged, "a new app token is in force"},
      {Event::kRosterApplied, "the roster is in force: d"},
      {Event::kPlanHeld, "THE GUARD HOLDS: d"},
      {Event::kPlanApproved, "approved: d"},
      {Event::kReloadFailed, "A RELOAD HAD AN ERROR: d"},
      {Event::kGrantsChanged, "grants: d"},
      {Event::kMemberMismatched,
       "id:42 LEADS TO ANOTHER PERSON at Circle: rotad serves nothing of it"},
      {Event::kRemovalsLimited, "d IS HELD BACK: it removed too many members"},
      {Event::kRevokeAsked, "root (812) ordered: revoke id:42"},
      {Event::kReinstateAsked, "root (812) ordered: reinstate id:42"},
      {Event::kRevokeAllAsked, "root (812) ordered: revoke all tokens of all members"},
      {Event::kApproveAsked, "root (812) ordered: approve plan d"},
      {Event::kRemovalsLiftAsked, "root (812) ordered: let members be removed by d"},
      {Event::kBackupAsked, "root (812) ordered: make a backup"},
      {Event::kRestored, "AN EARLIER COPY of the database is in place: d"},
  };
  for (const Event event : kAuditEvents) {
    EventLines wide(std::nullopt, root);
    const std::string line = wide.line(entry(event, "d", "id:42"), kNow);
    const auto found = told.find(event);
    EXPECT_EQ(line, found == told.end() ? "" : "16:36:47     " + found->second + "\n")
        << name_of(event);
    EXPECT_EQ(is_notable(event), found != told.end()) << "what the daemon sends, too";
  }
  EXPECT_THAT(words(json::object{{"event", "of_a_later_version"}}), IsEmpty());
  EXPECT_THAT(words(json::object{}), IsEmpty());
}

TEST_F(EventsScreen, SaysWhatWhomAndWho) {
  EXPECT_EQ(lines_.line(entry(AuditEvent::kBreakerOpened, "Circle answers 503"), kNow),
            "16:36:47     CALLS FAIL, so rotad makes one probe at a time: Circle answers 503\n");
  EXPECT_EQ(words(entry(AuditEvent::kRevokeAsked, "", "id:42")),
            "root (812) ordered: revoke id:42");
  json::object thrice = entry(AuditEvent::kReloadFailed, "the roster changed on disk");
  thrice["count"] = 3;
  thrice["at"] = "2024-03-19T08:00:00.000Z";
  EventLines wide(std::nullopt, root);
  EXPECT_EQ(wide.line(thrice, kNow),
            "03-19 08:00  A RELOAD HAD AN ERROR: the roster changed on disk (3 times)\n");
}

TEST_F(EventsScreen, AStartWithoutAStopBeforeItSaysSo) {
  EXPECT_EQ(words(entry(AuditEvent::kStarted, "rotad 1.2.3")), "started: rotad 1.2.3")
      << "of what came before the first entry nothing is known";
  EXPECT_EQ(words(entry(AuditEvent::kStopped)), "stopped");
  EXPECT_EQ(words(entry(AuditEvent::kStarted)), "started");
  EXPECT_THAT(words(entry(AuditEvent::kStarted)), HasSubstr("without a stop before"));
  EXPECT_THAT(words(entry(AuditEvent::kStarted)), HasSubstr("without a stop before"));
}

TEST_F(EventsScreen, FitsTheTerminalAndObeysNobody) {
  const std::string line =
      lines_.line(entry(AuditEvent::kGrantsChanged, "\x1b[2J" + std::string(200, 'x')), kNow);
  EXPECT_EQ(display_width(line.substr(0, line.size() - 1)), 80U);
  EXPECT_THAT(line, HasSubstr("\\x1b"));
}

}  // namespace
}  // namespace rota::cli

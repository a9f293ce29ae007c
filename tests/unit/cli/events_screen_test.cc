#include "cli/events_screen.h"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <set>
#include <string>

#include "cli/columns.h"
#include "model/audit.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

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

TEST_F(EventsScreen, EachNotableEventHasItsOwnWords) {
  std::set<std::string> all;
  for (const AuditEvent event : kAuditEvents) {
    const std::string said = words(entry(event, "", "id:42"));
    EXPECT_EQ(said.empty(), !is_notable(event)) << name_of(event);
    if (!said.empty()) EXPECT_TRUE(all.insert(said).second) << said;
    EXPECT_THAT(said, Not(HasSubstr("_"))) << "plain words";
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

#include "cli/status_screen.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "cli/columns.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const WallTime kNow = *parse_iso8601("2024-03-20T16:42:10Z");

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

void expect_fits(const std::string& screen) {
  const auto lines = lines_of(screen);
  EXPECT_LE(lines.size(), kScreenLines) << screen;
  for (const std::string& line : lines) EXPECT_LE(display_width(line), kScreenColumns) << line;
}

boost::json::object well() {
  return boost::json::parse(R"({
    "version":"0.1.0","ready":true,"not_ready":[],
    "members":{"active":263,"unknown":0,"blocked":1,"mismatched":0,"retiring":0,"retired":41,
               "fresh":259,"overdue":0,"tokens_hold_until":"2024-03-20T17:20:00.000Z"},
    "sources":{"roster":251,"enrolled":12},"upkeep":{"fits":10692,"kept":259,"left_out":4},
    "first_issues":{"waiting":0,"issued":259,"of":259,"left_ms":0},
    "tokens_to_revoke":0,"doubts":0,"rows_set_aside":0,"waiting_clients":0,
    "upstream":{"breaker":"closed","trouble":null,"next_call_in_ms":12000,"calls_in_flight":0,
                "window_used":26,"window_limit":1200,"paused_ms":0,"clock_skew_ms":3,
                "clock_confirmed":true,"clock_doubted":false},
    "store":{"commits":"ok"},"roster_plan_held":null})")
      .as_object();
}

boost::json::object reason(const char* code, const std::string& message,
                           const std::string& detail = "") {
  return {{"code", code}, {"message", message}, {"detail", detail}};
}

TEST(StatusScreen, ShowsWhoseRemovalsAreHeldBack) {
  boost::json::object status = well();
  EXPECT_THAT(status_screen(status, kNow), testing::Not(HasSubstr("lift-removals")));
  status["removals_held_back"] = boost::json::array{"user:web"};
  EXPECT_THAT(status_screen(status, kNow), HasSubstr("HELD BACK: rota lift-removals user:web"));
  expect_fits(status_screen(status, kNow));
  status["removals_held_back"] = boost::json::array{"client:shop", "user:web"};
  EXPECT_THAT(status_screen(status, kNow),
              HasSubstr("HELD BACK, 2 clients: rota lift-removals client:shop"));
}

TEST(StatusScreen, SaysWhereItRunsAndWhatItHasDone) {
  boost::json::object status = well();
  status["host"] = "web1";
  status["started_at"] = "2024-03-20T13:40:00.000Z";
  status["fetches"] = {{"tokens", 12'345}, {"errors", 2}};
  status["roster"] = {{"in_force_since", "2024-03-20T16:33:00.000Z"}};
  const std::string screen = status_screen(status, kNow);
  EXPECT_THAT(screen, StartsWith("rota 0.1.0 on web1, up 3 h "));
  EXPECT_THAT(screen, HasSubstr("clients that wait 0   tokens given 12,345   requests refused 2"));
  EXPECT_THAT(screen, HasSubstr("in force since 16:33; no plan is held"));
  expect_fits(screen);
}

TEST(StatusScreen, ChartsTheCallsOfTheNextHourAgainstTheBudget) {
  boost::json::object status = well();
  boost::json::array steps{0, 1, 240, 480, 900};
  steps.resize(30, 0);
  status["calls_due"] = {{"step_ms", 120'000}, {"steps", steps}};
  status["upstream"].as_object()["window_ms"] = 300'000;
  const std::string screen = status_screen(status, kNow);
  EXPECT_THAT(screen, HasSubstr("next hour | .=##" + std::string(25, ' ') +
                                "|  1,621 due; # is 480 or more"));
  expect_fits(screen);
}

TEST(StatusScreen, SaysInOneLineThatAllIsWell) {
  const std::string screen = status_screen(well(), kNow);
  const auto lines = lines_of(screen);
  EXPECT_THAT(lines[0], StartsWith("rota 0.1.0 "));
  EXPECT_THAT(lines[0], testing::EndsWith(" 16:42:10 UTC"));
  EXPECT_EQ(lines[1], "READY  holds until 17:20 even if Circle fails now");
  EXPECT_THAT(lines[2], StartsWith("MEMBERS    251 in the roster, 12 enrolled"));
  EXPECT_THAT(screen, HasSubstr("259 of 259 to be kept fresh"));
  EXPECT_THAT(screen,
              HasSubstr("#...................  26 of 1,200 calls used; keeps 10,692 fresh"));
  EXPECT_THAT(screen, Not(HasSubstr("!"))) << "nothing calls for a look";
  expect_fits(screen);
}

TEST(StatusScreen, SaysFirstWhyItIsNotReadyAndWhatToDo) {
  boost::json::object status = well();
  status["ready"] = false;
  status["not_ready"] = {reason("commit_failing", "commits to the database fail", "disk full"),
                         reason("roster_plan_held", "a roster plan is held")};
  status["roster_plan_held"] = {{"id", "3f"}};
  const auto lines = lines_of(status_screen(status, kNow));
  EXPECT_EQ(lines[1], "NOT READY  commits to the database fail (commit_failing)");
  EXPECT_EQ(lines[2], "           - disk full");
  EXPECT_EQ(lines[3], "           - free space on the disk, or repair it");
  EXPECT_EQ(lines[4], "           a roster plan is held (roster_plan_held)");
  EXPECT_THAT(status_screen(status, kNow), HasSubstr("rota approve 3f"));
}

TEST(StatusScreen, TellsALongReasonWholeAndAnOutageOnce) {
  boost::json::object status = well();
  status["ready"] = false;
  status["not_ready"] = {
      reason("members_overdue", "2 members have no live token, and issuing has stalled"),
      reason("upstream_failing", "Circle answers 503 (since 16:36 UTC)")};
  const auto lines = lines_of(status_screen(status, kNow));
  EXPECT_EQ(lines[1], "NOT READY  2 members have no live token, and issuing has stalled");
  EXPECT_EQ(lines[2], "           (members_overdue)");
  EXPECT_EQ(lines[3], "           - rota members --overdue lists them");
  EXPECT_EQ(lines[4], "           Circle answers 503 (since 16:36 UTC) (upstream_failing)");
  status["upstream"].as_object()["trouble"] = {
      {"what", "Circle answers 503"}, {"since", "2024-03-20T16:36:00.000Z"}, {"failures", 3}};
  EXPECT_THAT(status_screen(status, kNow), Not(HasSubstr("upstream_failing")));
  EXPECT_THAT(status_screen(status, kNow), HasSubstr("\n  Circle answers 503 since 16:36;"));
  status["not_ready"] =
      boost::json::array{reason("upstream_failing", "Circle answers 503 (since 16:36 UTC)")};
  EXPECT_THAT(status_screen(status, kNow), HasSubstr("upstream_failing")) << "nothing else says it";
}

TEST(StatusScreen, ShowsAnOutageThatNobodyFeelsYet) {
  boost::json::object status = well();
  status["upstream"].as_object()["trouble"] = {
      {"what", "Circle answers 503"}, {"since", "2024-03-20T16:36:00.000Z"}, {"failures", 3}};
  const std::string screen = status_screen(status, kNow);
  EXPECT_THAT(screen, HasSubstr("READY  holds until 17:20 even if Circle goes on failing\n"
                                "  Circle answers 503 since 16:36; next try in 12 s\n"))
      << "an older rotad does not say when an answer was good";
  status["upstream"].as_object()["last_success_at"] = nullptr;
  EXPECT_THAT(status_screen(status, kNow),
              HasSubstr("  Circle answers 503 since 16:36; no good answer since the start; next"));
  status["upstream"].as_object()["last_success_at"] = "2024-03-20T16:36:04.250Z";
  EXPECT_THAT(status_screen(status, kNow),
              HasSubstr("  Circle answers 503 since 16:36; last good answer 16:36:04; next try in "
                        "12 s\n"));
  status["ready"] = false;
  status["not_ready"] = boost::json::array{reason("members_overdue", "30 members have no token")};
  EXPECT_THAT(
      status_screen(status, kNow),
      HasSubstr("\n  Circle answers 503 since 16:36; last good answer 16:36:04; next try in "
                "12 s\n"));
}

TEST(StatusScreen, LeadsToWhatCallsForALook) {
  boost::json::object status = well();
  status["members"].as_object()["overdue"] = 30;
  status["members"].as_object()["unknown"] = 3;
  status["tokens_to_revoke"] = 2;
  status["members"].as_object()["tokens_hold_until"] = "2024-03-21T00:10:00.000Z";
  const std::string screen = status_screen(status, kNow);
  EXPECT_THAT(screen, HasSubstr("30 ! rota members --overdue"));
  EXPECT_THAT(screen, HasSubstr("3 ! not at Circle: rota members --state unknown"));
  EXPECT_THAT(screen, HasSubstr("2 tokens to be revoked STILL ALIVE"));
  EXPECT_THAT(screen, HasSubstr("holds until 2024-03-21 00:10"));
}

TEST(StatusScreen, FitsWhateverHappens) {
  boost::json::object status = well();
  status["ready"] = false;
  boost::json::array reasons;
  for (int i = 0; i < 16; ++i) {
    reasons.push_back(reason("listener_not_listening", std::string(200, 'm') + "\u001b[31m",
                             std::string(300, 'd')));
  }
  status["not_ready"] = reasons;
  status["tokens_to_revoke"] = 1'000'000;
  status["doubts"] = 1'000'000;
  status["rows_set_aside"] = 1'000'000;
  status["first_issues"].as_object()["waiting"] = 1'000'000;
  status["upstream"].as_object()["trouble"] = {
      {"what", std::string(200, 'w')}, {"since", "2024-03-20T16:36:00.000Z"}, {"failures", 3}};
  for (auto& field : status["members"].as_object()) {
    if (field.value().is_int64()) field.value() = 1'000'000;
  }
  const std::string screen = status_screen(status, kNow);
  expect_fits(screen);
  EXPECT_EQ(screen.find('\x1b'), std::string::npos);
  EXPECT_THAT(screen, HasSubstr("and 13 more: rota doctor"));
}

TEST(StatusScreen, LeavesOutWhatAnotherVersionDoesNotSay) {
  const std::string screen = status_screen({{"version", "9"}, {"ready", true}}, kNow);
  EXPECT_THAT(screen, HasSubstr("\nREADY\n"));
  EXPECT_THAT(screen, Not(HasSubstr("MEMBERS")));
  EXPECT_THAT(status_screen({}, kNow), HasSubstr("\nNOT READY\n"));
}

}  // namespace
}  // namespace rota::cli

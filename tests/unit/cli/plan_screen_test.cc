#include "cli/plan_screen.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <sstream>
#include <string>

#include "cli/columns.h"
#include "cli/status_screen.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

namespace json = boost::json;

constexpr GuardPolicy kGuard{.max_retire_count = 5, .max_retire_fraction = 0.02};

json::object object(std::string_view text) { return json::parse(text).get_object(); }

// As rotad writes it: `leavers` that are id:1 and on, and one addition.
json::object plan_of(std::size_t leavers, bool held) {
  json::array retire;
  for (std::size_t i = 1; i <= leavers; ++i) retire.emplace_back(fmt::format("id:{}", i));
  return {{"id", "3f"},
          {"held", held},
          {"add", {"id:100"}},
          {"retire", std::move(retire)},
          {"change", json::array{}},
          {"calls", 2 * leavers + 1}};
}

TEST(PlanScreen, GroupsCountsAndNames) {
  const PlanFrame frame{
      .names = {{"email:a@b.example", "Ada"}, {"id:100", "Grace"}},
      .pace = CallPace{.calls = 1'200, .first_issues = 900, .window = std::chrono::minutes{5}},
      .guard = kGuard,
      .columns = kScreenColumns};
  EXPECT_EQ(plan_screen(object(R"({"id":"3f","held":false,"add":["id:100","id:101"],
                                   "retire":["email:a@b.example"],"change":["id:7"],"calls":4})"),
                        frame),
            "PLAN 3f: the roster on disk\n"
            "  retire      1  email:a@b.example  Ada\n"
            "  add         2  id:100  Grace\n"
            "                 id:101\n"
            "  change      1  id:7\n"
            "  guard   lets it through: 1 leaves (it holds more than 5 and more than 2 % of\n"
            "          all)\n"
            "  cost    4 calls to Circle, about 1 min\n"
            "  next    rota reload, unless rotad has read it by itself meanwhile\n");
}

TEST(PlanScreen, SaysWhatTheGuardHoldsAndTheWayThroughIt) {
  const PlanFrame frame{.guard = kGuard, .columns = kScreenColumns};
  EXPECT_THAT(plan_screen(plan_of(6, true), frame),
              HasSubstr("  guard   HOLDS it: 6 leave, more than 5 and more than 2 % of all; all "
                        "else\n          comes into force\n"));
  EXPECT_THAT(plan_screen(plan_of(6, true), frame),
              HasSubstr("rota approve 3f lets them go; or put them back into the roster\n"));
  PlanFrame draft = frame;
  draft.stage = PlanStage::kDraft;
  draft.of = "new.toml";
  EXPECT_THAT(plan_screen(plan_of(6, true), draft), HasSubstr("would HOLD"));
  EXPECT_THAT(plan_screen(plan_of(6, true), draft),
              HasSubstr("  next    put it in place, then: rota approve 3f\n"));
  EXPECT_THAT(plan_screen(plan_of(1, false), draft), Not(HasSubstr("rota approve")));
  draft.stage = PlanStage::kReloaded;
  EXPECT_THAT(plan_screen(plan_of(1, false), draft), Not(HasSubstr("next")));
}

TEST(PlanScreen, ShowsTheFirstOfManyAndAllOnRequest) {
  PlanFrame frame{.columns = kScreenColumns};
  const json::object plan = plan_of(kPlanKeysShown + 5, true);
  const std::string first = plan_screen(plan, frame);
  EXPECT_THAT(first, HasSubstr(fmt::format("id:{}\n", kPlanKeysShown)));
  EXPECT_THAT(first, Not(HasSubstr(fmt::format("id:{}\n", kPlanKeysShown + 1))));
  EXPECT_THAT(first, HasSubstr("and 5 more: --all shows them\n"));
  frame.all_keys = true;
  EXPECT_THAT(plan_screen(plan, frame), HasSubstr(fmt::format("id:{}\n", kPlanKeysShown + 5)));
  EXPECT_THAT(plan_screen(plan, frame), Not(HasSubstr("more: --all")));
  frame = {.stage = PlanStage::kReloaded, .columns = kScreenColumns};
  EXPECT_THAT(plan_screen(plan, frame), HasSubstr("and 5 more: --json has them\n"))
      << "rota reload has no --all";
}

TEST(PlanScreen, FitsTheTerminalWhateverOthersWrote) {
  const std::string key = "sso:" + std::string(90, 'x');
  const json::object plan{
      {"id", "3f"},      {"held", true}, {"add", {key, "sso:\x1b[2J"}}, {"retire", json::array{}},
      {"change", {key}}, {"calls", 2}};
  PlanFrame frame{.of = "a\nb", .columns = kScreenColumns};
  for (const std::string& name : {std::string(), std::string(300, 'n'), std::string("\x1b[31m")}) {
    frame.names = {{key, name}};
    std::istringstream lines(plan_screen(plan, frame));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(display_width(line), kScreenColumns) << line;
      EXPECT_THAT(line, Not(HasSubstr("\x1b")));
    }
  }
  frame.columns = 1;
  EXPECT_THAT(plan_screen(plan, frame), HasSubstr("sso:")) << "a terminal without any room";
  frame.columns.reset();
  EXPECT_THAT(plan_screen(plan, frame), HasSubstr(key)) << "elsewhere nothing is cut";
}

TEST(PlanScreen, SaysThatNothingChanges) {
  const json::object none =
      object(R"({"id":"0","held":false,"add":[],"retire":[],"change":[],"calls":0})");
  EXPECT_EQ(plan_screen(none, {}), "no member changes: the roster on disk is in force\n");
  EXPECT_EQ(plan_screen(none, {.of = "new.toml", .stage = PlanStage::kDraft}),
            "no member changes with new.toml\n");
}

TEST(PlanScreen, AChangeAloneIsAChangeAndNobodyAsksTheGuard) {
  const std::string text = plan_screen(
      object(R"({"id":"3f","held":false,"add":[],"retire":[],"change":["id:7"],"calls":0})"),
      {.pace = CallPace{.calls = 1'200, .first_issues = 900, .window = std::chrono::minutes{5}},
       .guard = kGuard});
  EXPECT_THAT(text, HasSubstr("  change      1  id:7\n"));
  EXPECT_THAT(text, Not(HasSubstr("guard")));
  EXPECT_THAT(text, HasSubstr("0 calls to Circle\n")) << "and takes no time";
}

// Both tokens of each are revoked.
TEST(PlanScreen, ALeaverTakesTheTimeOfTwoCalls) {
  const PlanFrame frame{
      .pace = CallPace{.calls = 10, .first_issues = 1'000'000, .window = std::chrono::minutes{5}}};
  EXPECT_THAT(plan_screen(plan_of(10, false), frame), HasSubstr("21 calls to Circle, about 11 min"))
      << "ten minutes, and a moment for the addition";
}

TEST(PlanScreen, ANarrowTerminalBreaksTheLinesItself) {
  const std::string text = plan_screen(
      object(R"({"id":"3f","held":false,"add":["id:100"],"retire":[],"change":[],"calls":1})"),
      {.names = {{"id:100", std::string(40, 'n')}}, .columns = 10});
  EXPECT_THAT(text, HasSubstr("id:100  nnnnnnnnnnnnnn…\n")) << "as one of 40 columns has it";
}

TEST(PlanScreen, SaysWhatTheBudgetDoesNotKeepFresh) {
  const PlanFrame frame{.of = "new.toml", .stage = PlanStage::kDraft, .wanted = 120, .fits = 100};
  EXPECT_THAT(plan_screen(plan_of(0, false), frame),
              HasSubstr("keeps only 100 of this roster's 120 members fresh: the 20 that"));
  PlanFrame fits = frame;
  fits.wanted = 100;
  EXPECT_THAT(plan_screen(plan_of(0, false), fits),
              HasSubstr("keeps 100 members fresh; this roster has 100"));
}

TEST(PlanScreen, OfARosterAloneItClaimsNothingAboutTheGuard) {
  const std::string text = roster_alone_screen(
      "3 entries",
      {.of = "/etc/rota/roster.toml",
       .pace = CallPace{.calls = 1'200, .first_issues = 900, .window = std::chrono::minutes{5}},
       .guard = kGuard,
       .wanted = 2'000,
       .fits = 10'800});
  EXPECT_THAT(text, HasSubstr("ROSTER /etc/rota/roster.toml\n"));
  EXPECT_THAT(text,
              HasSubstr("at most 2,000 calls to Circle for the members that are new, about 12"));
  EXPECT_THAT(text, HasSubstr("guard   NOT KNOWN"));
  EXPECT_THAT(text, HasSubstr("rotad --check"));
}

TEST(TimeFor, CountsFirstIssuesAtTheirOwnPace) {
  const CallPace pace{.calls = 1'200, .first_issues = 600, .window = std::chrono::minutes{5}};
  EXPECT_EQ(time_for(600, 0, pace), "about 5 min");
  EXPECT_EQ(time_for(601, 0, pace), "about 6 min") << "rounded up";
  EXPECT_EQ(time_for(600, 1'200, pace), "about 10 min");
  EXPECT_EQ(time_for(1, 0, pace), "about 1 min");
  EXPECT_EQ(time_for(0, 0, pace), "about 1 min");
  EXPECT_EQ(time_for(1, 0, {.calls = 2, .first_issues = 0, .window = std::chrono::minutes{5}}),
            "about 5 min")
      << "a share below one call a window";
}

}  // namespace
}  // namespace rota::cli

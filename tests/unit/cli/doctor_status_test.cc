#include "cli/doctor_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include "report/health.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;

Findings judge(std::string_view text) { return judge_status(boost::json::parse(text).as_object()); }

FindingState state_of(const Findings& findings, std::string_view about) {
  const auto found = std::ranges::find(findings, about, &Finding::about);
  EXPECT_NE(found, findings.end()) << about;
  return found == findings.end() ? FindingState::kNote : found->state;
}

TEST(JudgeStatus, EveryReasonIsAFinding) {
  const Findings findings = judge(
      R"({"summary":"x","not_ready":[{"code":"commit_failing","message":"no commits","detail":"full"},)"
      R"({"code":"of_another_version","message":"what","detail":""}]})");
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_EQ(findings[0],
            wrong("readiness", "no commits: full", "free space on the disk, or repair it"));
  EXPECT_EQ(findings[1], wrong("readiness", "what", "see rota status"));
}

// The compiler does not find these places when a code is new.
TEST(JudgeStatus, EveryCodeHasARemedyOfItsOwnAndARowInTheDocs) {
  std::ifstream file(ROTA_TROUBLE_PAGE);
  const std::string page(std::istreambuf_iterator<char>(file), {});
  std::set<std::string> remedies{"see rota status"};
  for (const UnreadyCode code : kUnreadyCodes) {
    const std::string name(name_of(code));
    const Findings findings = judge(R"({"not_ready":[{"code":")" + name + R"("}]})");
    ASSERT_EQ(findings.size(), 1U) << name;
    EXPECT_TRUE(remedies.insert(findings[0].remedy).second) << name << ": remedy_of()";
    EXPECT_THAT(page, HasSubstr("\n| `" + name + "` | "))
        << "the table of codes in docs/trouble.md";
  }
}

TEST(JudgeStatus, AFailedCallIsToldAtOnce) {
  const auto of = [](bool ready, int failures, std::string_view breaker) {
    const Findings findings = judge(boost::json::serialize(
        boost::json::object{{"ready", ready},
                            {"members", {{"tokens_hold_until", "2024-03-20T16:57:00.000Z"}}},
                            {"upstream",
                             {{"breaker", breaker},
                              {"next_call_in_ms", 1'500},
                              {"last_success_at", "2024-03-20T16:36:04.000Z"},
                              {"trouble",
                               {{"what", "Circle answers 503"},
                                {"since", "2024-03-20T16:36:47.000Z"},
                                {"failures", failures}}}}}}));
    const auto found = std::ranges::find(findings, "calls", &Finding::about);
    EXPECT_NE(found, findings.end());
    EXPECT_EQ(found->text,
              "Circle answers 503 (since 2024-03-20T16:36:47.000Z; last good answer "
              "2024-03-20T16:36:04.000Z); tokens are valid until 2024-03-20T16:57:00.000Z; next "
              "call in 2 s");
    return found->state;
  };
  EXPECT_EQ(of(true, 1, "closed"), FindingState::kNote) << "one, and nobody feels it";
  EXPECT_EQ(of(false, 1, "closed"), FindingState::kWrong);
  EXPECT_EQ(of(true, 2, "closed"), FindingState::kWrong);
  EXPECT_EQ(of(true, 1, "failing"), FindingState::kWrong);
  EXPECT_EQ(state_of(judge(R"({"upstream":{"trouble":null}})"), "calls"), FindingState::kGood);
}

TEST(JudgeStatus, OneCauseIsOneFinding) {
  constexpr const char* kFailing =
      R"({"not_ready":[{"code":"upstream_failing","message":"Circle fails"},)"
      R"({"code":"roster_not_in_force","message":"not in force"}],)"
      R"("upstream":{"breaker":"failing","trouble":{"what":"Circle answers 503","failures":9}}})";
  const auto count = [](const Findings& findings, std::string_view about) {
    return std::ranges::count(findings, about, &Finding::about);
  };
  EXPECT_EQ(count(judge(kFailing), "calls"), 1);
  EXPECT_EQ(count(judge(kFailing), "readiness"), 1) << "the roster's";
  EXPECT_EQ(count(judge_status(boost::json::parse(kFailing).as_object(), {"roster"}), "readiness"),
            0);
  const Findings refused = judge(
      R"({"not_ready":[{"code":"upstream_app_token_refused","message":"Circle refuses"}],)"
      R"("upstream":{"breaker":"app_token_refused","trouble":{"what":"refused","failures":9}}})");
  EXPECT_EQ(count(refused, "readiness"), 1) << "its remedy is the better one";
  EXPECT_EQ(count(refused, "calls"), 0);
  EXPECT_EQ(count(judge(R"({"upstream":{"breaker":"not_eligible","trouble":{"what":"refused"}}})"),
                  "calls"),
            0);
}

// Of what another finding says with more of it.
TEST(JudgeStatus, NoReasonRepeatsAnotherFinding) {
  for (const auto& [code, about] :
       {std::pair{"roster_not_in_force", "roster"}, std::pair{"config_not_in_force", "config"},
        std::pair{"app_token_not_read", "credential"}, std::pair{"grants_held_back", "grants"},
        std::pair{"listener_not_listening", "listener"}, std::pair{"commit_failing", "disk"},
        std::pair{"upstream_failing", "calls"}}) {
    const auto status = boost::json::parse(R"({"not_ready":[{"code":")" + std::string(code) +
                                           R"(","message":"m"}]})")
                            .as_object();
    EXPECT_TRUE(judge_status(status, {about}).empty()) << code;
    EXPECT_EQ(judge_status(status, {"another"}).size(), 1U) << code;
  }
}

TEST(JudgeStatus, AReadyDaemonIsGood) {
  EXPECT_EQ(state_of(judge(R"({"summary":"2 of 2 members fresh","not_ready":[]})"), "readiness"),
            FindingState::kGood);
}

TEST(JudgeStatus, AnOlderDaemonSaysNothingOfItsCalls) {
  EXPECT_EQ(std::ranges::count(judge(R"({"upstream":{}})"), "calls", &Finding::about), 0);
}

TEST(JudgeStrangers, NamesTheFirstOnes) {
  const auto page = boost::json::parse(R"({"members":[{"key":"email:a@b"},{"key":"id:2"}]})");
  EXPECT_EQ(judge_strangers("unknown", 2, page),
            note("members", "Circle does not know 2 members: email:a@b, id:2",
                 "correct or remove them; rota members --state unknown has all"));
  EXPECT_EQ(judge_strangers("unknown", 3, page).text,
            "Circle does not know 3 members: email:a@b, id:2, …");
  EXPECT_EQ(judge_strangers("unknown", 1, nullptr).text, "Circle does not know 1 member");
  EXPECT_EQ(judge_strangers("mismatched", 1, page).state, FindingState::kWrong);
}

TEST(JudgeStatus, ARefusedAppTokenNamesTheCommonestMistake) {
  const Findings findings = judge(
      R"({"not_ready":[{"code":"upstream_app_token_refused","message":"Circle refuses","detail":""}]})");
  EXPECT_THAT(findings[0].remedy, HasSubstr("Admin API token"));
  EXPECT_THAT(findings[0].remedy, HasSubstr("systemctl restart rotad.service"));
}

TEST(JudgeStatus, ClockSkewIsWrongPastThirtySeconds) {
  const auto of = [](int skew, bool confirmed) {
    return state_of(judge(boost::json::serialize(boost::json::object{
                        {"upstream", {{"clock_skew_ms", skew}, {"clock_confirmed", confirmed}}}})),
                    "clock");
  };
  EXPECT_EQ(of(30'000, true), FindingState::kGood);
  EXPECT_EQ(of(30'001, true), FindingState::kWrong);
  EXPECT_EQ(of(-30'000, true), FindingState::kGood);
  EXPECT_EQ(of(-30'001, true), FindingState::kWrong);
  EXPECT_EQ(of(90'000, false), FindingState::kNote);
}

TEST(JudgeStatus, ABudgetThatIsShortIsANote) {
  const auto of = [](int used, int left_out) {
    return state_of(
        judge(boost::json::serialize(boost::json::object{
            {"upkeep", {{"fits", 100}, {"left_out", left_out}}},
            {"upstream", {{"window_used", used}, {"window_limit", 1'200}, {"paused_ms", 0}}}})),
        "budget");
  };
  EXPECT_EQ(of(1'080, 0), FindingState::kGood);
  EXPECT_EQ(of(1'081, 0), FindingState::kNote);
  EXPECT_EQ(of(0, 1), FindingState::kNote);
  EXPECT_THAT(judge(R"({"upstream":{"paused_ms":20000}})").back().text,
              HasSubstr("of which 20 s are left"));
}

TEST(JudgeUnit, ByWhatSystemdSays) {
  const auto of = [](std::string_view text) {
    return judge_unit("rotad.service", parse_unit_properties(text));
  };
  EXPECT_EQ(of("LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n").state,
            FindingState::kGood);
  EXPECT_EQ(of("LoadState=loaded\nActiveState=active\nUnitFileState=disabled").state,
            FindingState::kNote);
  EXPECT_EQ(of("LoadState=loaded\nActiveState=reloading\nUnitFileState=enabled\n").state,
            FindingState::kGood);
  EXPECT_EQ(of("LoadState=not-found\nActiveState=inactive\n").state, FindingState::kWrong);
  EXPECT_THAT(of("LoadState=not-found\nActiveState=inactive\n").text,
              HasSubstr("is not installed (not-found)"));
  EXPECT_THAT(of("LoadState=loaded\nActiveState=inactive\n").remedy, HasSubstr("enable --now"));
  const Finding failed =
      of("LoadState=loaded\nActiveState=failed\nResult=exit-code\nStatusText=rotad.toml:3: a=b\n");
  EXPECT_EQ(failed.state, FindingState::kWrong);
  EXPECT_THAT(failed.text, HasSubstr("rotad.toml:3: a=b"));
  EXPECT_THAT(failed.remedy,
              HasSubstr("reset-failed rotad.service rotad.socket rotad-admin.socket"));
}

}  // namespace
}  // namespace rota::cli

#include "cli/findings.h"

#include <gtest/gtest.h>

namespace rota::cli {
namespace {

const Findings kMixed{good("config", "valid"), wrong("socket", "gone\x1b", "start it"),
                      note("clock", "not told")};

TEST(Findings, WhatIsWrongComesFirst) {
  EXPECT_EQ(describe_findings(kMixed, true),
            "wrong  socket      gone\\x1b -> start it\n"
            "note   clock       not told\n"
            "good   config      valid\n");
}

TEST(Findings, WhatIsGoodIsCountedUnlessSomebodyAskedForIt) {
  Findings findings = kMixed;
  findings.push_back(good("roster", "valid"));
  findings.push_back(good("config", "ours"));
  Finding answer = good("grants", "web gets all members");
  answer.asked = true;
  findings.push_back(answer);
  EXPECT_EQ(describe_findings(findings, false),
            "wrong  socket      gone\\x1b -> start it\n"
            "note   clock       not told\n"
            "good   grants      web gets all members\n"
            "good   3 checks (config, roster); --all shows them\n");
}

TEST(Findings, EachRemedyIsGivenOnce) {
  EXPECT_EQ(
      describe_findings(
          {wrong("socket", "token", "start it"), wrong("socket", "admin", "start it")}, false),
      "wrong  socket      token -> start it\n"
      "wrong  socket      admin\n");
}

TEST(Findings, ATerminalGetsFoldedLines) {
  const Findings long_one{wrong("socket", std::string(30, 'x') + " " + std::string(30, 'y'),
                                "start it " + std::string(20, 'z'))};
  EXPECT_EQ(describe_findings(long_one, false, 60),
            "wrong  socket      " + std::string(30, 'x') + "\n" + std::string(19, ' ') +
                std::string(30, 'y') + " -> start\n" + std::string(19, ' ') + "it " +
                std::string(20, 'z') + "\n");
}

TEST(Findings, TheJsonHasThemInTheirOrder) {
  EXPECT_EQ(findings_json({good("config", "valid"), wrong("socket", "gone", "start it")}),
            R"({"ok":false,"findings":[{"about":"config","state":"good","text":"valid","do":""},)"
            R"({"about":"socket","state":"wrong","text":"gone","do":"start it"}]})"
            "\n");
}

TEST(Findings, ANoteIsNothingWrong) {
  EXPECT_FALSE(all_well(kMixed));
  EXPECT_TRUE(all_well({good("a", "b"), note("c", "d")}));
}

}  // namespace
}  // namespace rota::cli

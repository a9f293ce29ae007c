#include "cli/findings.h"

#include <gtest/gtest.h>

namespace rota::cli {
namespace {

const Findings kMixed{good("config", "valid"), wrong("socket", "gone\x1b", "start it"),
                      note("clock", "not told")};

TEST(Findings, WhatIsWrongComesFirst) {
  EXPECT_EQ(describe_findings(kMixed),
            "wrong  socket      gone\\x1b -> start it\n"
            "good   config      valid\n"
            "note   clock       not told\n");
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

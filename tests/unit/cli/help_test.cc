#include "cli/help.h"

#include <gtest/gtest.h>

#include <string>

namespace rota::cli {
namespace {

TEST(FoldedHelp, GoesOnBelowTheBeginningOfADescription) {
  constexpr std::size_t kTextAt = 12;
  const std::string text(60, 'a');
  EXPECT_EQ(
      folded_help("Options:\n  --option  " + text + " the rest of it\n", kTextAt),
      "Options:\n  --option  " + text + " the\n" + std::string(kTextAt, ' ') + "rest of it\n");
  // A long option stands on a line of its own.
  EXPECT_EQ(folded_help("  --a-long-option\n            " + text + " the rest of it\n", kTextAt),
            "  --a-long-option\n            " + text + " the\n            rest of it\n");
}

TEST(FoldedHelp, LeavesWhatFitsAsItIs) {
  const std::string help = "words\n\n  " + std::string(78, 'a') + "\n";
  EXPECT_EQ(folded_help(help, 12), help);
}

TEST(FoldedHelp, BreaksOtherLinesAtTheEdge) {
  EXPECT_EQ(folded_help(std::string(70, 'a') + " " + std::string(20, 'b'), 12),
            std::string(70, 'a') + "\n" + std::string(20, 'b') + "\n");
}

}  // namespace
}  // namespace rota::cli

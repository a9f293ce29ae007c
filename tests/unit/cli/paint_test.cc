#include "cli/paint.h"

#include <gtest/gtest.h>

namespace rota::cli {
namespace {

TEST(Painted, OnlyTheWordsAtTheBeginningsOfLines) {
  EXPECT_EQ(painted("rota 1\nREADY  holds\n  wrong \nwrong  socket  gone wrong \nnote   x"),
            "rota 1\n\x1b[32mREADY\x1b[0m  holds\n  wrong \n\x1b[1;31mwrong \x1b[0m socket  gone "
            "wrong \n\x1b[33mnote \x1b[0m  x");
  EXPECT_EQ(painted("NOT READY  x\n"), "\x1b[1;31mNOT READY\x1b[0m  x\n");
  EXPECT_EQ(painted(""), "");
}

}  // namespace
}  // namespace rota::cli

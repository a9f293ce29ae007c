#include "cli/program.h"

#include <gtest/gtest.h>

namespace rota::cli {
namespace {

TEST(RunProgram, GivesTheInputAndReturnsOutputAndCode) {
  const auto ran =
      run_program({"sh", "-c", "cat; echo error >&2; exit 3"}, "hello", ProgramErrors::kNowhere);
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->code, 3);
  EXPECT_EQ(ran->output.reveal(), "hello");
}

TEST(RunProgram, TakesTheErrorsInOnRequest) {
  const auto ran = run_program({"sh", "-c", "echo error >&2"}, {}, ProgramErrors::kToOutput);
  ASSERT_TRUE(ran);
  EXPECT_EQ(ran->output.reveal(), "error\n");
}

TEST(RunProgram, CutsAnOutputWithoutEnd) {
  const auto ran = run_program({"sh", "-c", "head -c 1000000 /dev/zero; echo done >&2"}, {},
                               ProgramErrors::kNowhere);
  ASSERT_TRUE(ran);
  EXPECT_EQ(ran->code, 0) << "the program is not stopped by it";
  EXPECT_EQ(ran->output.size(), kProgramOutputMax);
}

TEST(RunProgram, SaysThatThereIsNoSuchProgram) {
  const auto ran = run_program({"rota-has-no-such-program"});
  ASSERT_FALSE(ran);
  EXPECT_EQ(ran.error().kind, ErrorKind::kIo);
}

}  // namespace
}  // namespace rota::cli

#include "cli/output.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <thread>

#include "settings/write_all.h"

namespace rota::cli {
namespace {

// Each body runs in a process of its own, whose descriptors it may turn over.
class OutputDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

[[noreturn]] void write_without_a_reader() {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) ::_exit(9);
  ::close(ends[0]);
  static_cast<void>(StandardOutput().out("token"));
  ::_exit(8);
}

[[noreturn]] void look_for_the_reader_that_has_gone() {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) ::_exit(9);
  StandardOutput output;
  output.look_for_reader();  // there is one
  ::close(ends[0]);
  output.look_for_reader();
  ::_exit(8);
}

[[noreturn]] void open_after_all_were_closed() {
  for (int fd = 0; fd < 3; ++fd) ::close(fd);
  open_standard_descriptors();
  const int next = ::open("/dev/null", O_RDONLY);
  const bool fails = !StandardOutput().out("x");
  char c = 0;
  const bool reads = ::read(STDIN_FILENO, &c, 1) >= 0;
  ::_exit(next > STDERR_FILENO && fails && !reads ? 7 : 8);
}

TEST_F(OutputDeathTest, WithoutAReaderItEndsBySigpipeAndSaysNothing) {
  EXPECT_EXIT(write_without_a_reader(), ::testing::KilledBySignal(SIGPIPE), "^$");
}

TEST_F(OutputDeathTest, AReaderThatHasGoneIsSeenWithoutAWrite) {
  EXPECT_EXIT(look_for_the_reader_that_has_gone(), ::testing::KilledBySignal(SIGPIPE), "^$");
}

TEST_F(OutputDeathTest, ClosedDescriptorsAreTakenAndTakeNothing) {
  EXPECT_EXIT(open_after_all_were_closed(), ::testing::ExitedWithCode(7), "");
}

TEST(WriteAll, WaitsForADescriptorThatDoesNotBlock) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  const std::string text(std::size_t{4} << 20U, 'x');  // more than any pipe holds
  std::size_t received = 0;
  std::thread reader([&] {
    std::array<char, 4'096> bytes{};
    while (received < text.size()) {
      wait_for_input(ends[0]);
      const ssize_t got = ::read(ends[0], bytes.data(), bytes.size());
      if (got <= 0) break;
      received += static_cast<std::size_t>(got);
    }
  });
  EXPECT_TRUE(write_all(ends[1], text));
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(received, text.size());
}

}  // namespace
}  // namespace rota::cli

#include "daemon/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string>

namespace rota {
namespace {

using ::testing::HasSubstr;

// A standard error that leads into a pipe which nobody reads, and which is full.
class FullPipe {
 public:
  FullPipe() : stderr_(::dup(STDERR_FILENO)) {
    EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0);
    const std::array<char, 4'096> bytes{};
    while (::write(ends_[1], bytes.data(), bytes.size()) > 0) {
    }
    ::fcntl(ends_[1], F_SETFL, 0);
    ::dup2(ends_[1], STDERR_FILENO);
  }
  ~FullPipe() {
    ::dup2(stderr_, STDERR_FILENO);
    for (const int fd : {stderr_, ends_[0], ends_[1]}) ::close(fd);
  }
  FullPipe(const FullPipe&) = delete;
  FullPipe& operator=(const FullPipe&) = delete;

  // What it reads until these words have come; they are in it unless everybody else has closed it.
  std::string read_until(std::string_view words) {
    ::fcntl(ends_[0], F_SETFL, 0);
    std::string text;
    std::array<char, 4'096> buffer{};
    while (text.find(words) == std::string::npos) {
      const auto got = ::read(ends_[0], buffer.data(), buffer.size());
      if (got <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  bool reads(std::string_view words) { return read_until(words).contains(words); }

 private:
  std::array<int, 2> ends_{-1, -1};
  int stderr_;
};

// Each of these would not return if a line were written by the thread that says it.
TEST(Log, ThatNobodyReadsKeepsNobodyWaiting) {
  FullPipe pipe;
  Log log(LogLevel::kInfo);
  // One more than there is room for is with the thread that writes.
  constexpr std::size_t kTooMany = 10;
  for (std::size_t i = 0; i < Log::kLinesMax + 1 + kTooMany; ++i) {
    log.say(Severity::kInfo, "test", "a line");
  }
  EXPECT_GE(log.dropped(), kTooMany);
  const std::string count = std::to_string(log.dropped()) + " lines were dropped";
  ASSERT_TRUE(pipe.reads("a line"));
  while (!log.tell_dropped()) {
    ASSERT_TRUE(pipe.reads("a line"));  // until there is room
  }
  // Said until it finds room, so that something comes even if the count does not.
  for (std::uint64_t before = log.dropped() + 1; log.dropped() != before;) {
    before = log.dropped();
    log.say(Severity::kInfo, "test", "the end");
    if (log.dropped() != before) ASSERT_TRUE(pipe.reads("a line"));
  }
  EXPECT_THAT(pipe.read_until("the end"), HasSubstr(count));
}

TEST(Log, ThatNobodyReadsDoesNotKeepTheEndWaiting) {
  FullPipe pipe;
  {
    Log log(LogLevel::kInfo);
    log.say(Severity::kInfo, "test", "the last line");
  }
  EXPECT_TRUE(pipe.reads("the last line")) << "the thread that was left behind can still write it";
}

TEST(Log, WritesAllLinesBeforeItEnds) {
  ::testing::internal::CaptureStderr();
  {
    Log log(LogLevel::kInfo);
    for (int i = 0; i < 100; ++i) log.say(Severity::kInfo, "test", "line " + std::to_string(i));
    log.say(Severity::kDebug, "test", "not this one");
  }
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, HasSubstr("line 99\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("not this one")));
}

}  // namespace
}  // namespace rota

#include "daemon/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <string>

#include "support/temp_directory.h"

namespace rota {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// Any local user can read a status: `systemctl show -p StatusText`.
TEST(ServiceManager, P10LastWordsQuoteNothing) {
  for (const ErrorKind kind : {ErrorKind::kConfig, ErrorKind::kBusy, ErrorKind::kCorrupt}) {
    const std::string words =
        last_words({.kind = kind, .message = "roster.toml:3:1: ada@example.com\nhere"});
    EXPECT_THAT(words, Not(HasSubstr("ada@example.com")));
    EXPECT_THAT(words, Not(HasSubstr("roster.toml")));
    EXPECT_THAT(words, Not(HasSubstr("\n"))) << "the next line would be another assignment";
  }
}

TEST(ServiceManager, LastWordsOfAWrongConfigurationSayHowToGetGoingAgain) {
  const std::string words = last_words({.kind = ErrorKind::kConfig, .message = "wrong"});
  EXPECT_THAT(words, StartsWith("The start failed with exit code 78"));
  EXPECT_THAT(words,
              HasSubstr("systemctl reset-failed rotad.service rotad.socket rotad-admin.socket"));
  EXPECT_THAT(last_words({.kind = ErrorKind::kBusy, .message = "held by pid 7"}),
              Not(HasSubstr("reset-failed")));
}

// A manager's end: it reads when the test says so.
class Manager {
 public:
  Manager() : fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    std::strncpy(address_.sun_path, path().c_str(), sizeof address_.sun_path - 1);
    EXPECT_EQ(::bind(fd_, address(), sizeof address_), 0);
  }
  ~Manager() { ::close(fd_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  std::string path() const { return folder_.path() / "notify"; }
  // What comes within some seconds; "" if nothing does.
  std::string read() {
    constexpr int kMillisMax = 5'000;
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    return ::poll(&ready, 1, kMillisMax) > 0 ? read_what_is_there() : "";
  }
  std::string read_what_is_there() {
    std::array<char, 100> buffer{};
    const auto got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return got > 0 ? std::string(buffer.data(), static_cast<std::size_t>(got)) : "";
  }
  // Others fill its queue.
  void fill() {
    const int other = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    while (::sendto(other, "full", 4, 0, address(), sizeof address_) > 0) {
    }
    ::close(other);
  }

 private:
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }

  const rota::testing::TempDirectory folder_;
  const int fd_;
  sockaddr_un address_{.sun_family = AF_UNIX, .sun_path = {}};
};

TEST(ServiceManager, IsToldOnOneLine) {
  Manager there;
  ServiceManager manager(there.path());
  manager.ready("one\ntwo");
  EXPECT_EQ(there.read(), "READY=1\nSTATUS=one two");
  manager.tell({.alive = true, .status = "two", .more_time = {}});
  EXPECT_EQ(there.read(), "WATCHDOG=1\nSTATUS=two\n");
}

// Who serves tokens goes on while the manager hangs: here it makes the room that its own notice
// waits for.
TEST(ServiceManager, P8NobodyWaitsForAManagerThatHangs) {
  Manager there;
  ServiceManager manager(there.path());
  manager.ready("ready");
  ASSERT_EQ(there.read(), "READY=1\nSTATUS=ready");
  bool heard = false;
  // A notice waits for 0.2 s, and this test may be held up for longer: but not each time.
  for (int round = 0; round < 5 && !heard; ++round) {
    there.fill();
    manager.status("round " + std::to_string(round));
    // The notice may come in behind the last of these, and be read here.
    std::string notice = there.read_what_is_there();
    while (notice == "full") notice = there.read_what_is_there();
    heard = heard || notice.starts_with("STATUS=round");
    manager.tell({.alive = true, .status = "done", .more_time = {}});
    do {
      notice = there.read();
      heard = heard || notice.starts_with("STATUS=round");
    } while (!notice.empty() && !notice.contains("done"));
  }
  EXPECT_TRUE(heard);
}

TEST(ServiceManager, AHangingOneEndsNobody) {
  Manager there;
  std::size_t queue = 0;
  std::ifstream("/proc/sys/net/unix/max_dgram_qlen") >> queue;
  ASSERT_GT(queue, 0U);
  {
    ServiceManager manager(there.path());
    manager.ready("ready");
    for (std::size_t i = 0; i < queue + 5; ++i) {
      manager.tell({.alive = true, .status = "two", .more_time = {}});
    }
  }
  std::size_t heard = 0;
  while (!there.read_what_is_there().empty()) ++heard;
  EXPECT_GT(heard, 0U);
  EXPECT_LT(heard, queue + 5);
}

TEST(ServiceManager, ABiggerDatabaseMayTakeLonger) {
  using std::chrono::seconds;
  EXPECT_EQ(load_time_max(0), seconds{90}) << "never less than the unit allows by itself";
  EXPECT_EQ(load_time_max(std::uint64_t{600} << 20U), seconds{690});
}

}  // namespace
}  // namespace rota

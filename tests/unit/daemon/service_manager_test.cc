#include "daemon/service_manager.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
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

TEST(ServiceManager, ToldWhatItReadsAndNeverWaitedForLong) {
  const rota::testing::TempDirectory folder;
  const std::string path = folder.path() / "notify";
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ServiceManager manager(path);
  manager.ready("one\ntwo");
  std::array<char, 100> buffer{};
  const auto got = ::recv(fd, buffer.data(), buffer.size(), 0);
  EXPECT_EQ(std::string(buffer.data(), static_cast<std::size_t>(got)), "READY=1\nSTATUS=one two");
  // More than fit into the queue of a manager that hangs: this test ends.
  std::size_t queue = 0;
  std::ifstream("/proc/sys/net/unix/max_dgram_qlen") >> queue;
  ASSERT_GT(queue, 0U);
  for (std::size_t i = 0; i < queue + 5; ++i)
    manager.tell({.alive = true, .status = "two", .more_time = {}});
  std::size_t heard = 0;
  while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) ++heard;
  EXPECT_GT(heard, 0U);
  EXPECT_LT(heard, queue + 5);
  ::close(fd);
}

TEST(ServiceManager, ABiggerDatabaseMayTakeLonger) {
  using std::chrono::seconds;
  EXPECT_EQ(load_time_max(0), seconds{90}) << "never less than the unit allows by itself";
  EXPECT_EQ(load_time_max(std::uint64_t{600} << 20U), seconds{690});
}

}  // namespace
}  // namespace rota

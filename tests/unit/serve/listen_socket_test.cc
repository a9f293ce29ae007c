#include "serve/listen_socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <string>

#include "unit/serve/harness.h"

namespace {

// The mode and group that a socket's file had when chmod() came to set its last mode.
struct stat before_chmod{};

}  // namespace

// Stands for the C library's: what is true only until chmod() has no other witness.
extern "C" int chmod(const char* path, mode_t mode) {
  ::lstat(path, &before_chmod);
  return ::fchmodat(AT_FDCWD, path, mode, 0);
}

namespace rota {
namespace {

using testing::HasSubstr;

class ListenSocketTest : public testing::Test {
 protected:
  // A socket file left behind by a process that was killed.
  void leave_stale_socket() const {
    auto dead = ListenSocket::bind(path, 0600, std::nullopt);
    ASSERT_TRUE(dead);
    const int fd = (*dead)->release_fd();
    std::filesystem::rename(path, dir / "aside");
    dead->reset();
    std::filesystem::rename(dir / "aside", path);
    ::close(fd);
    ASSERT_EQ(connect_to(path, 0), -1);
    ASSERT_EQ(errno, ECONNREFUSED);
  }
  struct stat status() const {
    struct stat found{};
    EXPECT_EQ(::lstat(path.c_str(), &found), 0);
    return found;
  }
  void expect_error(ErrorKind kind, std::string_view text) const {
    const auto listen = ListenSocket::bind(path, 0600, std::nullopt);
    ASSERT_FALSE(listen);
    EXPECT_EQ(listen.error().kind, kind);
    EXPECT_THAT(listen.error().message, HasSubstr(path));
    EXPECT_THAT(listen.error().message, HasSubstr(text));
  }

  TempDir dir;
  std::string path = dir / "rota.sock";
};

TEST_F(ListenSocketTest, ListensWithTheModeAndGroupAskedFor) {
  const mode_t before = ::umask(077);
  for (const mode_t mode : {0600U, 0660U, 0666U}) {
    const auto listen = ListenSocket::bind(path, mode, ::getegid());
    ASSERT_TRUE(listen) << listen.error().message;
    EXPECT_EQ(status().st_mode & 07777U, mode);
    EXPECT_EQ(status().st_gid, ::getegid());
    const int client = connect_to(path, 0);
    EXPECT_GE(client, 0);
    ::close(client);
  }
  ::umask(before);
}

// Whatever the umask is, and though nobody listens there yet.
TEST_F(ListenSocketTest, P11ItsFileIsOpenToNobodyElseUntilItsGroupIsSet) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can give files away";
  constexpr gid_t kGroup = 62'001;
  const mode_t umask_before = ::umask(0);
  const auto listen = ListenSocket::bind(path, 0660, kGroup);
  ::umask(umask_before);
  ASSERT_TRUE(listen) << listen.error().message;
  EXPECT_TRUE(S_ISSOCK(before_chmod.st_mode));
  EXPECT_EQ(before_chmod.st_mode & 07777U, 0600U);
  EXPECT_EQ(before_chmod.st_gid, kGroup);
  EXPECT_EQ(status().st_mode & 07777U, 0660U);
}

TEST_F(ListenSocketTest, RemovesItsFileAtTheEnd) {
  {
    ASSERT_TRUE(ListenSocket::bind(path, 0600, std::nullopt));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ListenSocketTest, SeesThatItsFileIsGoneOrAnother) {
  const auto listen = ListenSocket::bind(path, 0640, std::nullopt);
  ASSERT_TRUE(listen);
  const auto adopted = ListenSocket::adopt(::dup((*listen)->fd()));
  ASSERT_TRUE(adopted);
  EXPECT_TRUE((*listen)->is_in_place());
  EXPECT_TRUE((*adopted)->is_in_place());
  std::filesystem::remove(path);
  EXPECT_FALSE((*listen)->is_in_place());
  EXPECT_FALSE((*adopted)->is_in_place());
  const auto again = (*listen)->bind_again();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE((*again)->is_in_place());
  EXPECT_FALSE((*listen)->is_in_place());
  EXPECT_EQ(status().st_mode & 07777U, 0640U);
}

TEST_F(ListenSocketTest, LeavesTheFileOfItsSuccessor) {
  auto first = ListenSocket::bind(path, 0600, std::nullopt);
  ASSERT_TRUE(first);
  std::filesystem::remove(path);
  const auto second = ListenSocket::bind(path, 0600, std::nullopt);
  ASSERT_TRUE(second);
  first->reset();
  const int client = connect_to(path, 0);
  EXPECT_GE(client, 0);
  ::close(client);
}

TEST_F(ListenSocketTest, ReplacesTheSocketOfADeadDaemon) {
  leave_stale_socket();
  const auto listen = ListenSocket::bind(path, 0600, std::nullopt);
  ASSERT_TRUE(listen) << listen.error().message;
  const int client = connect_to(path, 0);
  EXPECT_GE(client, 0);
  ::close(client);
}

TEST_F(ListenSocketTest, LeavesALiveDaemonAlone) {
  const auto live = ListenSocket::bind(path, 0600, std::nullopt);
  ASSERT_TRUE(live);
  expect_error(ErrorKind::kBusy, "in use");
  const int client = connect_to(path, 0);
  EXPECT_GE(client, 0);
  ::close(client);
}

TEST_F(ListenSocketTest, NeverRemovesWhatIsNoSocket) {
  std::ofstream(path) << "precious";
  expect_error(ErrorKind::kConfig, "not a socket");
  std::string text;
  std::ifstream(path) >> text;
  EXPECT_EQ(text, "precious");
  std::filesystem::remove(path);

  std::filesystem::create_directory(path);
  expect_error(ErrorKind::kConfig, "not a socket");
  EXPECT_TRUE(std::filesystem::is_directory(path));
  std::filesystem::remove(path);

  std::filesystem::create_symlink(dir / "elsewhere", path);
  expect_error(ErrorKind::kConfig, "not a socket");
  EXPECT_TRUE(std::filesystem::is_symlink(path));
}

TEST_F(ListenSocketTest, NamesAPathThatIsTooLong) {
  const std::string longest = dir / std::string(107 - (dir / "").size(), 'a');
  ASSERT_EQ(longest.size(), 107U);
  EXPECT_TRUE(ListenSocket::bind(longest, 0600, std::nullopt));
  path = longest + "a";
  expect_error(ErrorKind::kConfig, "107");
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ListenSocketTest, NamesAFolderThatIsMissing) {
  path = dir / "nowhere/rota.sock";
  expect_error(ErrorKind::kConfig, "No such file");
}

TEST_F(ListenSocketTest, AdoptsOnlyListeningUnixSockets) {
  const auto made = ListenSocket::bind(path, 0600, std::nullopt);
  ASSERT_TRUE(made);
  const int listening = ::dup((*made)->fd());
  const auto adopted = ListenSocket::adopt(listening);
  ASSERT_TRUE(adopted) << adopted.error().message;
  EXPECT_NE(::fcntl(listening, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(listening, F_GETFD) & FD_CLOEXEC, 0);

  const int others[] = {::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0),
                        ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        ::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  for (const int fd : others) {
    const auto refused = ListenSocket::adopt(fd);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::kConfig);
    if (fd >= 0) {
      EXPECT_EQ(::close(fd), 0) << "it was not ours to close";
    }
  }
  EXPECT_FALSE(ListenSocket::adopt(-1));
}

TEST_F(ListenSocketTest, AnAdoptedSocketKeepsItsFile) {
  const auto made = ListenSocket::bind(path, 0600, std::nullopt);
  ASSERT_TRUE(made);
  {
    ASSERT_TRUE(ListenSocket::adopt(::dup((*made)->fd())));
  }
  EXPECT_TRUE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace rota

#include "e2e/caller.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

namespace rota::e2e {
namespace {

// The kernel notes who connects at connect(); the descriptor may go anywhere after.
bool send_descriptor(int channel, int fd) {
  std::array<char, CMSG_SPACE(sizeof fd)> control{};
  char byte = 'x';
  iovec data{.iov_base = &byte, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  return ::sendmsg(channel, &message, 0) == 1;
}

int receive_descriptor(int channel) {
  std::array<char, CMSG_SPACE(sizeof(int))> control{};
  char byte = 0;
  iovec data{.iov_base = &byte, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  if (::recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return fd;
}

// Runs in the child: no memory is taken. The result is its exit code.
int connect_and_send(const Caller& caller, const sockaddr_un& address, int channel) {
  if (::setgroups(caller.groups.size(), caller.groups.data()) != 0) return 2;
  if (::setresgid(caller.gid, caller.gid, caller.gid) != 0) return 3;
  if (::setresuid(caller.uid, caller.uid, caller.uid) != 0) return 4;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return 5;
  return send_descriptor(channel, fd) ? 0 : 6;
}

}  // namespace

Connection Caller::connect(const std::filesystem::path& socket) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof address.sun_path - 1);
  std::array<int, 2> channel{-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) ::_exit(connect_and_send(*this, address, channel[1]));
  ::close(channel[1]);
  const timeval limit{.tv_sec = 60, .tv_usec = 0};  // its connect may find a queue that is full
  ::setsockopt(channel[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  const int fd = receive_descriptor(channel[0]);
  if (fd < 0 && errno == EAGAIN) ::kill(child, SIGKILL);
  ::close(channel[0]);
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "cannot become user " << uid << " or connect to " << socket
                       << " as it: these tests need root";
  return Connection::of(fd);
}

std::vector<std::string> Caller::command(const std::vector<std::string>& rest) const {
  std::vector<std::string> all{"setpriv", fmt::format("--reuid={}", uid),
                               fmt::format("--regid={}", gid),
                               groups.empty() ? std::string("--clear-groups")
                                              : fmt::format("--groups={}", fmt::join(groups, ","))};
  all.insert(all.end(), rest.begin(), rest.end());
  return all;
}

}  // namespace rota::e2e

#include "support/passed_descriptors.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace rota::testing {
namespace {

constexpr int kLingerSeconds = 3'600;

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

}  // namespace

LingeringSocket::LingeringSocket() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (::bind(listener, generic(address), size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, generic(address), &size) != 0) {
    std::abort();
  }
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::connect(fd_, generic(address), sizeof(address)) != 0) std::abort();
  peer_ = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  ::close(listener);
  const linger wait{.l_onoff = 1, .l_linger = kLingerSeconds};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &wait, sizeof(wait));
  static const std::array<char, 64 * 1024> kBytes{};
  while (::send(fd_, kBytes.data(), kBytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
  }
}

LingeringSocket::~LingeringSocket() {
  if (fd_ >= 0) {
    const linger no_wait{.l_onoff = 0, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &no_wait, sizeof(no_wait));
  }
  let_go();
  ::close(peer_);
}

void LingeringSocket::let_go() {
  if (fd_ < 0) return;
  ::close(std::exchange(fd_, -1));
}

ssize_t send_descriptors(int unix_socket, std::string_view bytes, const std::vector<int>& fds,
                         int flags) {
  std::vector<char> control(CMSG_SPACE(fds.size() * sizeof(int)));
  iovec data{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  return ::sendmsg(unix_socket, &message, flags | MSG_NOSIGNAL);
}

}  // namespace rota::testing

#include "serve/client_socket.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace rota {
namespace {

#ifdef SO_PASSRIGHTS
constexpr int kPassRights = SO_PASSRIGHTS;
#else
constexpr int kPassRights = 83;  // newer than the headers
#endif

// Whether the socket has refused descriptors since it exists: it took over the listening socket's
// setting when the client connected.
bool refuses_descriptors(int fd) {
  int passes = 1;
  socklen_t size = sizeof(passes);
  return ::getsockopt(fd, SOL_SOCKET, kPassRights, &passes, &size) == 0 && passes == 0;
}

}  // namespace

bool refuse_descriptors(int unix_socket) {
  const int no = 0;
  return ::setsockopt(unix_socket, SOL_SOCKET, kPassRights, &no, sizeof(no)) == 0;
}

ClientSocket::ClientSocket(int fd, bool may_bring_descriptors, SocketCloser& closer)
    : guarded_(may_bring_descriptors && !refuses_descriptors(fd)), closer_(closer), fd_(fd) {
  if (!guarded_) return;
  refuse_descriptors(fd_);
  // Otherwise the kernel drops a byte out of band unseen, and with it the descriptors that it
  // carries.
  const int yes = 1;
  (void)::setsockopt(fd_, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof(yes));
}

ssize_t ClientSocket::receive(std::span<char> room) const {
  if (!guarded_) return ::recv(fd_, room.data(), room.size(), 0);
  // A peek takes nothing out of the queue, so it closes nothing. Without room for descriptors the
  // kernel makes none of them ours: to close one of ours may block on the client's file system.
  iovec bytes{.iov_base = room.data(), .iov_len = room.size()};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  const ssize_t count = ::recvmsg(fd_, &message, MSG_PEEK);
  if (count < 0) return count;
  if ((message.msg_flags & MSG_CTRUNC) != 0) {
    errno = EBADMSG;
    return -1;
  }
  return count == 0 ? 0 : ::recv(fd_, room.data(), static_cast<std::size_t>(count), 0);
}

void ClientSocket::close() {
  if (fd_ < 0) return;
  const int fd = std::exchange(fd_, -1);
  if (guarded_) {
    // From now on nobody can send to it, so its queue gets nothing more.
    (void)::shutdown(fd, SHUT_RDWR);
    char byte = 0;
    if (::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0) return closer_.close(fd);
  }
  ::close(fd);
}

}  // namespace rota

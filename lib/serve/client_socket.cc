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

// Whether the socket has refused descriptors ever since it exists: it has what the listening one
// had when the client connected.
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
  // A byte out of band is dropped unseen otherwise, and with it what it carries.
  const int yes = 1;
  (void)::setsockopt(fd_, SOL_SOCKET, SO_OOBINLINE, &yes, sizeof(yes));
}

ssize_t ClientSocket::receive(std::span<char> room) const {
  if (!guarded_) return ::recv(fd_, room.data(), room.size(), 0);
  // Looking takes nothing out of the queue, so no close is the last. Without room for descriptors
  // none is made ours: to close one of ours may ask a file system of the client's.
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
    // From here on nothing can be sent to it, so what it has now is all that it will have.
    (void)::shutdown(fd, SHUT_RDWR);
    char byte = 0;
    if (::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0) return closer_.close(fd);
  }
  ::close(fd);
}

}  // namespace rota

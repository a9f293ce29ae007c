#include "serve/listen_socket.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "serve/client_socket.h"

namespace rota {
namespace {

constexpr std::size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

// The error for errno; kConfig if an operator can correct it.
std::unexpected<Error> system_error(const std::string& path, std::string_view what) {
  const int error = errno;
  const bool of_config = error == ENOENT || error == ENOTDIR || error == EACCES || error == EPERM ||
                         error == EROFS || error == ELOOP;
  return fail(of_config ? ErrorKind::kConfig : ErrorKind::kIo,
              fmt::format("{}: cannot {}: {}", path, what, std::strerror(error)));
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int open_socket(int family = AF_UNIX) {
  return ::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

// System calls take a family's own address type as a sockaddr.
template <class Address>
const sockaddr* generic(const Address* address) {
  return reinterpret_cast<const sockaddr*>(address);
}

// A numeric address and its port, as the system's calls take them.
struct TcpAddress {
  sockaddr_storage bytes{};
  socklen_t size = 0;
};
std::optional<TcpAddress> tcp_address_of(const std::string& host, std::uint16_t port) {
  TcpAddress address;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (::inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&address.bytes, &v4, address.size = sizeof(v4));
  } else if (::inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&address.bytes, &v6, address.size = sizeof(v6));
  } else {
    return std::nullopt;
  }
  return address;
}

// Removes a socket file that nobody listens on. Succeeds if nothing is at `path` afterwards.
Result<void> clear_stale(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return system_error(path, "inspect it");
  }
  if (!S_ISSOCK(found.st_mode)) {
    return fail(
        ErrorKind::kConfig,
        fmt::format("{}: a file that is not a socket is in the way; remove or rename it", path));
  }
  const int probe = open_socket();
  if (probe < 0) return system_error(path, "open a socket");
  const sockaddr_un address = address_of(path);
  const int connected = ::connect(probe, generic(&address), sizeof(address));
  const int error = errno;
  ::close(probe);
  // EAGAIN means a listener whose queue is full.
  if (connected == 0 || error == EAGAIN) {
    return fail(ErrorKind::kBusy, fmt::format("{}: in use: another process listens there", path));
  }
  errno = error;
  if (error != ECONNREFUSED && error != ENOENT)
    return system_error(path, "find out who listens there");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
    return system_error(path, "remove the stale socket");
  }
  return {};
}

int option_of(int fd, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

bool is_loopback(const sockaddr_storage& address) {
  constexpr std::uint32_t kLoopbackNet = 127;
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    return ntohl(v4.sin_addr.s_addr) >> 24U == kLoopbackNet;
  }
  return address.ss_family == AF_INET6 &&
         IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
}

}  // namespace

Result<std::unique_ptr<ListenSocket>> ListenSocket::bind(const std::string& path, mode_t mode,
                                                         std::optional<gid_t> group) {
  if (path.empty() || path.size() > kPathBytesMax || path.contains('\0')) {
    return fail(ErrorKind::kConfig, fmt::format("{}: a socket's path has 1 to {} bytes, not {}",
                                                path, kPathBytesMax, path.size()));
  }
  ROTA_TRY(clear_stale(path));
  const int fd = open_socket();
  if (fd < 0) return system_error(path, "open a socket");
  std::unique_ptr<ListenSocket> made(new ListenSocket(fd, true, false));
  made->may_bring_descriptors_ = !refuse_descriptors(fd);
  // The file gets its first mode from the descriptor, so that we need not change the process's
  // umask.
  if (::fchmod(fd, S_IRUSR | S_IWUSR) != 0) return system_error(path, "set the mode");
  const sockaddr_un address = address_of(path);
  if (::bind(fd, generic(&address), sizeof(address)) != 0) {
    if (errno == EADDRINUSE) {
      return fail(ErrorKind::kBusy, fmt::format("{}: in use: another process took it", path));
    }
    return system_error(path, "bind a socket there");
  }
  made->path_ = path;
  made->mode_ = mode;
  made->group_ = group;
  ROTA_TRY(made->make_file(mode, group));
  return made;
}

// Sets group and mode of the bound file, then lets clients in: before listen() all are refused.
Result<void> ListenSocket::make_file(mode_t mode, std::optional<gid_t> group) {
  struct stat made{};
  if (::lstat(path_.c_str(), &made) != 0) return system_error(path_, "inspect it");
  device_ = made.st_dev;
  inode_ = made.st_ino;
  if (group && ::lchown(path_.c_str(), static_cast<uid_t>(-1), *group) != 0) {
    return system_error(path_, fmt::format("give it to group {}", *group));
  }
  if (::chmod(path_.c_str(), mode) != 0) return system_error(path_, "set its mode");
  if (::listen(fd_, SOMAXCONN) != 0) return system_error(path_, "listen");
  return {};
}

Result<std::unique_ptr<ListenSocket>> ListenSocket::bind_tcp(const std::string& host,
                                                             std::uint16_t port) {
  const std::string name =
      host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
  const auto address = tcp_address_of(host, port);
  if (!address) return fail(ErrorKind::kConfig, fmt::format("{}: is not a numeric address", name));
  const int fd = open_socket(address->bytes.ss_family);
  if (fd < 0) return system_error(name, "open a socket");
  std::unique_ptr<ListenSocket> made(new ListenSocket(fd, false, false));
  // SO_REUSEADDR: a restart must not wait until the kernel has forgotten old connections.
  // IPV6_V6ONLY: "::" must not take a port that somebody has on 0.0.0.0.
  const int yes = 1;
  const bool v6 = address->bytes.ss_family == AF_INET6;
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) != 0 ||
      (v6 && ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)) != 0)) {
    return system_error(name, "prepare the socket");
  }
  if (::bind(fd, generic(&address->bytes), address->size) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    if (errno == EADDRINUSE) {
      return fail(ErrorKind::kBusy, fmt::format("{}: in use: another process listens there", name));
    }
    return system_error(name, "listen there");
  }
  return made;
}

Result<std::unique_ptr<ListenSocket>> ListenSocket::adopt(int fd) {
  if (option_of(fd, SO_DOMAIN) != AF_UNIX || option_of(fd, SO_TYPE) != SOCK_STREAM ||
      option_of(fd, SO_ACCEPTCONN) != 1) {
    return fail(ErrorKind::kConfig,
                fmt::format("descriptor {} is not a listening Unix stream socket", fd));
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return fail(ErrorKind::kIo, fmt::format("descriptor {}: {}", fd, std::strerror(errno)));
  }
  std::unique_ptr<ListenSocket> adopted(new ListenSocket(fd, true, true));
  (void)refuse_descriptors(fd);
  adopted->may_bring_descriptors_ = true;  // from clients that connected before
  adopted->remember_file();
  return adopted;
}

Result<std::unique_ptr<ListenSocket>> ListenSocket::adopt_for_clients(int fd) {
  if (option_of(fd, SO_DOMAIN) == AF_UNIX) return adopt(fd);
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  const bool tcp = option_of(fd, SO_TYPE) == SOCK_STREAM && option_of(fd, SO_ACCEPTCONN) == 1 &&
                   ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (!tcp || !is_loopback(address)) {
    return fail(ErrorKind::kConfig,
                fmt::format("descriptor {} is neither a listening Unix socket nor a port of the "
                            "loopback interface",
                            fd));
  }
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return fail(ErrorKind::kIo, fmt::format("descriptor {}: {}", fd, std::strerror(errno)));
  }
  return std::unique_ptr<ListenSocket>(new ListenSocket(fd, false, true));
}

std::string ListenSocket::address() const {
  sockaddr_storage bytes{};
  socklen_t size = sizeof(bytes);
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&bytes), &size) != 0) return {};
  char text[INET6_ADDRSTRLEN] = {};
  if (bytes.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(bytes);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    return fmt::format("{}:{}", text, ntohs(v4.sin_port));
  }
  if (bytes.ss_family != AF_INET6) return {};
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(bytes);
  ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
  return fmt::format("[{}]:{}", text, ntohs(v6.sin6_port));
}

// A socket without a path, or whose file is gone already, counts as in place for ever.
void ListenSocket::remember_file() {
  sockaddr_un address{};
  socklen_t size = sizeof(address);
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) return;
  const std::string path(address.sun_path, ::strnlen(address.sun_path, sizeof(address.sun_path)));
  struct stat found{};
  if (path.empty() || ::lstat(path.c_str(), &found) != 0) return;
  path_ = path;
  device_ = found.st_dev;
  inode_ = found.st_ino;
}

bool ListenSocket::is_in_place() const {
  if (path_.empty()) return true;
  struct stat found{};
  return ::lstat(path_.c_str(), &found) == 0 && found.st_dev == device_ && found.st_ino == inode_;
}

ListenSocket::~ListenSocket() {
  if (fd_ >= 0) ::close(fd_);
  remove_file();
}

void ListenSocket::remove_file() {
  if (!path_.empty() && !inherited_ && is_in_place()) ::unlink(path_.c_str());
  path_.clear();
}

int ListenSocket::release_fd() { return std::exchange(fd_, -1); }

}  // namespace rota

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"

namespace rota {

// A listening stream socket, non-blocking: a Unix socket that we made or that the service manager
// handed down, or a TCP socket. The destructor closes it, and removes its file if we made the file
// and it is still the same one.
class ListenSocket {
 public:
  // Creates the file `path` with exactly `mode`, and with `group` if given; nobody can connect
  // before both are set. Replaces a socket file that nobody listens on. kBusy if somebody listens
  // there. kConfig, with the path in its message, if the path is too long, if there is a file that
  // is not a socket (we never remove such a file), or if we have no right there. Otherwise kIo.
  static Result<std::unique_ptr<ListenSocket>> bind(const std::string& path, mode_t mode,
                                                    std::optional<gid_t> group);
  // Listens at a numeric IPv4 or IPv6 address. Errors name address and port. kBusy if somebody
  // listens there. kConfig if `host` is not an address, or if only root may have the port.
  // Otherwise kIo, such as for an address that this machine does not have (yet).
  static Result<std::unique_ptr<ListenSocket>> bind_tcp(const std::string& host,
                                                        std::uint16_t port);
  // Takes over a descriptor. kConfig if it is not a listening Unix stream socket; then it stays
  // open and the caller's.
  static Result<std::unique_ptr<ListenSocket>> adopt(int fd);
  // The same for a listener: it may also be a TCP socket at an address of the loopback interface.
  static Result<std::unique_ptr<ListenSocket>> adopt_for_clients(int fd);

  ~ListenSocket();
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  int fd() const { return fd_; }
  // Whether the kernel knows who connects: true for Unix sockets, false for TCP.
  bool knows_peers() const { return knows_peers_; }
  // Whether a client may have put descriptors (SCM_RIGHTS) into its connection's queue, because the
  // kernel cannot refuse them, or did not before we adopted the socket.
  bool may_bring_descriptors() const { return may_bring_descriptors_; }
  // Whether it was handed down, so that another process has it too and it lives on if we close it.
  bool inherited() const { return inherited_; }
  // Hands over the descriptor: the caller closes it. This object still removes the file.
  int release_fd();
  // Whether a client finds this socket at its path; true if it has no path.
  bool is_in_place() const;
  // Makes another socket at this one's path. Only for a socket that bind() made and that is not in
  // place. Errors as of bind().
  Result<std::unique_ptr<ListenSocket>> bind_again() const { return bind(path_, mode_, group_); }
  const std::string& path() const { return path_; }
  // "127.0.0.1:8465" or "[::1]:8465", as the kernel has it; empty for a Unix socket.
  std::string address() const;
  // Removes the file now, if it is ours, so that nobody can connect any more.
  void remove_file();

 private:
  ListenSocket(int fd, bool knows_peers, bool inherited)
      : fd_(fd), knows_peers_(knows_peers), inherited_(inherited) {}
  Result<void> make_file(mode_t mode, std::optional<gid_t> group);
  void remember_file();

  int fd_;
  const bool knows_peers_;
  const bool inherited_;
  bool may_bring_descriptors_ = false;
  std::string path_;  // empty if it has none
  mode_t mode_ = 0;
  std::optional<gid_t> group_;
  dev_t device_ = 0;  // with inode_: the file that it had at first
  ino_t inode_ = 0;
};

}  // namespace rota

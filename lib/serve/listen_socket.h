#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"

namespace rota {

// A listening stream socket: a Unix one, of our own making or handed down by the service manager,
// or a TCP one. Closes it at its end, and then removes its file if we made it and it is still the
// same one.
class ListenSocket {
 public:
  // Creates the file `path` with exactly `mode`, and with `group` if given; nobody can connect
  // before both are set. A socket file that nobody listens on is replaced. kBusy: somebody listens
  // there. kConfig, naming the path: it is longer than the system takes, is no socket (such a file
  // is never removed), or its folder does not let us. kIo: anything else.
  static Result<std::unique_ptr<ListenSocket>> bind(const std::string& path, mode_t mode,
                                                    std::optional<gid_t> group);
  // Listens at a numeric IPv4 or IPv6 address. Errors name address and port. kBusy: somebody
  // listens there. kConfig: it is no address, or a port that only root gets. kIo: anything else,
  // such as an address that this machine does not have (yet).
  static Result<std::unique_ptr<ListenSocket>> bind_tcp(const std::string& host,
                                                        std::uint16_t port);
  // Takes over a descriptor. kConfig: it is not a listening Unix stream socket; it stays open.
  static Result<std::unique_ptr<ListenSocket>> adopt(int fd);

  ~ListenSocket();
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  int fd() const { return fd_; }
  // Whether the kernel knows who connects: only on this machine.
  bool knows_peers() const { return knows_peers_; }
  // Whether a client may have put descriptors of its own (SCM_RIGHTS) into its connection's queue:
  // the kernel cannot refuse them, or did not before the socket became ours.
  bool may_bring_descriptors() const { return may_bring_descriptors_; }
  // Whether it was handed down, and so lives on at somebody else's when this process closes it.
  bool inherited() const { return inherited_; }
  // Hands the descriptor over: its new owner closes it, and this object only removes the file.
  int release_fd();
  // Whether a client finds this socket at its path; true where it has none.
  bool is_in_place() const;
  // Makes another at the path of this one, which is ours and is not in place. Errors as of bind().
  Result<std::unique_ptr<ListenSocket>> bind_again() const { return bind(path_, mode_, group_); }
  const std::string& path() const { return path_; }
  // Removes the file now, if there is one of ours: nobody can connect by it any more.
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
  std::string path_;  // empty: it has none
  mode_t mode_ = 0;
  std::optional<gid_t> group_;
  dev_t device_ = 0;  // with inode_: which file it was at first
  ino_t inode_ = 0;
};

}  // namespace rota

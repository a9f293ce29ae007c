#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"

namespace rota {

// A listening Unix stream socket, of our own making or handed down by the service manager. Closes
// it at its end, and then removes its file if we made it and it is still the same one.
class ListenSocket {
 public:
  // Creates the file `path` with exactly `mode`, and with `group` if given; nobody can connect
  // before both are set. A socket file that nobody listens on is replaced. kBusy: somebody listens
  // there. kConfig, naming the path: it is longer than the system takes, is no socket (such a file
  // is never removed), or its folder does not let us. kIo: anything else.
  static Result<std::unique_ptr<ListenSocket>> bind(const std::string& path, mode_t mode,
                                                    std::optional<gid_t> group);
  // Takes over a descriptor. kConfig: it is not a listening Unix stream socket; it stays open.
  static Result<std::unique_ptr<ListenSocket>> adopt(int fd);

  ~ListenSocket();
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  int fd() const { return fd_; }
  // Hands the descriptor over: its new owner closes it, and this object only removes the file.
  int release_fd();

 private:
  explicit ListenSocket(int fd) : fd_(fd) {}
  Result<void> make_file(mode_t mode, std::optional<gid_t> group);

  int fd_;
  std::string path_;  // empty: the file is not ours to remove
  dev_t device_ = 0;  // with inode_: which file we made
  ino_t inode_ = 0;
};

}  // namespace rota

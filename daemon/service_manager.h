#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "daemon/worker.h"
#include "serve/listen_socket.h"

namespace rota {

// What the service manager is told, by the protocol of sd_notify(3). A manager that does not read
// within 0.2 s misses what it is told. From the first ready() on a thread waits for it, since
// tokens are served meanwhile; before that the caller does. Loop thread only.
//
// Every local user can read a status (`systemctl show`): it has counts, codes and states, and
// quotes no error's text, no file and no member.
class ServiceManager {
 public:
  // Where it listens, as $NOTIFY_SOCKET says; empty: there is none, and each call does nothing.
  explicit ServiceManager(std::string notify_socket);

  // A start that may take this long from now on; never shortens what the unit allows.
  void starting(const std::string& status, Duration at_most);
  void ready(const std::string& status);
  void reloading();
  // A stop that wants so much time from now on; say how it goes by tell().
  void stopping(const std::string& status, Duration at_most);
  // The last words of a start that failed: its exit code, and for one that no restart follows (78)
  // how the units get going again.
  void failed(const Error& error);

  struct News {
    bool alive = false;  // feeds the watchdog
    std::string status;
    std::optional<Duration> more_time{};
  };
  // In one notice, as far as it is news.
  void tell(const News& news);
  void status(std::string line) { tell({.alive = false, .status = std::move(line)}); }

  // How often tell() of being alive is wanted; none: no watchdog is set.
  static std::optional<Duration> watchdog_interval();

 private:
  void notify(std::string state);

  const std::string notify_socket_;
  std::string last_status_;
  std::unique_ptr<Worker> sender_;  // null before the first ready(); its end sends what waits
};

// What failed() says, on one line.
std::string last_words(const Error& error);

// How long reading a database of this size may take on a slow disk.
Duration load_time_max(std::uint64_t database_bytes);

// The listening sockets that the service manager handed down, by their FileDescriptorName=: "token"
// and "admin". kConfig for a descriptor with another name or of another kind.
struct InheritedSockets {
  std::unique_ptr<ListenSocket> token;
  std::unique_ptr<ListenSocket> admin;
};
Result<InheritedSockets> inherited_sockets();

}  // namespace rota

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "daemon/worker.h"
#include "serve/listen_socket.h"

namespace rota {

// Tells the service manager how the daemon is, by the protocol of sd_notify(3). If the manager does
// not read within 0.2 s, the message is lost. From the first ready() on a thread of its own waits
// for the manager, because tokens are served then; before, the caller waits. Loop thread only.
//
// Every local user can read a status (`systemctl show`), so a status must have counts, codes and
// states only: no text of an error, no path and no member.
class ServiceManager {
 public:
  // `notify_socket`: the value of $NOTIFY_SOCKET; empty: there is no manager, and no call does
  // anything.
  explicit ServiceManager(std::string notify_socket);

  // The start may take this long from now on. Never shortens the time that the unit allows.
  void starting(const std::string& status, Duration at_most);
  void ready(const std::string& status);
  void reloading();
  // The stop may take this long from now on; tell() says how it goes, and can ask for more.
  void stopping(const std::string& status, Duration at_most);
  // The start failed. The status says with which exit code and, if systemd does not start it again
  // (78), how to start the units once the cause is fixed.
  void failed(const Error& error);

  struct News {
    bool alive = false;  // feeds the watchdog
    std::string status;
    std::optional<Duration> more_time{};
  };
  // Sends one message with what is new in `news`; none if nothing is.
  void tell(const News& news);
  void status(std::string line) { tell({.alive = false, .status = std::move(line)}); }

  // How often to call tell() with `alive` at least; none: the unit has no watchdog.
  static std::optional<Duration> watchdog_interval();

 private:
  void notify(std::string state);

  const std::string notify_socket_;
  std::string last_status_;
  std::unique_ptr<Worker> sender_;  // null before the first ready(); sends what waits at its end
};

// The status that failed() sends, one line.
std::string last_words(const Error& error);

// How long loading a database of this size may take on a slow disk.
Duration load_time_max(std::uint64_t database_bytes);

// The listening sockets that systemd passed, by their FileDescriptorName= "token", "admin" and
// "client"; null: it passed none of that name. kConfig: a descriptor has another name, or is not a
// listening Unix socket or, for "client", a port of the loopback interface. To be called once.
struct InheritedSockets {
  std::unique_ptr<ListenSocket> token;
  std::unique_ptr<ListenSocket> admin;
  std::vector<std::unique_ptr<ListenSocket>> clients;  // for clients with a bearer token
};
Result<InheritedSockets> inherited_sockets();

}  // namespace rota

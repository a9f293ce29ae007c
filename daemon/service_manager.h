#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "serve/listen_socket.h"

namespace rota {

// What the service manager is told, by sd_notify(3). Without one (NOTIFY_SOCKET unset) each call
// does nothing. Loop thread only.
class ServiceManager {
 public:
  void ready(const std::string& status);
  void reloading();
  void stopping();
  void status(const std::string& line);  // sent only when it differs from the last one
  void alive();                          // feeds the watchdog

  // How often alive() is wanted; none: no watchdog is set.
  static std::optional<Duration> watchdog_interval();

 private:
  std::string last_status_;
};

// The listening sockets that the service manager handed down, by their FileDescriptorName=: "token"
// and "admin". kConfig for a descriptor with another name or of another kind.
struct InheritedSockets {
  std::unique_ptr<ListenSocket> token;
  std::unique_ptr<ListenSocket> admin;
};
Result<InheritedSockets> inherited_sockets();

}  // namespace rota

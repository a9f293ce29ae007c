#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "sandbox/circle.h"

namespace rota::sandbox {

struct ServerOptions {
  std::uint16_t port = 0;  // 0: the system picks one
  bool log = false;        // one line per call to stderr
};

// Serves one Circle, and its control API, as HTTP/1.1 on 127.0.0.1, on the thread that runs it.
// The Circle must outlive the server and be touched by nobody else meanwhile.
class Server {
 public:
  // Binds and listens; kBusy or kIo when that fails.
  static Result<std::unique_ptr<Server>> create(Circle& circle, ServerOptions options);
  ~Server();

  std::uint16_t port() const;
  // Returns after SIGINT or SIGTERM. Calls under way are cut off.
  void run();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace rota::sandbox

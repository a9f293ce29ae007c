#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "cli/transport.h"

namespace rota::cli {

// HTTP over a Unix socket, one request at a time, on the calling thread. If the daemon's queue of
// new connections is full, it tries again for up to five seconds.
class UnixClient : public Transport {
 public:
  // kBug: libcurl cannot start. Does not connect yet.
  static Result<std::unique_ptr<UnixClient>> create(std::string socket_path);

  UnixClient(const UnixClient&) = delete;
  UnixClient& operator=(const UnixClient&) = delete;
  ~UnixClient() override;

  Result<Reply> send(const Request& request) override;
  Result<Reply> stream(const Request& request, const Take& take) override;

 private:
  struct Incoming;
  static std::size_t receive(char* bytes, std::size_t size, std::size_t count, void* incoming);
  Result<void> prepare(const Request& request, Incoming& incoming);
  // A CURLcode.
  int transfer(const Request& request);
  Result<Reply> perform(const Request& request, Incoming& incoming);
  UnixClient(std::string socket_path, void* curl, void* multi);

  const std::string socket_path_;
  void* const curl_;   // libcurl's easy handle
  void* const multi_;  // and its multi handle, which keeps the connection between requests
};

}  // namespace rota::cli

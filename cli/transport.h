#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace rota::cli {

// The longest reply that a command reads: a plan of 100,000 members is about 5 MB.
inline constexpr std::size_t kReplyBytesMax = std::size_t{16} << 20U;

enum class Method { kGet, kPost };

// One call to the daemon. `target` is path and query, percent-encoded; it never holds a token.
struct Request {
  Method method = Method::kGet;
  std::string target;
  Duration timeout{10'000};  // from connecting to the last byte
  // Of a stream: called about once a second while it goes on, whether or not anything comes.
  std::function<void()> while_waiting{};
};

// Any reply that is HTTP, whatever its status. The body may hold a token, so all bodies are
// secrets.
struct Reply {
  int status = 0;
  Secret body;
};

// The way to the daemon; tests answer from a script.
class Transport {
 public:
  virtual ~Transport() = default;
  // Blocks. kIo: no daemon, no reply in time, or none that is HTTP; kFull: longer than
  // kReplyBytesMax. The message names the socket.
  virtual Result<Reply> send(const Request& request) = 0;
  // The same for a reply that goes on: what comes of a 200 is given to `take` piece by piece, until
  // the daemon ends it or `take` fails, whose error is returned then. The reply has the body only
  // of another status. `timeout` is how long nothing at all may come.
  using Take = std::function<Result<void>(std::string_view bytes)>;
  virtual Result<Reply> stream(const Request& request, const Take& take) = 0;
};

}  // namespace rota::cli

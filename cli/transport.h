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

enum class Method { kGet, kPost, kPut, kDelete };

// One call to the daemon. `target` is path and query, percent-encoded; it never has a token.
struct Request {
  Method method = Method::kGet;
  std::string target;
  Duration timeout{10'000};  // from connecting to the last byte
  // Called about once a second until the reply is there, whether or not anything comes; and at once
  // if `wake` can be read.
  std::function<void()> while_waiting{};
  std::string body{};  // of a POST or PUT; never has a token
  int wake = -1;       // a descriptor of the caller's; -1: none
};

// An HTTP reply of any status. The body may have a token, so it is a Secret.
struct Reply {
  int status = 0;
  Secret body;
};

// The connection to the daemon. Tests answer from a script.
class Transport {
 public:
  virtual ~Transport() = default;
  // Blocks. kIo: there is no daemon, no reply in time, or the reply is not HTTP. kFull: it is
  // longer than kReplyBytesMax. The message names the socket.
  virtual Result<Reply> send(const Request& request) = 0;
  // The same for a reply that goes on. `take` gets the body of a 200 piece by piece, until the
  // daemon ends it or `take` fails, whose error is returned then. The returned reply has a body
  // only if the status is not 200. `timeout`: how long nothing at all may come.
  using Take = std::function<Result<void>(std::string_view bytes)>;
  virtual Result<Reply> stream(const Request& request, const Take& take) = 0;
};

}  // namespace rota::cli

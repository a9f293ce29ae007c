#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "auth/options.h"
#include "base/result.h"
#include "circle/http.h"

namespace rota {

// Carries calls to one origin over a pool of kept connections, HTTP/2 where the server offers it.
//
// Always: TLS 1.2 or later with certificate and host name verified; no redirect followed, no proxy,
// cookie or netrc used; nothing sent twice. libcurl would by itself send a request again when a
// kept connection turns out dead: that would be a call that nobody accounted for, so here it fails.
// After a call that got no reply in time, and after a refused HTTP/2 stream, the next call goes
// over a new connection. Once the server asked for HTTP/1.1, all further calls use that.
//
// Create, use and destroy it on the thread that runs the executor; the executor's context must live
// longer. Safe to destroy with calls in flight: they complete as failures.
class HttpTransport {
 public:
  // kInvalid for an option that cannot be used, kConfig for a ca_file that cannot be read.
  static Result<std::unique_ptr<HttpTransport>> create(boost::asio::any_io_executor executor,
                                                       const HeadlessAuthOptions& options);
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;
  ~HttpTransport();

  // Sends a request when it is awaited, and returns the reply, whatever its status, or why there is
  // none. The awaitable may outlive the transport. Never throws for the network's sake.
  boost::asio::awaitable<HttpResult> send(HttpRequest request);

  // The bearer token of the calls that start from now on. kInvalid when it cannot be one.
  Result<void> set_app_token(const SecretPtr& token);
  const SecretPtr& app_token() const;  // null before the first

  // Reads the ca_file if it is another one now; calls look for themselves once a second.
  // kConfig for a file that cannot be used: then the certificates that were read last stay in
  // force.
  Result<void> read_ca_file_again();

 private:
  class Loop;
  explicit HttpTransport(std::shared_ptr<Loop> loop);

  const std::shared_ptr<Loop> loop_;  // callbacks hold it weakly
};

}  // namespace rota

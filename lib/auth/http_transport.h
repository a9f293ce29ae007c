#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "auth/options.h"
#include "base/result.h"
#include "circle/http.h"

namespace rota {

// Carries calls to one origin over a pool of kept connections, by HTTP/2 if the server offers it.
//
// Always: TLS 1.2 or later for https, with certificate and host name verified; no redirect
// followed; no proxy, cookie or netrc used; no request sent twice. If a kept connection turns out
// dead, libcurl would by itself send the request again, a call that nobody has counted. Here such a
// call fails. After a call that got no reply in time, and after a refused HTTP/2 stream, the next
// call goes over a new connection. Once the server has asked for HTTP/1.1, all later calls use it.
//
// Create, use and destroy it on the thread that runs the executor; the executor's context must live
// longer. Safe to destroy with calls in flight: they complete as failures.
class HttpTransport {
 public:
  // kInvalid for an option that cannot be used, kConfig for a ca_file that cannot be read, kIo if
  // libcurl or libsodium cannot start.
  static Result<std::unique_ptr<HttpTransport>> create(boost::asio::any_io_executor executor,
                                                       const HeadlessAuthOptions& options);
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;
  ~HttpTransport();

  // Sends the request once the result is awaited. Returns the reply, with any status, or why there
  // is none. The awaitable may outlive the transport. Never throws on a network error.
  boost::asio::awaitable<HttpResult> send(HttpRequest request);

  // The bearer token of the calls that start from now on. kInvalid if it cannot be a token; then
  // the old one stays.
  Result<void> set_app_token(const SecretPtr& token);

  // Reads the ca_file again if it has changed. Calls do so by themselves, at most once a second.
  // kConfig if the file cannot be used: then the certificates that were read last stay in force.
  Result<void> read_ca_file_again();

 private:
  class Loop;
  explicit HttpTransport(std::shared_ptr<Loop> loop);

  const std::shared_ptr<Loop> loop_;  // callbacks hold it weakly
};

}  // namespace rota

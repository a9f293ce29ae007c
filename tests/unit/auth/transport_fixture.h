#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "auth/http_transport.h"
#include "base/check.h"
#include "tests/unit/auth/scripted_server.h"

namespace rota {

inline HeadlessAuthOptions options_for(std::string base_url) {
  HeadlessAuthOptions options;
  options.base_url = std::move(base_url);
  options.app_token = make_secret("app-token-1");
  options.request_timeout = std::chrono::seconds{20};
  return options;
}

inline HttpRequest refresh_request(std::string_view body = R"({"refresh_token":"r"})") {
  return {"PATCH", "/api/v1/headless/access_token/refresh", Secret(body)};
}

// A transport on a loop of its own.
class TransportLoop {
 public:
  explicit TransportLoop(const HeadlessAuthOptions& options)
      : transport_(HttpTransport::create(loop_.get_executor(), options).value()) {}

  // Begins a call; its result comes into results() when it is over.
  void start(HttpRequest request) {
    boost::asio::co_spawn(loop_, transport_->send(std::move(request)),
                          [this](std::exception_ptr error, HttpResult result) {
                            ROTA_CHECK(!error);
                            results_.push_back(std::move(result));
                          });
  }
  // Runs the loop until this many results are there.
  void run_until(std::size_t results) {
    loop_.restart();
    while (results_.size() < results) ROTA_CHECK(loop_.run_one() == 1);
  }
  // Runs what is ready now and does not wait.
  void poll() {
    loop_.restart();
    loop_.poll();
  }
  HttpResult send(HttpRequest request) {
    start(std::move(request));
    run_until(results_.size() + 1);
    HttpResult result = std::move(results_.back());
    results_.pop_back();
    return result;
  }
  std::vector<HttpResult>& results() { return results_; }
  HttpTransport& transport() { return *transport_; }
  boost::asio::io_context& loop() { return loop_; }
  void destroy_transport() { transport_.reset(); }

 private:
  boost::asio::io_context loop_{1};
  std::vector<HttpResult> results_;
  std::unique_ptr<HttpTransport> transport_;
};

inline HttpResult send_once(const HeadlessAuthOptions& options) {
  return TransportLoop(options).send(refresh_request());
}

}  // namespace rota

#pragma once

#include <curl/curl.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "auth/curl_call.h"
#include "auth/socket_watch.h"
#include "base/result.h"

namespace rota {

// Connections to one origin and the calls over them, on the loop: libcurl's multi interface.
//
// libcurl keeps an HTTP/2 connection whose calls all time out, and puts the next call on it too. So
// nobody repairs a connection: the whole pool is left behind. After retire(), the calls in flight
// end, each within its own time, and then the pool closes every connection.
//
// Loop thread only. Calls complete through the executor, never from inside a method.
class CurlPool : public std::enable_shared_from_this<CurlPool> {
 public:
  // Called when a transfer has ended, before its call completes. It may call retire(), but not
  // close().
  using OnEnd = std::function<void(const CurlCall& call, CURLcode code)>;

  // `on_end` must stay callable until close(). kIo if libcurl cannot start.
  static Result<std::shared_ptr<CurlPool>> create(boost::asio::any_io_executor executor,
                                                  std::size_t connections_max, OnEnd on_end);
  CurlPool(const CurlPool&) = delete;
  CurlPool& operator=(const CurlPool&) = delete;
  ~CurlPool() { close(); }

  // Takes a call that prepare() has set up. Its `done` runs exactly once, whatever happens.
  void start(std::unique_ptr<CurlCall> call);
  // Promises that no more calls come: the pool closes itself when the last one is over.
  void retire();
  // Closes all connections; calls in flight complete as failures. The pool stays closed.
  void close();
  bool closed() const { return !multi_; }

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct MultiCleanup {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  CurlPool(boost::asio::any_io_executor executor, OnEnd on_end);
  static int on_socket(CURL*, curl_socket_t socket, int what, void* pool, void*) noexcept;
  static int on_timer(CURLM*, long milliseconds, void* pool) noexcept;
  void watch(curl_socket_t socket, int what);
  void wake_in(long milliseconds);
  void wake_at_once();
  void set_timer(SteadyTime when);
  void stop_timer();
  void on_timer_fired();
  void act(curl_socket_t socket, int events);
  void complete(CurlCall& call, HttpResult result);

  // Constant after create().
  const boost::asio::any_io_executor executor_;
  const OnEnd on_end_;

  // Loop thread only.
  bool retired_ = false;
  std::uint64_t remarks_ = 0;  // how often a call was told that something happened to a connection
  // Each call sets and moves libcurl's timer several times, nearly always to a later moment. So the
  // kernel's timer is left as it is if it fires early enough, and set anew when it has fired.
  std::optional<SteadyTime> wanted_at_;  // when libcurl wants to be called
  std::optional<SteadyTime> fires_at_;   // when timer_ fires
  bool wakes_at_once_ = false;           // a call of libcurl is posted
  boost::asio::steady_timer timer_;
  std::unordered_map<curl_socket_t, std::shared_ptr<SocketWatch>> watches_;
  std::unordered_map<CURL*, std::unique_ptr<CurlCall>> calls_;
  std::unique_ptr<CURLM, MultiCleanup> multi_;  // null once closed
};

}  // namespace rota

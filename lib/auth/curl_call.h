#pragma once

#include <curl/curl.h>

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "auth/ca_file.h"
#include "auth/options.h"
#include "base/secret.h"
#include "circle/excerpt.h"
#include "circle/http.h"
#include "circle/reply_collector.h"

namespace rota {

// The header lines of every call. The one with the bearer token has locked memory of its own, which
// is wiped when the last call that uses it is over.
class HeaderLines {
 public:
  explicit HeaderLines(const Secret& app_token);
  HeaderLines(const HeaderLines&) = delete;
  HeaderLines& operator=(const HeaderLines&) = delete;

  curl_slist* get() { return &first_; }

 private:
  struct FreeGuarded {
    void operator()(void* bytes) const;  // wipes, too
  };
  struct FreeLines {
    void operator()(curl_slist* lines) const { curl_slist_free_all(lines); }
  };
  std::unique_ptr<void, FreeGuarded> bearer_;
  std::unique_ptr<curl_slist, FreeLines> others_;
  curl_slist first_{};
};

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

// One call in flight. libcurl keeps pointers into it, so it must not move. Loop thread only.
struct CurlCall {
  using Done = std::move_only_function<void(HttpResult)>;

  HttpRequest request;
  std::string url;
  std::shared_ptr<HeaderLines> headers;
  std::shared_ptr<const CaFile> ca;  // null: the system's store
  bool http1_only = false;
  SecretPtr app_token;         // the one in `headers`: no error text may repeat it
  int attempts = 0;            // how many connections libcurl wanted to send the request on
  std::size_t body_taken = 0;  // bytes of the request's body that libcurl has taken
  // What libcurl remarks about the call's HTTP/2 stream.
  std::uint32_t stream = 0;          // the stream's number; 0 until it has one, and with HTTP/1.1
  bool remarked = false;             // libcurl remarked something about this call's connection
  std::uint64_t* remarks = nullptr;  // CurlPool::remarks_
  std::uint64_t remarks_before = 0;  // *remarks when this call began
  bool refused = false;  // the server did not process it: REFUSED_STREAM, or a GOAWAY without it
  bool wants_http1 = false;  // the server wants this request over HTTP/1.1
  ReplyCollector reply;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  Done done;
  boost::asio::executor_work_guard<boost::asio::any_io_executor> work;
  std::unique_ptr<CURL, EasyCleanup> easy;  // last, so that it goes before what it points to
};

// Sets every option of the call's handle. False if libcurl refuses one. `options` must live as long
// as the call.
bool prepare(CurlCall& call, const HeadlessAuthOptions& options);

// The result of the transfer, which ended with `code`. Call it once.
HttpResult result_of(CurlCall& call, CURLcode code);
// The failure of a call that we give up, or that ended with `code`.
HttpFailure failure_of(const CurlCall& call, std::string_view why, CURLcode code = CURLE_OK);

}  // namespace rota

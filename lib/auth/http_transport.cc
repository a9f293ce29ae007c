#include "auth/http_transport.h"

#include <curl/curl.h>
#include <sodium.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <vector>

#include "auth/ca_file.h"
#include "auth/curl_call.h"
#include "auth/curl_pool.h"
#include "circle/token_text.h"

namespace rota {
namespace {
namespace asio = boost::asio;
using Executor = asio::any_io_executor;
using SteadyTime = std::chrono::steady_clock::time_point;

// Calls look at most this often whether the ca_file was replaced.
constexpr std::chrono::seconds kCaFileLookGap{1};

// libcurl counts its users itself, from 7.84 on thread-safely. So each transport holds one count,
// and nothing global is needed here.
struct CurlLibrary {
  CurlLibrary() : ready(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {}
  CurlLibrary(const CurlLibrary&) = delete;
  CurlLibrary& operator=(const CurlLibrary&) = delete;
  ~CurlLibrary() {
    if (ready) curl_global_cleanup();
  }
  const bool ready;
};

}  // namespace

// Makes the calls and knows which pool of connections is good for the next one. It is apart from
// the transport, so that callbacks can outlive the transport.
class HttpTransport::Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(Executor executor, HeadlessAuthOptions options)
      : executor_(std::move(executor)), options_(std::move(options)) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<void> open() {
    if (!library_.ready) return fail(ErrorKind::kIo, "libcurl cannot be initialised");
    ROTA_TRY(read_ca_file_again());
    return renew_pool();
  }

  void set_app_token(const SecretPtr& app_token) {
    app_token_ = app_token;
    headers_ = std::make_shared<HeaderLines>(*app_token);
  }
  // If this fails, the certificates that were read last stay in force.
  Result<void> read_ca_file_again() {
    if (options_.ca_file.empty()) return {};
    ca_file_looked_at_ = std::chrono::steady_clock::now();
    if (options_.check_ca_file) ROTA_TRY(options_.check_ca_file(options_.ca_file));
    ROTA_ASSIGN(const CaFileStamp stamp, stamp_of_ca_file(options_.ca_file));
    if (ca_ && ca_->stamp == stamp) return {};
    ROTA_ASSIGN(ca_, read_ca_file(options_.ca_file));
    if (!pool_) return {};
    return renew_pool();  // the open connections were verified by the certificates before
  }

  void start(HttpRequest request, CurlCall::Done done) {
    if (std::chrono::steady_clock::now() - ca_file_looked_at_ >= kCaFileLookGap) {
      static_cast<void>(read_ca_file_again());  // reload and doctor report a bad file
    }
    // NOLINTNEXTLINE(modernize-make-unique): an aggregate that does not move is made in its place
    auto call = std::unique_ptr<CurlCall>(
        new CurlCall{.request = std::move(request),
                     .url = {},
                     .headers = headers_,
                     .ca = ca_,
                     .http1_only = http1_only_,
                     .app_token = app_token_,
                     .reply = {},
                     .done = std::move(done),
                     .work = asio::make_work_guard(executor_),
                     .easy = std::unique_ptr<CURL, EasyCleanup>(curl_easy_init())});
    call->url = options_.base_url + std::string(call->request.path);
    if (closed_) return give_up(*call, "shutting down");
    if (!call->easy || !prepare(*call, options_))
      return give_up(*call, "libcurl refused an option");
    pool_->start(std::move(call));
  }

  // Closes all connections; calls in flight complete as failures.
  void close() {
    closed_ = true;
    for (const auto& pool : retired_) pool->close();
    retired_.clear();
    if (pool_) pool_->close();
  }

 private:
  // Calls from now on go over new connections. Calls in flight end on their old ones.
  Result<void> renew_pool() {
    const auto number = ++pools_made_;
    const auto on_end = [weak = weak_from_this(), number](const CurlCall& call, CURLcode code) {
      if (const auto self = weak.lock()) self->on_end(number, call, code);
    };
    ROTA_ASSIGN(auto pool, CurlPool::create(executor_, options_.connections_max, on_end));
    std::erase_if(retired_, [](const auto& old) { return old->closed(); });
    if (pool_) {
      pool_->retire();
      retired_.push_back(std::move(pool_));
    }
    pool_ = std::move(pool);
    return {};
  }

  void on_end(std::uint64_t number, const CurlCall& call, CURLcode code) {
    if (call.wants_http1) http1_only_ = true;
    // A call of an older pool: later calls go over newer connections anyway.
    if (number != pools_made_ || closed_) return;
    // A connection that brings no reply in time may be dead, even if its other end still
    // acknowledges bytes. If there is no memory for a new pool, the old one stays in use.
    if (code == CURLE_OPERATION_TIMEDOUT || call.refused || call.wants_http1) {
      static_cast<void>(renew_pool());
    }
  }

  void give_up(CurlCall& call, std::string_view why) {
    asio::post(executor_, [done = std::move(call.done), failure = failure_of(call, why)]() mutable {
      done(std::unexpected(std::move(failure)));
    });
  }

  // Constant after open().
  const CurlLibrary library_;  // first: all members below need it
  const Executor executor_;
  const HeadlessAuthOptions options_;

  // Loop thread only.
  SecretPtr app_token_;
  std::shared_ptr<HeaderLines> headers_;
  std::shared_ptr<const CaFile> ca_;  // null: the system's store
  SteadyTime ca_file_looked_at_{};
  bool http1_only_ = false;  // since the server asked for HTTP/1.1
  bool closed_ = false;
  std::uint64_t pools_made_ = 0;
  std::vector<std::shared_ptr<CurlPool>> retired_;  // until their last call is over
  std::shared_ptr<CurlPool> pool_;
};

HttpTransport::HttpTransport(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

HttpTransport::~HttpTransport() { loop_->close(); }

Result<std::unique_ptr<HttpTransport>> HttpTransport::create(Executor executor,
                                                             const HeadlessAuthOptions& options) {
  ROTA_ASSIGN(HeadlessAuthOptions checked, check_options(options));
  checked.app_token = nullptr;  // set below
  if (sodium_init() < 0) return fail(ErrorKind::kIo, "libsodium cannot start: no randomness");
  auto loop = std::make_shared<Loop>(std::move(executor), std::move(checked));
  ROTA_TRY(loop->open());
  std::unique_ptr<HttpTransport> transport(new HttpTransport(std::move(loop)));
  ROTA_TRY(transport->set_app_token(options.app_token));
  return transport;
}

Result<void> HttpTransport::set_app_token(const SecretPtr& token) {
  if (!token || !plausible_token(token->reveal())) {
    return fail(ErrorKind::kInvalid, "the app token is empty or has a character that no token has");
  }
  loop_->set_app_token(token);
  return {};
}

Result<void> HttpTransport::read_ca_file_again() { return loop_->read_ca_file_again(); }

asio::awaitable<HttpResult> HttpTransport::send(HttpRequest request) {
  return asio::async_initiate<const asio::use_awaitable_t<>, void(HttpResult)>(
      [](auto handler, std::weak_ptr<Loop> weak, HttpRequest sent) {
        if (const auto loop = weak.lock()) {
          loop->start(std::move(sent), std::move(handler));
        } else {
          std::move(handler)(HttpResult(
              std::unexpected(HttpFailure{TransientReason::kNotSent, "the transport is gone"})));
        }
      },
      asio::use_awaitable, std::weak_ptr<Loop>(loop_), std::move(request));
}

}  // namespace rota

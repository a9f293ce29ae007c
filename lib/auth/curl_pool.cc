#include "auth/curl_pool.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "base/check.h"

namespace rota {

namespace asio = boost::asio;

CurlPool::CurlPool(asio::any_io_executor executor, OnEnd on_end)
    : executor_(std::move(executor)), on_end_(std::move(on_end)), timer_(executor_) {}

Result<std::shared_ptr<CurlPool>> CurlPool::create(asio::any_io_executor executor,
                                                   std::size_t connections_max, OnEnd on_end) {
  std::shared_ptr<CurlPool> pool(new CurlPool(std::move(executor), std::move(on_end)));
  pool->multi_.reset(curl_multi_init());
  if (!pool->multi_) return fail(ErrorKind::kIo, "libcurl cannot be initialised");
  CURLM* multi = pool->multi_.get();
  const auto connections = static_cast<long>(connections_max);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &CurlPool::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void*>(pool.get()));
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &CurlPool::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void*>(pool.get()));
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, long{CURLPIPE_MULTIPLEX});
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
  return pool;
}

void CurlPool::start(std::unique_ptr<CurlCall> call) {
  if (!multi_) return complete(*call, std::unexpected(failure_of(*call, "shutting down")));
  call->remarks = &remarks_;
  call->remarks_before = remarks_;
  CURL* easy = call->easy.get();
  const auto place = calls_.emplace(easy, std::move(call)).first;
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
    const auto node = calls_.extract(place);
    complete(*node.mapped(), std::unexpected(failure_of(*node.mapped(), "libcurl refused it")));
  }
}

void CurlPool::retire() {
  retired_ = true;
  // Later, not now: one of this pool's own calls may be calling.
  asio::post(executor_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->calls_.empty()) self->close();
  });
}

void CurlPool::close() {
  if (!multi_) return;
  for (auto& [easy, call] : calls_) {
    curl_multi_remove_handle(multi_.get(), easy);
    complete(*call, std::unexpected(failure_of(*call, "shutting down")));
  }
  calls_.clear();
  multi_.reset();  // takes its sockets out of watches_ through on_socket()
  watches_.clear();
  wanted_at_.reset();
  stop_timer();
}

int CurlPool::on_socket(CURL*, curl_socket_t socket, int what, void* pool, void*) noexcept {
  static_cast<CurlPool*>(pool)->watch(socket, what);
  return 0;
}

int CurlPool::on_timer(CURLM*, long milliseconds, void* pool) noexcept {
  static_cast<CurlPool*>(pool)->wake_in(milliseconds);
  return 0;
}

void CurlPool::watch(curl_socket_t socket, int what) {
  if (what == CURL_POLL_REMOVE) {
    // Stopped explicitly: if its callback is running, the watch outlives this map entry.
    if (const auto node = watches_.extract(socket)) node.mapped()->stop();
    return;
  }
  auto& entry = watches_[socket];
  if (!entry) {
    const auto ready = [this, socket](bool readable, bool writable) {
      const auto self = shared_from_this();  // the pool lives while its watches do
      act(socket, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
    };
    entry = std::make_shared<SocketWatch>(executor_, socket, ready);
  }
  entry->want(what != CURL_POLL_OUT, what != CURL_POLL_IN);
}

// Through the executor, since nobody may call libcurl from its own callback.
void CurlPool::wake_in(long milliseconds) {
  wanted_at_.reset();
  if (milliseconds < 0) return stop_timer();
  if (milliseconds == 0) return wake_at_once();
  wanted_at_ = std::chrono::steady_clock::now() + Duration{milliseconds};
  if (!fires_at_ || *wanted_at_ < *fires_at_) set_timer(*wanted_at_);
}

void CurlPool::wake_at_once() {
  if (std::exchange(wakes_at_once_, true)) return;
  asio::post(executor_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->wakes_at_once_ = false;
    self->act(CURL_SOCKET_TIMEOUT, 0);
  });
}

void CurlPool::set_timer(SteadyTime when) {
  fires_at_ = when;
  timer_.expires_at(when);
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->on_timer_fired();
  });
}

void CurlPool::stop_timer() {
  timer_.cancel();
  fires_at_.reset();
}

void CurlPool::on_timer_fired() {
  fires_at_.reset();
  if (!wanted_at_) return;
  if (std::chrono::steady_clock::now() < *wanted_at_) return set_timer(*wanted_at_);
  wanted_at_.reset();
  act(CURL_SOCKET_TIMEOUT, 0);
}

void CurlPool::act(curl_socket_t socket, int events) {
  if (!multi_) return;
  int running = 0;
  curl_multi_socket_action(multi_.get(), socket, events, &running);
  int waiting = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &waiting)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;  // the next line frees `message`
    curl_multi_remove_handle(multi_.get(), easy);
    const auto node = calls_.extract(easy);
    ROTA_CHECK(!node.empty());
    on_end_(*node.mapped(), code);
    complete(*node.mapped(), result_of(*node.mapped(), code));
  }
  if (retired_ && calls_.empty()) close();
}

// Through the executor, so that the caller's code never runs inside this class.
void CurlPool::complete(CurlCall& call, HttpResult result) {
  asio::post(executor_, [done = std::move(call.done), result = std::move(result)]() mutable {
    done(std::move(result));
  });
}

}  // namespace rota

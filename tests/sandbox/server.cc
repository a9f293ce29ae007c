#include "sandbox/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <csignal>
#include <ctime>
#include <string>
#include <utility>

#include "sandbox/control.h"
#include "sandbox/wire.h"

namespace rota::sandbox {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

// Errors come back as values: co_await gives (error_code, results...).
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kBodyBytesMax = 1UL << 20U;
constexpr std::uint32_t kHeadBytesMax = 32U << 10U;
constexpr Duration kAcceptPause{100};

Now read_clocks() {
  timespec boot{};
  ::clock_gettime(CLOCK_BOOTTIME, &boot);
  return {std::chrono::floor<Duration>(std::chrono::system_clock::now()),
          BootTime{std::chrono::floor<Duration>(std::chrono::seconds{boot.tv_sec} +
                                                std::chrono::nanoseconds{boot.tv_nsec})}};
}

// One connection: requests are answered in order, one at a time.
class Session {
 public:
  Session(tcp::socket socket, Circle& circle, bool log)
      : circle_(circle), log_(log), socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  asio::awaitable<void> run();

 private:
  using Message = http::request<http::string_body>;

  // Each returns whether the connection goes on.
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> serve_control(Request request, bool keep_alive);
  asio::awaitable<bool> serve_call(Request request, bool keep_alive);
  asio::awaitable<bool> refuse_garbage(error_code why);

  // Each returns whether all was written.
  asio::awaitable<bool> send(Reply reply, bool keep_alive);
  asio::awaitable<bool> send_huge();
  asio::awaitable<bool> write(std::string bytes);

  // Waits out the latency; false when the client goes before that.
  asio::awaitable<bool> wait_with_client(Duration latency);
  asio::awaitable<void> wait_for_client_to_go();

  Circle& circle_;
  const bool log_;
  tcp::socket socket_;
  asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
};

asio::awaitable<void> Session::run() {
  while (co_await serve_one()) {
  }
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
}

asio::awaitable<bool> Session::serve_one() {
  http::request_parser<http::string_body> parser;
  parser.body_limit(kBodyBytesMax);
  parser.header_limit(kHeadBytesMax);
  const auto [ec, size] = co_await http::async_read(socket_, buffer_, parser, kAwait);
  if (ec) co_return co_await refuse_garbage(ec);
  const Message message = parser.release();
  const Request request{.method = message.method_string(),
                        .target = message.target(),
                        .authorization = message[http::field::authorization],
                        .content_type = message[http::field::content_type],
                        .body = message.body()};
  if (request.target.starts_with(kControlPrefix)) {
    co_return co_await serve_control(request, message.keep_alive());
  }
  co_return co_await serve_call(request, message.keep_alive());
}

asio::awaitable<bool> Session::serve_control(Request request, bool keep_alive) {
  const bool written = co_await send(control(circle_, request, read_clocks()), keep_alive);
  co_return written&& keep_alive;
}

asio::awaitable<bool> Session::serve_call(Request request, bool keep_alive) {
  const Exchange exchange = circle_.begin(request, read_clocks());
  if (log_) fmt::print(stderr, "{}\n", describe(request, exchange, circle_.ledger()));
  bool written = co_await wait_with_client(circle_.options().latency);
  if (written) written = co_await send(exchange.reply, keep_alive);
  circle_.end(exchange, written);
  co_return written&& keep_alive;
}

asio::awaitable<bool> Session::refuse_garbage(error_code why) {
  // What a client leaves unfinished when it goes is no breach; what it sends and Beast cannot
  // read is one.
  if (why == http::error::end_of_stream || why == http::error::partial_message ||
      why.category() != make_error_code(http::error::end_of_stream).category()) {
    co_return false;
  }
  const bool too_big = why == http::error::body_limit || why == http::error::header_limit;
  circle_.breach("?", "?", too_big ? "request too large" : "not HTTP");
  co_await send(error_reply(too_big ? 413 : 400, message::kBadRequest), false);
  co_return false;
}

asio::awaitable<bool> Session::send(Reply reply, bool keep_alive) {
  switch (reply.delivery) {
    case Delivery::kDrop:
      co_return false;
    case Delivery::kHang:
      co_await wait_for_client_to_go();
      co_return false;
    case Delivery::kPlain:
    case Delivery::kChunked:
    case Delivery::kHuge:
      break;
  }
  const WallTime date = circle_.clock(read_clocks());
  if (!co_await write(compose(reply, date, keep_alive))) co_return false;
  if (reply.delivery != Delivery::kHuge) co_return true;
  if (co_await write(compose_chunk(reply.body))) co_await send_huge();
  co_return false;
}

asio::awaitable<bool> Session::send_huge() {
  const std::string chunk = compose_chunk(std::string(kHugeChunkBytes, 'a'));
  for (std::size_t sent = 0; sent < kHugeBodyBytes; sent += kHugeChunkBytes) {
    if (!co_await write(chunk)) co_return false;
  }
  co_return true;
}

asio::awaitable<bool> Session::write(std::string bytes) {
  const auto [ec, size] = co_await asio::async_write(socket_, asio::buffer(bytes), kAwait);
  co_return !ec;
}

asio::awaitable<bool> Session::wait_with_client(Duration latency) {
  if (latency == Duration{0}) co_return true;
  timer_.expires_after(latency);
  using namespace asio::experimental::awaitable_operators;
  const auto first =
      co_await (timer_.async_wait(kAwait) || socket_.async_wait(tcp::socket::wait_read, kAwait));
  if (first.index() == 0) co_return true;
  // Readable with nothing to read is the end of the stream; anything else is the next request.
  error_code ec;
  if (socket_.available(ec) == 0 || ec) co_return false;
  co_await timer_.async_wait(kAwait);
  co_return true;
}

asio::awaitable<void> Session::wait_for_client_to_go() {
  std::array<char, 1024> discarded{};
  error_code ec;
  while (!ec) {
    const auto [why, size] = co_await socket_.async_read_some(asio::buffer(discarded), kAwait);
    ec = why;
  }
}

asio::awaitable<void> run_session(std::unique_ptr<Session> session) { co_await session->run(); }

}  // namespace

class Server::Impl {
 public:
  Impl(Circle& circle, bool log)
      : circle_(circle), log_(log), acceptor_(io_), signals_(io_, SIGINT, SIGTERM) {}

  error_code listen(std::uint16_t port) {
    const tcp::endpoint endpoint(asio::ip::address_v4::loopback(), port);
    error_code ec;
    if (acceptor_.open(endpoint.protocol(), ec)) return ec;
    if (acceptor_.set_option(tcp::acceptor::reuse_address(true), ec)) return ec;
    if (acceptor_.bind(endpoint, ec)) return ec;
    acceptor_.listen(asio::socket_base::max_listen_connections, ec);
    return ec;
  }

  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  void run() {
    signals_.async_wait([this](error_code, int) { io_.stop(); });
    asio::co_spawn(io_, accept(), asio::detached);
    io_.run();
  }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      auto [ec, socket] = co_await acceptor_.async_accept(kAwait);
      if (ec) {
        // Most likely out of descriptors: the pause lets some connections end.
        asio::steady_timer pause(io_, kAcceptPause);
        co_await pause.async_wait(kAwait);
        continue;
      }
      socket.set_option(tcp::no_delay(true), ec);
      auto session = std::make_unique<Session>(std::move(socket), circle_, log_);
      asio::co_spawn(io_, run_session(std::move(session)), asio::detached);
    }
  }

  Circle& circle_;
  const bool log_;
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::signal_set signals_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::create(Circle& circle, ServerOptions options) {
  auto impl = std::make_unique<Impl>(circle, options.log);
  if (const error_code ec = impl->listen(options.port)) {
    const bool busy = ec == boost::system::errc::address_in_use;
    return fail(busy ? ErrorKind::kBusy : ErrorKind::kIo,
                fmt::format("127.0.0.1:{}: {}", options.port, ec.message()));
  }
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->port(); }

void Server::run() { impl_->run(); }

}  // namespace rota::sandbox

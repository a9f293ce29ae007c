#include "auth/http_transport.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstring>
#include <functional>
#include <unordered_map>

#include "auth/reply_collector.h"
#include "auth/socket_watch.h"
#include "auth/token_text.h"
#include "base/check.h"

namespace rota {
namespace {

namespace asio = boost::asio;
using Executor = asio::any_io_executor;
using Done = std::move_only_function<void(HttpResult)>;

// libcurl counts its users itself and does so thread-safely (7.84 and later), so each transport
// holds one count and nothing global is kept here.
struct CurlLibrary {
  CurlLibrary() : ready(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {}
  CurlLibrary(const CurlLibrary&) = delete;
  CurlLibrary& operator=(const CurlLibrary&) = delete;
  ~CurlLibrary() {
    if (ready) curl_global_cleanup();
  }
  const bool ready;
};

struct EasyCleanup {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct MultiCleanup {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
using EasyPtr = std::unique_ptr<CURL, EasyCleanup>;
using MultiPtr = std::unique_ptr<CURLM, MultiCleanup>;

// The header lines of every call, the bearer token among them, which has locked memory of its own
// and is wiped when the last call that uses it is over.
class HeaderLines {
 public:
  explicit HeaderLines(const Secret& app_token) : bearer_(sodium_malloc(size_for(app_token))) {
    ROTA_CHECK(bearer_ != nullptr);  // out of memory
    auto* text = static_cast<char*>(bearer_.get());
    text = std::ranges::copy(kBearer, text).out;
    text = std::ranges::copy(app_token.reveal(), text).out;
    *text = '\0';
    // The last one: never wait for "100 Continue".
    for (const char* line :
         {"Content-Type: application/json", "Accept: application/json", "Expect:"}) {
      curl_slist* longer = curl_slist_append(others_.get(), line);
      ROTA_CHECK(longer != nullptr);
      static_cast<void>(others_.release());
      others_.reset(longer);
    }
    first_ = {.data = static_cast<char*>(bearer_.get()), .next = others_.get()};
  }
  curl_slist* get() { return &first_; }

 private:
  static constexpr std::string_view kBearer = "Authorization: Bearer ";
  static std::size_t size_for(const Secret& app_token) {
    return kBearer.size() + app_token.size() + 1;
  }
  struct FreeGuarded {
    void operator()(void* bytes) const { sodium_free(bytes); }  // wipes, too
  };
  struct FreeLines {
    void operator()(curl_slist* lines) const { curl_slist_free_all(lines); }
  };
  std::unique_ptr<void, FreeGuarded> bearer_;
  std::unique_ptr<curl_slist, FreeLines> others_;
  curl_slist first_{};
};

// One call in flight. libcurl points into it, so it never moves.
struct Call {
  HttpRequest request;
  std::string url;
  std::shared_ptr<HeaderLines> headers;
  int attempts = 0;            // connections that the request was to be sent on
  std::size_t body_taken = 0;  // how much of the request's body libcurl was given
  ReplyCollector reply;
  std::array<char, CURL_ERROR_SIZE> error_text{};
  Done done;
  asio::executor_work_guard<Executor> work;
  EasyPtr easy;  // last: gone before what it points to
};

// The callbacks below are called by C code, through which no exception may pass: noexcept.

std::size_t on_request_body(char* to, std::size_t size, std::size_t count,
                            void* call_ptr) noexcept {
  auto& call = *static_cast<Call*>(call_ptr);
  const std::string_view rest = call.request.body.reveal().substr(call.body_taken);
  const std::size_t taken = std::min(rest.size(), size * count);
  std::memcpy(to, rest.data(), taken);
  call.body_taken += taken;
  return taken;
}

// libcurl rewinds the body only to send it again, after it has connected anew: refused, and so the
// call fails instead.
int on_rewind(void*, curl_off_t, int) noexcept { return CURL_SEEKFUNC_FAIL; }

// Called when a connection stands and the request is about to be sent on it. libcurl comes here
// again when it found the first connection dead: then the call ends, and whoever made it may make
// another.
int on_attempt(void* call_ptr, char*, char*, int, int) noexcept {
  return static_cast<Call*>(call_ptr)->attempts++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

std::size_t on_header_line(char* data, std::size_t size, std::size_t count, void* call) noexcept {
  const bool taken = static_cast<Call*>(call)->reply.add_header_line({data, size * count});
  return taken ? size * count : 0;
}

std::size_t on_reply_body(char* data, std::size_t size, std::size_t count, void* call) noexcept {
  const bool taken = static_cast<Call*>(call)->reply.add_body({data, size * count});
  return taken ? size * count : CURL_WRITEFUNC_ERROR;
}

// Sets options and remembers whether all were accepted.
class Setter {
 public:
  explicit Setter(CURL* easy) : easy_(easy) {}
  template <class T>
  void operator()(CURLoption option, T value) {
    if (curl_easy_setopt(easy_, option, value) != CURLE_OK) all_set_ = false;
  }
  bool all_set() const { return all_set_; }

 private:
  CURL* easy_;
  bool all_set_ = true;
};

bool prepare(Call& call, const HeadlessAuthOptions& options) {
  const bool https = options.base_url.starts_with("https://");
  Setter set(call.easy.get());
  set(CURLOPT_URL, call.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, https ? "https" : "http");
  set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
  set(CURLOPT_PIPEWAIT, https ? 1L : 0L);  // rather share an HTTP/2 connection than open more
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  if (!options.ca_file.empty()) {
    set(CURLOPT_CAINFO, options.ca_file.c_str());
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  set(CURLOPT_PROXY, "");  // not even one that the environment names
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  set(CURLOPT_NOSIGNAL, 1L);
  // Without this a call that ends while the system still looks up the host name would block the
  // loop until the lookup is over; with it the lookup's thread is left to end by itself.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(options.request_timeout.count()));
  set(CURLOPT_USERAGENT, "rota/" ROTA_VERSION);
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  set(CURLOPT_ERRORBUFFER, call.error_text.data());
  set(CURLOPT_PRIVATE, static_cast<void*>(&call));

  set(CURLOPT_HTTPHEADER, call.headers->get());
  set(CURLOPT_POST, 1L);
  if (call.request.method != "POST") {
    set(CURLOPT_CUSTOMREQUEST, std::string(call.request.method).c_str());
  }
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.request.body.size()));
  set(CURLOPT_READFUNCTION, &on_request_body);
  set(CURLOPT_READDATA, static_cast<void*>(&call));
  set(CURLOPT_SEEKFUNCTION, &on_rewind);
  set(CURLOPT_PREREQFUNCTION, &on_attempt);
  set(CURLOPT_PREREQDATA, static_cast<void*>(&call));
  set(CURLOPT_HEADERFUNCTION, &on_header_line);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&call));
  set(CURLOPT_WRITEFUNCTION, &on_reply_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&call));
  return set.all_set();
}

// A call whose body libcurl never asked for had no effect: no request is whole without its body.
// Anything else may have.
HttpFailure failure_of(const Call& call, std::string_view why) {
  const bool sent = call.body_taken > 0;
  return {sent ? TransientReason::kNoReply : TransientReason::kNotSent,
          fmt::format("{} {}: {}", call.request.method, call.request.path, why)};
}

HttpResult result_of(Call& call, CURLcode code) {
  if (code == CURLE_OK && !call.reply.head_is_whole()) {
    // libcurl takes a connection that ends within the head for the end of the head.
    return std::unexpected(failure_of(call, "the reply's head was cut off"));
  }
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(call.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    return call.reply.take(static_cast<int>(status));
  }
  std::string_view why = curl_easy_strerror(code);
  if (!call.reply.broken_limit().empty()) {
    why = call.reply.broken_limit();
  } else if (call.body_taken == 0 && call.error_text[0] != '\0') {
    why = call.error_text.data();  // about lookup, connection or certificate: nothing else happened
  }
  return std::unexpected(failure_of(call, why));
}

}  // namespace

// The libcurl side, kept apart so that callbacks can outlive the transport.
class HttpTransport::Loop : public std::enable_shared_from_this<Loop> {
 public:
  Loop(Executor executor, HeadlessAuthOptions options)
      : executor_(std::move(executor)), options_(std::move(options)), timer_(executor_) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Result<void> open() {
    if (!library_.ready) return fail(ErrorKind::kIo, "libcurl cannot be initialised");
    multi_.reset(curl_multi_init());
    if (!multi_) return fail(ErrorKind::kIo, "libcurl cannot be initialised");
    CURLM* multi = multi_.get();
    const auto connections = static_cast<long>(options_.connections_max);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Loop::on_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, static_cast<void*>(this));
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Loop::on_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, static_cast<void*>(this));
    curl_multi_setopt(multi, CURLMOPT_PIPELINING, long{CURLPIPE_MULTIPLEX});
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, connections);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections);
    return {};
  }

  void set_headers(const Secret& app_token) { headers_ = std::make_shared<HeaderLines>(app_token); }

  void start(HttpRequest request, Done done) {
    // NOLINTNEXTLINE(modernize-make-unique): an aggregate that does not move is made in its place
    auto call = std::unique_ptr<Call>(new Call{.request = std::move(request),
                                               .url = {},
                                               .headers = headers_,
                                               .reply = {},
                                               .done = std::move(done),
                                               .work = asio::make_work_guard(executor_),
                                               .easy = EasyPtr(curl_easy_init())});
    call->url = options_.base_url + std::string(call->request.path);
    if (!multi_) return complete(*call, std::unexpected(failure_of(*call, "shutting down")));
    if (!call->easy || !prepare(*call, options_)) {
      return complete(*call, std::unexpected(failure_of(*call, "libcurl refused an option")));
    }
    CURL* easy = call->easy.get();
    const auto place = calls_.emplace(easy, std::move(call)).first;
    if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
      const auto node = calls_.extract(place);
      complete(*node.mapped(), std::unexpected(failure_of(*node.mapped(), "libcurl refused it")));
    }
  }

  // Ends all calls and connections. Nothing happens any more afterwards.
  void close() {
    for (auto& [easy, call] : calls_) {
      curl_multi_remove_handle(multi_.get(), easy);
      complete(*call, std::unexpected(failure_of(*call, "shutting down")));
    }
    calls_.clear();
    multi_.reset();  // takes its sockets out of watches_ through on_socket()
    watches_.clear();
    timer_.cancel();
  }

 private:
  static int on_socket(CURL*, curl_socket_t socket, int what, void* loop, void*) noexcept {
    static_cast<Loop*>(loop)->watch(socket, what);
    return 0;
  }
  static int on_timer(CURLM*, long milliseconds, void* loop) noexcept {
    static_cast<Loop*>(loop)->wake_in(milliseconds);
    return 0;
  }

  void watch(curl_socket_t socket, int what) {
    if (what == CURL_POLL_REMOVE) {
      // Stopped here and now: the caller of its callback may still hold it.
      if (const auto node = watches_.extract(socket)) node.mapped()->stop();
      return;
    }
    auto& entry = watches_[socket];
    if (!entry) {
      const auto ready = [this, socket](bool readable, bool writable) {
        const auto self = shared_from_this();  // a watch lives no longer than the loop
        act(socket, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
      };
      entry = std::make_shared<SocketWatch>(executor_, socket, ready);
    }
    entry->want(what != CURL_POLL_OUT, what != CURL_POLL_IN);
  }

  // Always through the executor: libcurl must not be called from its own callback.
  void wake_in(long milliseconds) {
    if (milliseconds < 0) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(Duration{milliseconds});
    timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      const auto self = weak.lock();
      if (!error && self) self->act(CURL_SOCKET_TIMEOUT, 0);
    });
  }

  void act(curl_socket_t socket, int events) {
    if (!multi_) return;
    int running = 0;
    curl_multi_socket_action(multi_.get(), socket, events, &running);
    int waiting = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &waiting)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;  // `message` dies with the next line
      curl_multi_remove_handle(multi_.get(), easy);
      const auto node = calls_.extract(easy);
      ROTA_CHECK(!node.empty());
      complete(*node.mapped(), result_of(*node.mapped(), code));
    }
  }

  // Through the executor, so that what the caller does next cannot run inside this class.
  void complete(Call& call, HttpResult result) {
    asio::post(executor_, [done = std::move(call.done), result = std::move(result)]() mutable {
      done(std::move(result));
    });
  }

  // Constant after open().
  const CurlLibrary library_;  // first: all below needs it
  const Executor executor_;
  const HeadlessAuthOptions options_;

  // Loop thread only.
  std::shared_ptr<HeaderLines> headers_;
  asio::steady_timer timer_;
  std::unordered_map<curl_socket_t, std::shared_ptr<SocketWatch>> watches_;
  std::unordered_map<CURL*, std::unique_ptr<Call>> calls_;
  MultiPtr multi_;  // null once closed
};

HttpTransport::HttpTransport(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

HttpTransport::~HttpTransport() { loop_->close(); }

Result<std::unique_ptr<HttpTransport>> HttpTransport::create(Executor executor,
                                                             const HeadlessAuthOptions& options) {
  ROTA_ASSIGN(HeadlessAuthOptions checked, check_options(options));
  checked.app_token = nullptr;  // lives on in the header lines only
  if (sodium_init() < 0) return fail(ErrorKind::kIo, "libsodium cannot start: no randomness");
  auto loop = std::make_shared<Loop>(std::move(executor), std::move(checked));
  ROTA_TRY(loop->open());
  std::unique_ptr<HttpTransport> transport(new HttpTransport(std::move(loop)));
  ROTA_TRY(transport->set_app_token(options.app_token));
  return transport;
}

Result<void> HttpTransport::set_app_token(const SecretPtr& token) {
  if (!token || !plausible_token(token->reveal())) {
    return fail(ErrorKind::kInvalid, "the app token is empty or has characters no token has");
  }
  loop_->set_headers(*token);
  return {};
}

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

#include "cli/client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/text.h"
#include "cli/gathered.h"
#include "settings/hidden_values.h"

namespace rota::cli {
namespace {

constexpr long kConnectMillisMax = 5'000;
constexpr long kOk = 200;
constexpr int kLookEveryMillis = 1'000;
constexpr int kQueueRestMillis = 50;

// Whether the queue of the listening socket was full. connect() says EAGAIN then; libcurl takes
// that for a connection in progress, and fails later without an errno.
bool is_queue_full(CURL* curl, CURLcode code) {
  long system_error = 0;
  curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_error);
  return code == CURLE_COULDNT_CONNECT && (system_error == 0 || system_error == EAGAIN);
}

std::string why(CURL* curl, CURLcode code, const Request& request) {
  long system_error = 0;
  curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_error);
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      if (is_queue_full(curl, code)) return "its queue of new connections is full";
      // libcurl's "Could not connect to server" would be the same for a missing daemon and a
      // missing permission.
      return std::generic_category().message(static_cast<int>(system_error));
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("no reply within {}", format_duration(request.timeout));
    default:  // the rest of libcurl's hundred codes: its own words do
      return curl_easy_strerror(code);
  }
}

// What a message says in place of the path: a secret may stand there by mistake (P10).
std::string told(const std::string& socket_path) {
  return may_be_shown(socket_path)
             ? socket_path
             : fmt::format("the given socket {}", in_quotes_unless_secret(socket_path));
}

}  // namespace

Result<std::unique_ptr<UnixClient>> UnixClient::create(std::string socket_path) {
  CURL* curl = curl_easy_init();
  CURLM* multi = curl_multi_init();
  std::unique_ptr<UnixClient> client(new UnixClient(std::move(socket_path), curl, multi));
  if (curl == nullptr || multi == nullptr) return fail(ErrorKind::kBug, "libcurl cannot start");
  return client;
}

UnixClient::UnixClient(std::string socket_path, void* curl, void* multi)
    : socket_path_(std::move(socket_path)), curl_(curl), multi_(multi) {}

UnixClient::~UnixClient() {
  curl_easy_cleanup(curl_);
  curl_multi_cleanup(multi_);
}

// Collects a reply while it comes.
struct UnixClient::Incoming {
  void* curl;
  const Take* take;  // of a stream
  Gathered body{kReplyBytesMax};
  Result<void> taken{};
};

// libcurl's write callback: anything but `count` ends the transfer with CURLE_WRITE_ERROR.
std::size_t UnixClient::receive(char* bytes, std::size_t size, std::size_t count, void* incoming) {
  auto& in = *static_cast<Incoming*>(incoming);
  const std::string_view piece(bytes, size * count);
  long status = 0;
  curl_easy_getinfo(in.curl, CURLINFO_RESPONSE_CODE, &status);
  if (in.take == nullptr || status != kOk) return in.body.add(piece) ? piece.size() : 0;
  in.taken = (*in.take)(piece);
  return in.taken ? piece.size() : 0;
}

Result<void> UnixClient::prepare(const Request& request, Incoming& incoming) {
  const std::string url = "http://localhost" + request.target;
  curl_easy_reset(curl_);
  const auto set = [this](auto option, auto value) {
    return curl_easy_setopt(curl_, option, value) == CURLE_OK;
  };
  // No proxy of the environment may come between us and the daemon.
  bool ready = set(CURLOPT_UNIX_SOCKET_PATH, socket_path_.c_str()) && set(CURLOPT_PROXY, "") &&
               set(CURLOPT_URL, url.c_str()) && set(CURLOPT_PROTOCOLS_STR, "http") &&
               set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1}) &&
               set(CURLOPT_PATH_AS_IS, 1L) && set(CURLOPT_NOSIGNAL, 1L) &&
               set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMillisMax) &&
               set(CURLOPT_WRITEFUNCTION, &receive) && set(CURLOPT_WRITEDATA, &incoming);
  if (incoming.take == nullptr) {
    ready = ready && set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  } else {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(request.timeout);
    ready = ready && set(CURLOPT_LOW_SPEED_LIMIT, 1L) &&
            set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(seconds.count()));
  }
  switch (request.method) {
    case Method::kGet:
      break;
    case Method::kPut:  // as a POST under another name
      ready = ready && set(CURLOPT_CUSTOMREQUEST, "PUT");
      [[fallthrough]];
    case Method::kPost:
      ready = ready && set(CURLOPT_POSTFIELDS, request.body.c_str()) &&
              set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
      break;
    case Method::kDelete:
      ready = ready && set(CURLOPT_CUSTOMREQUEST, "DELETE");
      break;
  }
  if (ready) return {};
  return fail(ErrorKind::kInvalid, fmt::format("{}: not a usable socket path", told(socket_path_)));
}

int UnixClient::transfer(const Request& request) {
  curl_waitfd wake{.fd = request.wake, .events = CURL_WAIT_POLLIN, .revents = 0};
  const unsigned wakes = request.wake < 0 ? 0 : 1;
  int running = 0;
  CURLMcode going = curl_multi_add_handle(multi_, curl_);
  if (going == CURLM_OK) going = curl_multi_perform(multi_, &running);
  while (going == CURLM_OK && running > 0) {
    going = curl_multi_poll(multi_, &wake, wakes, kLookEveryMillis, nullptr);
    if (request.while_waiting) request.while_waiting();
    if (going == CURLM_OK) going = curl_multi_perform(multi_, &running);
  }
  int left = 0;
  const CURLMsg* const end = curl_multi_info_read(multi_, &left);
  const CURLcode code = going == CURLM_OK && end != nullptr ? end->data.result : CURLE_FAILED_INIT;
  curl_multi_remove_handle(multi_, curl_);
  return code;
}

Result<Reply> UnixClient::perform(const Request& request, Incoming& incoming) {
  ROTA_TRY(prepare(request, incoming));
  auto code = static_cast<CURLcode>(transfer(request));
  for (long waited = 0; is_queue_full(curl_, code) && waited < kConnectMillisMax;
       waited += kQueueRestMillis) {
    ::poll(nullptr, 0, kQueueRestMillis);
    code = static_cast<CURLcode>(transfer(request));
  }
  if (code == CURLE_WRITE_ERROR) {
    ROTA_TRY(std::move(incoming.taken));
    return fail(ErrorKind::kFull, fmt::format("{}: the reply is longer than {} bytes",
                                              told(socket_path_), kReplyBytesMax));
  }
  if (code != CURLE_OK) {
    return fail(ErrorKind::kIo, fmt::format("cannot reach rotad at {}: {}", told(socket_path_),
                                            why(curl_, code, request)));
  }
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  return Reply{static_cast<int>(status), incoming.body.take()};
}

Result<Reply> UnixClient::send(const Request& request) {
  Incoming incoming{.curl = curl_, .take = nullptr};
  return perform(request, incoming);
}

Result<Reply> UnixClient::stream(const Request& request, const Take& take) {
  Incoming incoming{.curl = curl_, .take = &take};
  return perform(request, incoming);
}

}  // namespace rota::cli

#include "cli/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace rota::cli {
namespace {

constexpr long kConnectMillisMax = 5'000;

// Where a reply gathers. A growing string would leave pieces of a token in freed memory, so each
// growth wipes what it leaves behind.
class Gathered {
 public:
  Gathered() { text_.reserve(std::size_t{64} << 10U); }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;
  ~Gathered() { wipe(text_); }

  bool add(std::string_view bytes) {
    if (text_.size() + bytes.size() > kReplyBytesMax) return false;
    if (text_.size() + bytes.size() > text_.capacity()) {
      std::string larger;
      larger.reserve(2 * (text_.size() + bytes.size()));
      larger.append(text_);
      std::swap(larger, text_);
      wipe(larger);
    }
    text_.append(bytes);
    return true;
  }
  Secret take() { return Secret::take(std::move(text_)); }

 private:
  std::string text_;
};

// libcurl's write callback: anything but `count` ends the transfer with CURLE_WRITE_ERROR.
std::size_t gather(char* bytes, std::size_t size, std::size_t count, void* gathered) {
  return static_cast<Gathered*>(gathered)->add({bytes, size * count}) ? size * count : 0;
}

std::string why(CURL* curl, CURLcode code, const Request& request) {
  long system_error = 0;
  curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &system_error);
  switch (code) {
    case CURLE_COULDNT_CONNECT:
      // "Could not connect to server" would not tell a missing daemon from a missing right.
      return std::generic_category().message(static_cast<int>(system_error));
    case CURLE_OPERATION_TIMEDOUT:
      return fmt::format("no reply within {}", format_duration(request.timeout));
    default:  // the rest of libcurl's hundred codes: its own words do
      return curl_easy_strerror(code);
  }
}

}  // namespace

Result<std::unique_ptr<UnixClient>> UnixClient::create(std::string socket_path) {
  CURL* curl = curl_easy_init();
  if (curl == nullptr) return fail(ErrorKind::kBug, "libcurl cannot start");
  return std::unique_ptr<UnixClient>(new UnixClient(std::move(socket_path), curl));
}

UnixClient::UnixClient(std::string socket_path, void* curl)
    : socket_path_(std::move(socket_path)), curl_(curl) {}

UnixClient::~UnixClient() { curl_easy_cleanup(curl_); }

Result<Reply> UnixClient::send(const Request& request) {
  Gathered body;
  const std::string url = "http://localhost" + request.target;
  curl_easy_reset(curl_);
  const auto set = [this](auto option, auto value) {
    return curl_easy_setopt(curl_, option, value) == CURLE_OK;
  };
  // A proxy of the environment has no business between us and the daemon.
  bool ready = set(CURLOPT_UNIX_SOCKET_PATH, socket_path_.c_str()) && set(CURLOPT_PROXY, "") &&
               set(CURLOPT_URL, url.c_str()) && set(CURLOPT_PROTOCOLS_STR, "http") &&
               set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1}) &&
               set(CURLOPT_PATH_AS_IS, 1L) && set(CURLOPT_NOSIGNAL, 1L) &&
               set(CURLOPT_CONNECTTIMEOUT_MS, kConnectMillisMax) &&
               set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count())) &&
               set(CURLOPT_WRITEFUNCTION, &gather) && set(CURLOPT_WRITEDATA, &body);
  if (request.method == Method::kPost) {
    ready = ready && set(CURLOPT_POSTFIELDS, "") && set(CURLOPT_POSTFIELDSIZE, 0L);
  }
  if (!ready) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: not a usable socket path", socket_path_));
  }
  const CURLcode code = curl_easy_perform(curl_);
  if (code == CURLE_WRITE_ERROR) {
    return fail(ErrorKind::kFull,
                fmt::format("{}: the reply is longer than {} bytes", socket_path_, kReplyBytesMax));
  }
  if (code != CURLE_OK) {
    return fail(ErrorKind::kIo, fmt::format("cannot reach rotad at {}: {}", socket_path_,
                                            why(curl_, code, request)));
  }
  long status = 0;
  curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
  return Reply{static_cast<int>(status), body.take()};
}

}  // namespace rota::cli

#include "auth/curl_call.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sodium.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "auth/curl_symptom.h"
#include "base/check.h"

namespace rota {
namespace {

constexpr std::string_view kBearer = "Authorization: Bearer ";

// C code calls the callbacks below, and no exception may pass through it: so they are noexcept.

std::size_t on_request_body(char* to, std::size_t size, std::size_t count,
                            void* call_ptr) noexcept {
  auto& call = *static_cast<CurlCall*>(call_ptr);
  const std::string_view rest = call.request.body.reveal().substr(call.body_taken);
  const std::size_t taken = std::min(rest.size(), size * count);
  std::memcpy(to, rest.data(), taken);
  call.body_taken += taken;
  return taken;
}

// libcurl rewinds the body only to send it again over a new connection. We refuse, so the call
// fails instead.
int on_rewind(void*, curl_off_t, int) noexcept { return CURL_SEEKFUNC_FAIL; }

// libcurl calls this once a connection is up, before it sends the request. It calls again if it
// found the first connection dead. Then we end the call, and its caller may make another.
int on_attempt(void* call_ptr, char*, char*, int, int) noexcept {
  return static_cast<CurlCall*>(call_ptr)->attempts++ == 0 ? CURL_PREREQFUNC_OK
                                                           : CURL_PREREQFUNC_ABORT;
}

std::size_t on_header_line(char* data, std::size_t size, std::size_t count, void* call) noexcept {
  const bool taken = static_cast<CurlCall*>(call)->reply.add_header_line({data, size * count});
  return taken ? size * count : 0;
}

std::size_t on_reply_body(char* data, std::size_t size, std::size_t count, void* call) noexcept {
  const bool taken = static_cast<CurlCall*>(call)->reply.add_body({data, size * count});
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

// The number after `words` in a line; 0 if there is none.
std::uint32_t number_after(std::string_view line, std::string_view words) {
  const std::size_t at = line.find(words);
  std::uint32_t number = 0;
  if (at == std::string_view::npos) return number;
  std::from_chars(line.data() + at + words.size(), line.data() + line.size(), number);
  return number;
}

// Whether this is libcurl 7.88, Debian 12's. It says "Connection died" of a connection that died,
// and also of a refused stream on a connection that was used before. If a connection died, it first
// tells one of the calls on it, the one that read from it, what happened.
bool dies_without_a_word_only_when_refused() {
  constexpr unsigned kFirst = 0x075800;
  constexpr unsigned kEnd = 0x075900;
  const unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  return version >= kFirst && version < kEnd;
}

constexpr std::string_view kDied = "Connection died, retrying";

// Whether this line of libcurl means that the server refused the call's stream.
bool is_refusal(const CurlCall& call, std::string_view line) {
  if (line.starts_with("REFUSED_STREAM")) return true;
  const bool silent = !call.remarked && *call.remarks == call.remarks_before;
  return line.starts_with(kDied) && silent && dies_without_a_word_only_when_refused();
}

// libcurl has no error code for a request that the server refused. It wants to send the request
// again, is not allowed to, and fails as for a connection that died. Only its remarks tell the two
// apart: if a connection died, libcurl told at least one call why, before the other calls failed.
// REFUSED_STREAM, and a GOAWAY whose last stream is below this one, mean that nothing was processed
// (RFC 9113, 8.7). Whatever is not clearly one of these stays a doubt.
void take_remark(CurlCall& call, std::string_view line) {
  if (call.refused) return;  // later lines are about another connection
  if (line.starts_with("Using Stream ID: ")) {
    call.stream = number_after(line, "Using Stream ID: ");
    return;
  }
  // The request has not gone out yet, or goes over HTTP/1.1.
  if (call.stream == 0 || line.starts_with("We are completely uploaded")) return;
  if (line.find("HTTP_1_1_REQUIRED") != std::string_view::npos) {
    call.wants_http1 = true;
  } else if (line.find("GOAWAY, error=") != std::string_view::npos) {
    if (call.stream > number_after(line, "last_stream=")) call.refused = true;
    call.remarked = true;  // a GOAWAY ends no connection yet, so it says nothing about other calls
  } else if (is_refusal(call, line)) {
    call.refused = true;
  } else if (!line.starts_with(kDied) && !line.starts_with("Connection #")) {
    // "Connection #0 … left intact" comes after a reply.
    call.remarked = true;
    ++*call.remarks;
  }
}

// Lines of other types hold the bytes that are sent and received. We do not look at them.
int on_debug_line(CURL*, curl_infotype type, char* data, std::size_t size, void* call) noexcept {
  if (type == CURLINFO_TEXT) take_remark(*static_cast<CurlCall*>(call), {data, size});
  return 0;
}

// If the other end acknowledges nothing within the time of a whole call, the connection is dead.
int on_new_socket(void* options, curl_socket_t socket, curlsocktype) noexcept {
  const auto& timeout = static_cast<const HeadlessAuthOptions*>(options)->request_timeout;
  const auto milliseconds = static_cast<unsigned>(timeout.count());
  static_cast<void>(::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds,
                                 sizeof milliseconds));  // may fail: the call has a timeout anyway
  return CURL_SOCKOPT_OK;
}

// Finds out that the other end of a connection is gone even while no call uses it.
void keep_alive(Setter& set, const HeadlessAuthOptions& options) {
  constexpr long kIdleSeconds = 30;
  constexpr long kBetweenSeconds = 10;
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_TCP_KEEPIDLE, kIdleSeconds);
  set(CURLOPT_TCP_KEEPINTVL, kBetweenSeconds);
  set(CURLOPT_SOCKOPTFUNCTION, &on_new_socket);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): libcurl hands it back as it is
  set(CURLOPT_SOCKOPTDATA, const_cast<void*>(static_cast<const void*>(&options)));
}

void trust(Setter& set, const CaFile* ca) {
  constexpr long kSystemStoreSeconds = 60;
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  set(CURLOPT_CA_CACHE_TIMEOUT, kSystemStoreSeconds);
  if (ca == nullptr) return;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast): libcurl only reads it
  auto* const bytes = const_cast<char*>(ca->pem.data());
  curl_blob pem{.data = bytes, .len = ca->pem.size(), .flags = CURL_BLOB_NOCOPY};
  set(CURLOPT_CAINFO_BLOB, &pem);
  set(CURLOPT_CAINFO, static_cast<const char*>(nullptr));
  set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
}

}  // namespace

HeaderLines::HeaderLines(const Secret& app_token)
    : bearer_(sodium_malloc(kBearer.size() + app_token.size() + 1)) {
  ROTA_CHECK(bearer_ != nullptr);  // out of memory
  auto* text = static_cast<char*>(bearer_.get());
  text = std::ranges::copy(kBearer, text).out;
  text = std::ranges::copy(app_token.reveal(), text).out;
  *text = '\0';
  // The empty "Expect:" keeps libcurl from waiting for "100 Continue".
  for (const char* line :
       {"Content-Type: application/json", "Accept: application/json", "Expect:"}) {
    curl_slist* longer = curl_slist_append(others_.get(), line);
    ROTA_CHECK(longer != nullptr);
    static_cast<void>(others_.release());
    others_.reset(longer);
  }
  first_ = {.data = static_cast<char*>(bearer_.get()), .next = others_.get()};
}

void HeaderLines::FreeGuarded::operator()(void* bytes) const { sodium_free(bytes); }

bool prepare(CurlCall& call, const HeadlessAuthOptions& options) {
  const bool https = options.base_url.starts_with("https://");
  Setter set(call.easy.get());
  set(CURLOPT_URL, call.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, https ? "https" : "http");
  set(CURLOPT_HTTP_VERSION,
      call.http1_only ? long{CURL_HTTP_VERSION_1_1} : long{CURL_HTTP_VERSION_2TLS});
  set(CURLOPT_PIPEWAIT,
      https && !call.http1_only ? 1L : 0L);  // wait for an HTTP/2 connection to share
  trust(set, call.ca.get());
  set(CURLOPT_PROXY, "");  // not even a proxy that the environment names
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  set(CURLOPT_NOSIGNAL, 1L);
  // Without this, a call that ends during a lookup of the host name would block the loop until the
  // lookup is over. With it, the lookup's thread ends by itself later.
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
  // The remarks are about HTTP/2 streams, and to write them costs more than all else that libcurl
  // does for a call.
  if (https && !call.http1_only) {
    set(CURLOPT_DEBUGFUNCTION, &on_debug_line);
    set(CURLOPT_DEBUGDATA, static_cast<void*>(&call));
    set(CURLOPT_VERBOSE, 1L);
  }
  keep_alive(set, options);
  return set.all_set();
}

// If libcurl never asked for the body, the call had no effect: no request is whole without its
// body. Any other call may have had its effect.
HttpFailure failure_of(const CurlCall& call, std::string_view why, CURLcode code) {
  return {call.refused          ? TransientReason::kNotProcessed
          : call.body_taken > 0 ? TransientReason::kNoReply
                                : TransientReason::kNotSent,
          fmt::format("{} {}: {}", call.request.method, call.request.path, why),
          {.kind = symptom_of(call.easy.get(), code, call.body_taken > 0)}};
}

HttpResult result_of(CurlCall& call, CURLcode code) {
  if (code == CURLE_OK && !call.reply.head_is_whole()) {
    // If the connection ends within the head, libcurl counts that as the end of the head.
    return std::unexpected(failure_of(call, "the reply's head was cut off"));
  }
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(call.easy.get(), CURLINFO_RESPONSE_CODE, &status);
    HttpReply reply = call.reply.take(static_cast<int>(status));
    reply.bearer = call.app_token;
    return reply;
  }
  std::string why;
  // A server that wants the request over HTTP/1.1 has not carried it out.
  call.refused = call.refused || call.wants_http1;
  if (!call.reply.broken_limit().empty()) {
    why = call.reply.broken_limit();
  } else if (call.wants_http1) {
    why = "the server wants HTTP/1.1";
  } else if (call.refused) {
    why = "the server refused the HTTP/2 stream before it processed anything";
  } else if (call.body_taken == 0) {
    // Nothing was sent, so libcurl's text is about lookup, connection or certificate.
    why = safe_line(call.error_text.data(), SentSecrets({call.app_token}));
  }
  return std::unexpected(failure_of(call, why.empty() ? curl_easy_strerror(code) : why, code));
}

}  // namespace rota

#include "cli/doctor_circle.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <string_view>

#include "auth/ca_file.h"
#include "auth/curl_symptom.h"
#include "base/check.h"
#include "base/text.h"
#include "cli/doctor_machine.h"

namespace rota::cli {
namespace {

constexpr Duration kConnectMax{5'000};
// Such a certificate is renewed long before, so something went wrong with that.
constexpr Duration kCertificateLow = std::chrono::days{3};
constexpr std::size_t kWhyBytesMax = 200;

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

bool is_https(const std::string& base_url) { return base_url.starts_with("https://"); }

// "Mar 20 16:54:47 2024 GMT", as OpenSSL prints it.
std::optional<WallTime> parse_openssl_time(const char* text) {
  std::tm parts{};
  const char* const end = ::strptime(text, "%b %d %H:%M:%S %Y", &parts);
  if (end == nullptr || std::string_view(end) != " GMT") return std::nullopt;
  return WallTime{std::chrono::seconds{::timegm(&parts)}};
}

// Of the first certificate of the chain, which is the server's own.
std::optional<WallTime> certificate_end(CURL* easy) {
  curl_certinfo* chain = nullptr;
  if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == nullptr ||
      chain->num_of_certs < 1) {
    return std::nullopt;
  }
  constexpr std::string_view kName = "Expire date:";
  for (const curl_slist* line = chain->certinfo[0]; line != nullptr; line = line->next) {
    if (std::string_view(line->data).starts_with(kName)) {
      return parse_openssl_time(line->data + kName.size());
    }
  }
  return std::nullopt;
}

std::string remedy_for(Symptom::Kind failure, const std::string& base_url) {
  switch (failure) {
    case Symptom::Kind::kLookup:
      return "mend this machine's DNS, then check: getent hosts " + shell_word(host_of(base_url));
    case Symptom::Kind::kTls:
      return "check ca_file in [upstream], this machine's clock, and what stands in between";
    case Symptom::Kind::kNone:
    case Symptom::Kind::kRefused:
    case Symptom::Kind::kUnreachable:
    case Symptom::Kind::kTimeout:
    case Symptom::Kind::kCutOff:
    case Symptom::Kind::kStatus:
      return is_https(base_url)
                 ? "check this machine's network and firewall: rotad uses no proxy"
                 : "start the server that base_url in [upstream] names, or correct base_url";
  }
  ROTA_CHECK(false);
}

}  // namespace

Connecting connect_to(const std::string& base_url, const std::string& ca_file, Duration limit) {
  const std::unique_ptr<CURL, FreeEasy> easy(curl_easy_init());
  std::array<char, CURL_ERROR_SIZE> words{};
  const auto set = [&easy](auto option, auto value) {
    return curl_easy_setopt(easy.get(), option, value) == CURLE_OK;
  };
  // As rotad's calls have it (auth/curl_call.cc).
  bool ready = easy != nullptr && set(CURLOPT_URL, base_url.c_str()) &&
               set(CURLOPT_PROTOCOLS_STR, is_https(base_url) ? "https" : "http") &&
               set(CURLOPT_PROXY, "") && set(CURLOPT_CONNECT_ONLY, 1L) &&
               set(CURLOPT_NOSIGNAL, 1L) && set(CURLOPT_QUICK_EXIT, 1L) &&
               set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(limit.count())) &&
               set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2}) &&
               set(CURLOPT_CERTINFO, 1L) && set(CURLOPT_ERRORBUFFER, words.data());
  if (!ca_file.empty()) {
    ready = ready && set(CURLOPT_CAINFO, ca_file.c_str()) &&
            set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  if (!ready) return {.failure = Symptom::Kind::kCutOff, .why = "libcurl cannot start"};
  const CURLcode code = curl_easy_perform(easy.get());
  if (code == CURLE_OK) return {.why = {}, .certificate_ends = certificate_end(easy.get())};
  const std::string_view why = words.front() == '\0' ? curl_easy_strerror(code) : words.data();
  return {.failure = symptom_of(easy.get(), code, false),
          .why = shortened(visible(why), kWhyBytesMax)};
}

Finding judge_connecting(const std::string& base_url, const Connecting& seen, WallTime now) {
  const std::string about = "connection";
  const std::string host = host_of(base_url);
  if (seen.failure != Symptom::Kind::kNone) {
    return wrong(
        about,
        fmt::format("no {} to {}{}{}",
                    seen.failure == Symptom::Kind::kTls ? "trusted TLS connection" : "connection",
                    host, seen.why.empty() ? "" : ": ", seen.why),
        remedy_for(seen.failure, base_url));
  }
  if (!is_https(base_url)) return good(about, host + " takes connections");
  if (!seen.certificate_ends) return good(about, host + " has a trusted certificate");
  const Duration left = std::max(*seen.certificate_ends - now, Duration{0});
  const std::string text = fmt::format(
      "{} has a trusted certificate, until {} ({} left)", host,
      format_iso8601(*seen.certificate_ends),
      counted(static_cast<std::size_t>(std::chrono::floor<std::chrono::days>(left).count()), "day",
              "days"));
  if (left >= kCertificateLow) return good(about, text);
  return note(about, text, "it should have been renewed: ask whoever runs that server");
}

Findings look_at_circle(const UpstreamSettings& upstream, WallTime now) {
  Findings findings;
  if (auto name = look_up(upstream.base_url)) findings.push_back(*std::move(name));
  if (!all_well(findings)) return findings;
  if (!upstream.ca_file.empty() && !read_ca_file(upstream.ca_file)) return findings;
  const Duration limit = std::min(upstream.connect_timeout, kConnectMax);
  findings.push_back(judge_connecting(upstream.base_url,
                                      connect_to(upstream.base_url, upstream.ca_file, limit), now));
  return findings;
}

}  // namespace rota::cli

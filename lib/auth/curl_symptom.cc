#include "auth/curl_symptom.h"

#include <curl/curl.h>

#include <cerrno>

namespace rota {

Symptom::Kind symptom_of(void* easy, int curl_code, bool sent) {
  long system_error = 0;
  curl_off_t lookup_micros = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &system_error);
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &lookup_micros);
  switch (static_cast<CURLcode>(curl_code)) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return Symptom::Kind::kLookup;
    case CURLE_COULDNT_CONNECT:
      return system_error == ECONNREFUSED ? Symptom::Kind::kRefused : Symptom::Kind::kUnreachable;
    case CURLE_OPERATION_TIMEDOUT:
      // If the lookup never ended, that was the trouble.
      return sent || lookup_micros > 0 ? Symptom::Kind::kTimeout : Symptom::Kind::kLookup;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
      return Symptom::Kind::kTls;
    default:  // the rest of libcurl's hundred codes
      return Symptom::Kind::kCutOff;
  }
}

}  // namespace rota

#pragma once

#include <cstddef>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "base/time.h"

namespace rota {

// How to reach Circle.
struct HeadlessAuthOptions {
  // https://host[:port][/path], or http:// for a loopback address; see circle/base_url.h.
  std::string base_url = "https://app.circle.so";
  // The community's Headless Auth token. It is sent to base_url's origin and nowhere else.
  SecretPtr app_token;
  // For name lookup, TCP and TLS together; more than 0.
  Duration connect_timeout{5'000};
  // For the whole call, waiting for a free connection included; more than 0.
  Duration request_timeout{15'000};
  // Certificates in PEM that are trusted, and they alone. Empty: the system's store.
  std::string ca_file;
  // Open at once; further calls wait for a free one. At least 1.
  std::size_t connections_max = 16;
};

// The options with base_url without a slash at its end; the app token is not looked at. kInvalid
// for a value that cannot be used, kConfig for a ca_file that cannot be read.
Result<HeadlessAuthOptions> check_options(HeadlessAuthOptions options);

}  // namespace rota

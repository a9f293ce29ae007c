#pragma once

#include <cstddef>
#include <functional>
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
  // For the whole call, including the wait for a free connection; more than 0.
  Duration request_timeout{15'000};
  // Absolute path of a PEM file: only its certificates are trusted. Empty: the system's store.
  std::string ca_file;
  // Called before each reading of ca_file: an error refuses the file. It may block on the disk for
  // a moment. Empty: any file that can be read is good.
  std::function<Result<void>(const std::string& ca_file)> check_ca_file{};
  // How many connections may be open; more calls wait for a free one. At least 1.
  std::size_t connections_max = 16;
};

// Returns the options, with base_url as check_base_url() returns it. kInvalid for a value that
// cannot be used, kConfig for a ca_file that cannot be read. Does not check the app token.
Result<HeadlessAuthOptions> check_options(HeadlessAuthOptions options);

}  // namespace rota

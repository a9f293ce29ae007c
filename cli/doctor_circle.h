#pragma once

#include <optional>
#include <string>

#include "base/time.h"
#include "cli/findings.h"
#include "model/outcome.h"
#include "settings/settings.h"

// What `rota doctor` finds about the way to Circle, as rotad goes it: the name, the connection, and
// the server's certificate. Nothing is asked of Circle itself.
namespace rota::cli {

// How an attempt to connect ended.
struct Connecting {
  Symptom::Kind failure = Symptom::Kind::kNone;  // kNone: it worked
  std::string why;                               // libcurl's words about a failure; may be empty
  // When the server's certificate ends; none: there is none, or it is not known.
  std::optional<WallTime> certificate_ends{};
};
// Looks the host up, connects, and, with https, makes the TLS handshake, all within `limit`. Then
// it closes the connection. `ca_file`: as in the configuration. Blocks.
Connecting connect_to(const std::string& base_url, const std::string& ca_file, Duration limit);
// Pure. `now`: this machine's clock.
Finding judge_connecting(const std::string& base_url, const Connecting& seen, WallTime now);

// All of it. If the name has no address, or ca_file cannot be read, nobody connects. Blocks on the
// resolver, then for a few seconds at most.
Findings look_at_circle(const UpstreamSettings& upstream, WallTime now);

}  // namespace rota::cli

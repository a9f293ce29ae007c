#pragma once

#include <string_view>
#include <variant>

#include "api/bearer_clients.h"
#include "base/enumerators.h"
#include "base/token_digest.h"
#include "http/http_head.h"
#include "http/response.h"

namespace rota {

// Which hosts a request on a listener may be for.
enum class ListenerHosts {
  kLoopback,  // a port: a page may have another name lead here (DNS rebinding)
  kAny,       // a Unix socket, which no browser reaches; clients write any host
};

// What stands at the door of a listener: it knows its clients by their bearer tokens alone.
struct ListenerDoor {
  const BearerClients& clients;  // replaced by a reload; outlives the listener
  ListenerHosts hosts = ListenerHosts::kLoopback;
};

// What a request shows at the door.
struct OpenToAll {};  // it asks for /healthz, for which nobody has to be known
struct ShownToken {   // the bearer token that it shows, whoever has it
  TokenDigest digest;
};
using AtTheDoor = std::variant<OpenToAll, ShownToken, ErrorReply>;

// 403 for a request that a browser's page made, or that another name than the loopback interface's
// led here. 401 without a bearer token, except for /healthz. Pure. Whose token it is has not been
// judged: the caller asks BearerClients, and answers unauthorized() if nobody has it.
AtTheDoor look_at(const RequestHead& head, ListenerHosts hosts);

// Why a listener refused a request, for the log and the counts.
enum class DoorRefusal {
  kNoBearer,       // 401: it showed no bearer token
  kUnknownBearer,  // 401: it showed one that no client has, or on a connection in use by another
  kForeign,        // 403: of a browser, or for another host
  kTooMany,        // 503: its client has too many connections
};
inline constexpr auto kDoorRefusals = enumerators_from<DoorRefusal::kNoBearer>();

// The 401, in Circle's words. The connection ends after it.
ErrorReply unauthorized();

// Whether the host of a request is "localhost" or an address of the loopback interface, with any
// port or none. No host is fine: a browser always sends one.
bool is_loopback_host(std::string_view host);

}  // namespace rota

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/services.h"
#include "http/response.h"

namespace rota {

// A reply without a token.
using PlainReply = std::variant<JsonReply, EmptyReply, ErrorReply>;

// How the answer to a request about one member looks.
enum class TokenShape {
  kToken,          // of GET /v1/token
  kPair,           // of Circle's auth_token: with a handle
  kRefreshed,      // of Circle's access_token/refresh
  kAuthorization,  // 204 with the token in a header, 401 or 403: for nginx's auth_request
  kMember,         // 201, 200 or 202 with what the member is: an enrolment
};

// The parts of a fetch that are judged again when its reply is written.
struct Asked {
  MemberKey key;  // the name that led to the member
  bool strict = false;
  std::optional<Duration> min_ttl{};
  TokenShape shape = TokenShape::kToken;
  // Only for Circle's shapes: in whose name the client asks, and whether it is only a guess that
  // Circle refused the present token, so that this one is better than none.
  std::string holder{};
  bool refusal_is_guess = false;
};

// The table's token, alive at `circle_now`. `row` belongs to the table: use it before the loop's
// next event.
struct TokenReply {
  const Published* row = nullptr;
  WallTime circle_now;
  Asked asked;
};

// The session should wait for the token service to answer this request.
struct WaitReply {
  WaitRequest request;
  Asked asked;
  // Not none: if Circle has nobody of the name that is to be enrolled, this one is enrolled
  // instead.
  std::optional<MemberKey> or_enrol{};
};

// A reply that comes later. The session calls `start` once. `start` calls the function that it is
// given once, later, on the loop thread, and never from inside itself. This cannot be cancelled: an
// operator's order stands even if the client hangs up.
struct LaterReply {
  std::move_only_function<void(std::move_only_function<void(PlainReply)>)> start;
};

// The connection becomes a stream of events (watch_stream.h) about these keys; empty: all members.
struct WatchReply {
  std::vector<MemberKey> keys;
};

// How one request is answered.
using Answer = std::variant<TokenReply, WaitReply, WatchReply, JsonReply, EmptyReply, MetricsReply,
                            ErrorReply, LaterReply>;

// How a wait is answered when it ends.
using TokenOutcome = std::variant<TokenReply, JsonReply, ErrorReply>;

}  // namespace rota

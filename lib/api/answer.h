#pragma once

#include <functional>
#include <optional>
#include <variant>
#include <vector>

#include "api/services.h"
#include "http/response.h"

namespace rota {

// A reply without a token.
using PlainReply = std::variant<JsonReply, ErrorReply>;

// What a fetch asked for, as far as it is judged again when its reply is written.
struct Asked {
  MemberKey key;  // the name that led to the member
  bool strict = false;
  std::optional<Duration> min_ttl{};
};

// The token that the table holds, alive at `circle_now`. `row` is the table's: use it before the
// loop goes on.
struct TokenReply {
  const Published* row = nullptr;
  WallTime circle_now;
  Asked asked;
};

// The token service is to be waited for.
struct WaitReply {
  WaitRequest request;
  Asked asked;
};

// A reply that comes later: `start` is called once, and calls what it is given once, never from
// inside itself. It cannot be cancelled: an operator's order stands although the client hung up.
struct LaterReply {
  std::move_only_function<void(std::move_only_function<void(PlainReply)>)> start;
};

// The connection becomes a stream of events (watch_stream.h) about these; none stands for all.
struct WatchReply {
  std::vector<MemberKey> keys;
};

// What is to be done about one request.
using Answer = std::variant<TokenReply, WaitReply, WatchReply, JsonReply, MetricsReply, ErrorReply,
                            LaterReply>;

// What a wait ends with.
using TokenOutcome = std::variant<TokenReply, ErrorReply>;

}  // namespace rota

#pragma once

#include <string_view>

#include "http/buffer.h"
#include "http/response.h"
#include "model/member_key.h"
#include "table/table.h"

namespace rota {

// What GET /v1/watch says, as the HTML standard has Server-Sent Events:
//
//   reply     = head *( event | heartbeat )       ; ends with the connection
//   event     = "event: " ( "token" | "retired" ) LF "data: " json LF LF
//   heartbeat = ":" LF LF
//
// The data of a token is the 200 body of GET /v1/token, that of a retired one the body of an
// error's code and message; each with the member's key in front: {"member":"id:42",…}.

// X-Accel-Buffering keeps nginx from holding events back until it has a buffer full.
void append_stream_head(Buffer& out);
// The row must have a body.
void append_token_event(Buffer& out, const MemberKey& member, const Published& row);
void append_retired_event(Buffer& out, const MemberKey& member, ErrorCode why);
// Seen by nobody but the peer's kernel: a peer that is gone is noticed, and no proxy loses
// patience.
void append_heartbeat(Buffer& out);

}  // namespace rota

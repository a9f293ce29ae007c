#pragma once

#include <string_view>

#include "http/buffer.h"
#include "http/response.h"
#include "model/member_key.h"
#include "table/table.h"

namespace rota {

// The reply to GET /v1/watch, as Server-Sent Events (HTML standard):
//
//   reply     = head *( event | heartbeat )       ; ends with the connection
//   event     = "event: " ( "token" | "retired" | "signed_out" ) LF "data: " json LF LF
//   heartbeat = ":" LF LF
//
// The data of a token event is the 200 body of GET /v1/token. The data of a retired event is the
// code and message of the error that GET /v1/token would answer; that of a signed_out event is its
// own code and message. All begin with the member's key, {"member":"id:42",…}.

// Its X-Accel-Buffering keeps nginx from holding events back until it has a full buffer.
void append_stream_head(Buffer& out);
// Aborts if the row has no body.
void append_token_event(Buffer& out, const MemberKey& member, const Published& row);
void append_retired_event(Buffer& out, const MemberKey& member, ErrorCode why);
void append_signed_out_event(Buffer& out, const MemberKey& member);
// Clients ignore it. It shows us that a peer is gone, and keeps proxies from closing a quiet
// connection.
void append_heartbeat(Buffer& out);

}  // namespace rota

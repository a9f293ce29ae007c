#pragma once

#include "base/secret.h"
#include "base/time.h"
#include "http/buffer.h"
#include "http/response.h"
#include "table/table.h"

namespace rota {

// The 200s of Circle's own routes, with its fields in its order and the header lines of
// append_token(). Each aborts unless the row has a token that expires after `circle_now`.
//
//   {"access_token":"…","refresh_token":"…","access_token_expires_at":"2024-03-20T16:54:47.274Z",
//    "refresh_token_expires_at":"…","community_member_id":42,"community_id":1}
void append_pair(Buffer& out, const Published& row, WallTime circle_now,
                 const Secret& refresh_token, WallTime refresh_expires_at, ReplyForm form);
//   {"access_token":"…","access_token_expires_at":"…"}
void append_refreshed(Buffer& out, const Published& row, WallTime circle_now, ReplyForm form);

}  // namespace rota

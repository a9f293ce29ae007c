#pragma once

#include "model/record.h"

namespace rota {

// The access token that clients may be given for this member; null: none. A member has one only
// while it is active and each of its names is known to lead to it (P13). Whether the token is still
// alive, and good enough for a client, is for the caller to judge. Valid until the record's tokens
// change. Pure.
const Token* servable(const MemberRecord& record);

}  // namespace rota

#pragma once

#include <optional>
#include <string_view>

#include "model/member_key.h"

namespace rota {

// Whose access token this says it is: the claim "community_member_id" of a JWT. Its signature is
// not checked, since only Circle has the key: good for a look-up, never for a right. Nullopt if the
// text is no such token. Takes any bytes, and leaves no copy of them behind.
std::optional<MemberKey> member_in_token(std::string_view token);

}  // namespace rota

#pragma once

#include <string_view>

#include "base/secret.h"
#include "model/member_key.h"
#include "model/outcome.h"

namespace rota {

// One of the four calls to Circle.
struct AuthRequest {
  CallKind kind = CallKind::kIssue;
  MemberKey member;  // only for kIssue
  SecretPtr token;   // for the other kinds: the refresh or access token that the call is about
};

}  // namespace rota

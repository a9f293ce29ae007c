#pragma once

#include <functional>
#include <string>

#include "base/secret.h"
#include "settings/settings.h"

namespace rota::cli {

enum class TokenVerdict {
  kTaken,    // Circle knows the app token
  kRefused,  // it does not, or not for what Rota does: another token is needed
  kUnknown,  // nobody said: no connection, a pause, or what answered is not Circle
};

struct TokenCheck {
  TokenVerdict verdict = TokenVerdict::kUnknown;
  std::string text;  // what was seen and what it means, in one line; no secret in it
};

// Asks Circle whether it takes the app token, by refreshing a token that does not exist: whatever
// the reply, this issues and revokes nothing. Blocks for request_timeout at most.
TokenCheck check_app_token(const UpstreamSettings& upstream, const SecretPtr& app_token);
// Tests answer in its place.
using CheckAppToken = std::function<TokenCheck(const UpstreamSettings&, const SecretPtr&)>;

// What is to be said of a base_url that is not Circle's own; empty if it is.
std::string describe_base_url(const std::string& base_url);

// What a refusal means, for a message about one.
inline constexpr const char* kWhichAppToken =
    "Rota needs the community's Headless Auth token (Circle: Settings, Developers, Tokens); an "
    "Admin API token from the same page is refused";

}  // namespace rota::cli

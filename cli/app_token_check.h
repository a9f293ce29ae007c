#pragma once

#include <functional>
#include <string>

#include "base/secret.h"
#include "cli/findings.h"
#include "settings/settings.h"

namespace rota::cli {

enum class TokenVerdict {
  kTaken,      // Circle accepts the app token
  kRefused,    // Circle refuses it, or refuses it for the Headless Auth API: another one is needed
  kNotCircle,  // the server's reply cannot be Circle's
  kUnknown,    // not known: no connection, a pause, or an error of the server
};

struct TokenCheck {
  TokenVerdict verdict = TokenVerdict::kUnknown;
  std::string text;  // what was seen and what it means, in one line; never has a secret
};

// Asks Circle whether it accepts the app token, by refreshing a token that does not exist: whatever
// the reply, that issues and revokes nothing. Blocks, for at most request_timeout.
TokenCheck check_app_token(const UpstreamSettings& upstream, const SecretPtr& app_token);
// What `rota doctor` finds by it.
Finding finding_of(const TokenCheck& check);
// Tests answer in its place.
using CheckAppToken = std::function<TokenCheck(const UpstreamSettings&, const SecretPtr&)>;

// Whether the text is an access token of a member, which somebody took for the app token. An Admin
// API token cannot be told by its text: Circle refuses it.
bool is_a_members_token(const Secret& app_token);

// A sentence about a base_url that is not Circle's own; empty: it is.
std::string describe_base_url(const std::string& base_url);

// For a message about a refusal: which token Rota needs.
inline constexpr const char* kWhichAppToken =
    "Rota needs the community's Headless Auth token (Circle: Settings, Developers, Tokens); an "
    "Admin API token from the same page is refused";

}  // namespace rota::cli

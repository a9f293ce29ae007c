#include "cli/app_token_check.h"

#include <fmt/format.h>

#include "auth/blocking_headless_auth_client.h"
#include "base/check.h"
#include "circle/base_url.h"
#include "circle/token_claims.h"
#include "settings/hidden_values.h"

namespace rota::cli {
namespace {

// Circle never issued this token.
constexpr std::string_view kNoSuchToken = "rota-asks-whether-the-app-token-is-good";

TokenCheck judge(const AuthFailure& failure, const std::string& url) {
  switch (failure.kind) {
    case AuthFailureKind::kRefreshTokenDead:
      return {TokenVerdict::kTaken, fmt::format("{} accepts the app token", url)};
    case AuthFailureKind::kAppTokenRefused:
      return {TokenVerdict::kRefused,
              fmt::format("{} refuses the app token (401). {}", url, kWhichAppToken)};
    case AuthFailureKind::kNotEligible:
      return {TokenVerdict::kRefused,
              fmt::format("{} refuses the community (403): its plan has no headless access, or the "
                          "token is not a Headless Auth token",
                          url)};
    case AuthFailureKind::kUnclearReply:
      // A proxy in front of Circle may say so in its own words.
      if (failure.status >= 500) {
        return {TokenVerdict::kUnknown,
                fmt::format("{} cannot say right now whether it accepts the app token (it answers "
                            "{})",
                            url, failure.status)};
      }
      return {TokenVerdict::kNotCircle,
              fmt::format("the server at {} does not speak Circle's Headless Auth API (it answers "
                          "with HTML, or with JSON of another kind): check base_url in [upstream], "
                          "and any proxy in between",
                          url)};
    case AuthFailureKind::kThrottled:
    case AuthFailureKind::kServerError:
      return {TokenVerdict::kUnknown,
              fmt::format("{} cannot say right now whether it accepts the app token ({})", url,
                          name_of(failure.kind))};
    case AuthFailureKind::kInvalidArgument:
    case AuthFailureKind::kMemberUnknown:
    case AuthFailureKind::kNotSent:
    case AuthFailureKind::kNoReply:
      return {TokenVerdict::kUnknown,
              fmt::format("could not ask {} whether it accepts the app token ({})", url,
                          failure.message)};
  }
  ROTA_CHECK(false);
}

}  // namespace

TokenCheck check_app_token(const UpstreamSettings& upstream, const SecretPtr& app_token) {
  HeadlessAuthOptions options;
  options.base_url = upstream.base_url;
  options.app_token = app_token;
  options.connect_timeout = upstream.connect_timeout;
  options.request_timeout = upstream.request_timeout;
  options.ca_file = upstream.ca_file;
  auto client = BlockingHeadlessAuthClient::create(options);
  if (!client) return {TokenVerdict::kUnknown, client.error().message};
  const auto reply = (*client)->member_api_token_from_refresh_token(make_secret(kNoSuchToken));
  if (reply) {
    return {
        TokenVerdict::kNotCircle,
        fmt::format("the server at {} refreshed a token that does not exist, so it is not Circle",
                    shown_base_url(upstream.base_url))};
  }
  return judge(reply.error(), shown_base_url(upstream.base_url));
}

Finding finding_of(const TokenCheck& check) {
  switch (check.verdict) {
    case TokenVerdict::kTaken:
      return good("app token", check.text);
    case TokenVerdict::kRefused:
      return wrong("app token", check.text, "replace it with rota setup");
    case TokenVerdict::kNotCircle:
      return wrong("app token", check.text, "correct base_url in [upstream]");
    case TokenVerdict::kUnknown:
      return note("app token", check.text);
  }
  ROTA_CHECK(false);
}

bool is_a_members_token(const Secret& app_token) {
  return member_in_token(app_token.reveal()).has_value();
}

std::string describe_base_url(const std::string& base_url) {
  if (base_url == UpstreamSettings{}.base_url) return {};
  const bool stands_in = base_url.starts_with("http://");  // only loopback addresses may have that
  return fmt::format(
      "base_url is {} instead of {}{}", shown_base_url(base_url), UpstreamSettings{}.base_url,
      stands_in ? ": a stand-in on this machine, and Circle does not accept its tokens" : "");
}

}  // namespace rota::cli

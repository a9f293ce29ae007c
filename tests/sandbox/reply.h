#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rota::sandbox {

// How a reply goes out; everything but kPlain and kChunked is a fault.
enum class Delivery : std::uint8_t {
  kPlain,    // with Content-Length
  kChunked,  // the same body in chunks
  kHuge,     // a body that goes on for kHugeBodyBytes, chunked, then a close
  kHang,     // no byte at all until the client goes
  kDrop,     // a close without a byte
};

inline constexpr std::string_view kJsonType = "application/json; charset=utf-8";
inline constexpr std::string_view kHtmlType = "text/html";

struct Reply {
  int status = 200;
  std::string body;
  std::string content_type{kJsonType};  // empty: the header is left out
  std::vector<std::pair<std::string, std::string>> headers;
  Delivery delivery = Delivery::kPlain;
};

Reply json_reply(int status, std::string body);
Reply html_reply(int status, std::string_view title);
Reply no_content();

// Circle's error body. `detail` becomes error_details.message; empty leaves error_details {}.
Reply error_reply(int status, std::string_view message, std::string_view detail = {});

// Circle's own words, letter by letter from its OpenAPI description.
namespace message {
inline constexpr std::string_view kUnauthorized = "Your account could not be authenticated.";
inline constexpr std::string_view kNotEligible =
    "Your community isn't eligible for headless API access. Please upgrade or contact support";
inline constexpr std::string_view kMemberNotFound =
    "Community member not found. Please provide a valid SSO User ID, community member ID, or "
    "email.";
inline constexpr std::string_view kIssueFailed =
    "There was an error creating the token. Please contact support.";
inline constexpr std::string_view kRefreshTokenNotFound = "Refresh token not found.";
inline constexpr std::string_view kRefreshTokenExpired =
    "The refresh token is expired. Please generate/get new auth token.";
inline constexpr std::string_view kRefreshTokenInvalid = "Invalid refresh token.";
inline constexpr std::string_view kRefreshFailed =
    "The access token generation failed. Please contact support.";
inline constexpr std::string_view kRevokeRefreshFailed = "Failed to revoke the refresh token.";
inline constexpr std::string_view kAccessTokenInvalid = "The access token is invalid.";
inline constexpr std::string_view kAccessTokenExpired = "The access token is expired.";
inline constexpr std::string_view kAccessTokenNotFound = "The access token not found.";
inline constexpr std::string_view kTokenCommunityNotFound =
    "Community associated with the access token not found.";
inline constexpr std::string_view kTokenMemberNotFound =
    "Community member associated with the access token not found.";
inline constexpr std::string_view kMissingParameter =
    "Oops! Missing parameter. Please try again later.";
// The OpenAPI is silent on these; the words are the sandbox's.
inline constexpr std::string_view kThrottled = "Too many requests. Please try again later.";
inline constexpr std::string_view kBadRequest = "Bad request.";
inline constexpr std::string_view kNoRoute = "Not found.";
inline constexpr std::string_view kServerError = "Internal server error.";
}  // namespace message

}  // namespace rota::sandbox

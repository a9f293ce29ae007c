#pragma once

#include "http/response.h"

namespace rota {

// Circle's own errors, as its OpenAPI description words them: what programs that were written for
// Circle's API may compare.
inline constexpr CircleError kCircleMemberNotFound{
    .status = 404,
    .reason = "Not Found",
    .message =
        "Community member not found. Please provide a valid SSO User ID, community member "
        "ID, or email."};
inline constexpr CircleError kCircleRefreshTokenNotFound{
    .status = 404, .reason = "Not Found", .message = "Refresh token not found."};
inline constexpr CircleError kCircleRefreshTokenInvalid{
    .status = 404, .reason = "Not Found", .message = "Invalid refresh token."};
inline constexpr CircleError kCircleRefreshTokenExpired{
    .status = 401,
    .reason = "Unauthorized",
    .message = "The refresh token is expired. Please generate/get new auth token."};
inline constexpr CircleError kCircleRefreshTokenMissing{
    .status = 404,
    .reason = "Not Found",
    .message = "Oops! Missing parameter. Please try again later.",
    .details = R"({"message":"Missing parameter: refresh_token"})"};
inline constexpr CircleError kCircleAccessTokenNotFound{
    .status = 422, .reason = "Unprocessable Content", .message = "The access token not found."};
inline constexpr CircleError kCircleAccessTokenInvalid{
    .status = 422, .reason = "Unprocessable Content", .message = "The access token is invalid."};
inline constexpr CircleError kCircleAccessTokenMissing{
    .status = 404,
    .reason = "Not Found",
    .message = "Oops! Missing parameter. Please try again later.",
    .details = R"({"message":"Missing parameter: access_token"})"};
inline constexpr CircleError kCircleNotEligible{
    .status = 403,
    .reason = "Forbidden",
    .message =
        "Your community isn't eligible for headless API access. Please upgrade or contact support"};

// An error of ours in Circle's words.
inline ErrorReply circle_error(ErrorCode code, const CircleError& words) {
  ErrorReply reply = error_reply(code);
  reply.circle = &words;
  return reply;
}

}  // namespace rota

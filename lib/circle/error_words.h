#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "circle/reply_fields.h"

namespace rota {

// Circle's error messages that decide something. They are compared byte by byte. Some may be
// followed by advice ("Please …"), which is not compared.
enum class ErrorWords {
  kAccountNotAuthenticated,  // the app token
  kCommunityNotEligible,
  kMemberNotFound,
  kRefreshTokenNotFound,
  kRefreshTokenExpired,
  kRefreshTokenInvalid,  // not of a token's type: our request was wrong
  kMissingParameter,     // our request was wrong
  kAccessTokenInvalid,
  kAccessTokenExpired,
  kAccessTokenNotFound,  // also what Circle says of a revoked one
  kAccessTokenCommunityNotFound,
  kAccessTokenMemberNotFound,
  kIssueFailed,  // Circle could not do it for this member or token
  kRefreshFailed,
  kRevokeRefreshFailed,
  kUnknown,  // any other words, in Circle's error shape
};

// Whether these words are about one token, one member or one request, so that they say nothing
// about other calls (P8). The status matters only for words that just say that something failed:
// with 422 they are about this call, and with a 5xx about Circle.
bool about_one(ErrorWords words, int status);

// The words of a reply. Nullopt if it is not an error in Circle's shape: an object with a
// "message", in which "success" is false or missing.
std::optional<ErrorWords> error_words_of(const std::optional<ReplyFields>& fields);

}  // namespace rota

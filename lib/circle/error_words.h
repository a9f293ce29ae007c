#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "circle/reply_fields.h"

namespace rota {

// Circle's error messages as far as they decide something. Compared byte by byte, apart from the
// advice that follows some of them ("Please …"), which is not part of the verdict.
enum class ErrorWords {
  kAccountNotAuthenticated,  // the app token
  kCommunityNotEligible,
  kMemberNotFound,
  kRefreshTokenNotFound,
  kRefreshTokenExpired,
  kRefreshTokenInvalid,  // of a wrong type: our request was wrong
  kMissingParameter,     // our request was wrong
  kAccessTokenInvalid,
  kAccessTokenExpired,
  kAccessTokenNotFound,  // revoked
  kAccessTokenCommunityNotFound,
  kAccessTokenMemberNotFound,
  kIssueFailed,  // Circle could not do it for this member or token
  kRefreshFailed,
  kRevokeRefreshFailed,
  kUnknown,  // Circle's error shape, other words
};

// Whether these words are about one token, one member or one request, and so say nothing about any
// other call (P8), whatever the status and the endpoint. Words that only say that something failed
// mean that with status 422; with a 5xx they are Circle's own trouble.
bool about_one(ErrorWords words, int status);

// Nothing when the reply is not an error in Circle's shape: an object with a message, and with
// "success" false where it is there at all.
std::optional<ErrorWords> error_words_of(const std::optional<ReplyFields>& fields);

}  // namespace rota

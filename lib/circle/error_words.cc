#include "circle/error_words.h"

#include <array>

#include "base/check.h"

namespace rota {
namespace {

struct Known {
  std::string_view verdict;
  bool advice_may_follow;
  ErrorWords words;
};
constexpr std::array<Known, 15> kKnown{{
    {"Your account could not be authenticated.", false, ErrorWords::kAccountNotAuthenticated},
    {"Your community isn't eligible for headless API access.", true,
     ErrorWords::kCommunityNotEligible},
    {"Community member not found.", true, ErrorWords::kMemberNotFound},
    {"Refresh token not found.", false, ErrorWords::kRefreshTokenNotFound},
    {"The refresh token is expired.", true, ErrorWords::kRefreshTokenExpired},
    {"Invalid refresh token.", false, ErrorWords::kRefreshTokenInvalid},
    {"Oops! Missing parameter.", true, ErrorWords::kMissingParameter},
    {"The access token is invalid.", false, ErrorWords::kAccessTokenInvalid},
    {"The access token is expired.", false, ErrorWords::kAccessTokenExpired},
    {"The access token not found.", false, ErrorWords::kAccessTokenNotFound},
    {"Community associated with the access token not found.", false,
     ErrorWords::kAccessTokenCommunityNotFound},
    {"Community member associated with the access token not found.", false,
     ErrorWords::kAccessTokenMemberNotFound},
    {"There was an error creating the token.", true, ErrorWords::kIssueFailed},
    {"The access token generation failed.", true, ErrorWords::kRefreshFailed},
    {"Failed to revoke the refresh token.", false, ErrorWords::kRevokeRefreshFailed},
}};

bool says(std::string_view message, const Known& known) {
  if (!message.starts_with(known.verdict)) return false;
  const std::string_view rest = message.substr(known.verdict.size());
  return rest.empty() || (known.advice_may_follow && rest.starts_with(" Please "));
}

}  // namespace

std::optional<ErrorWords> error_words_of(const std::optional<ReplyFields>& fields) {
  if (!fields || !fields->message || fields->success.value_or(false)) return std::nullopt;
  for (const Known& known : kKnown) {
    if (says(*fields->message, known)) return known.words;
  }
  return ErrorWords::kUnknown;
}

bool about_one(ErrorWords words, int status) {
  switch (words) {
    case ErrorWords::kMemberNotFound:
    case ErrorWords::kRefreshTokenNotFound:
    case ErrorWords::kRefreshTokenExpired:
    case ErrorWords::kRefreshTokenInvalid:
    case ErrorWords::kMissingParameter:
    case ErrorWords::kAccessTokenInvalid:
    case ErrorWords::kAccessTokenExpired:
    case ErrorWords::kAccessTokenNotFound:
    case ErrorWords::kAccessTokenCommunityNotFound:
    case ErrorWords::kAccessTokenMemberNotFound:
      return true;
    case ErrorWords::kIssueFailed:
    case ErrorWords::kRefreshFailed:
    case ErrorWords::kRevokeRefreshFailed:
      return status == 422;
    case ErrorWords::kAccountNotAuthenticated:
    case ErrorWords::kCommunityNotEligible:
    case ErrorWords::kUnknown:
      return false;
  }
  ROTA_CHECK(false);
}

}  // namespace rota

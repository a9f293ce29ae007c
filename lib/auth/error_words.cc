#include "auth/error_words.h"

#include <array>

namespace rota {
namespace {

struct Known {
  std::string_view verdict;
  bool advice_may_follow;
  ErrorWords words;
};
constexpr std::array<Known, 12> kKnown{{
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
}};

bool says(std::string_view message, const Known& known) {
  if (!message.starts_with(known.verdict)) return false;
  const std::string_view rest = message.substr(known.verdict.size());
  return rest.empty() || (known.advice_may_follow && rest.starts_with(" Please "));
}

constexpr std::size_t kExcerptCharsMax = 200;
constexpr std::size_t kWordCharsMax = 24;  // the shortest token seen is a refresh token of 43

}  // namespace

std::optional<ErrorWords> error_words_of(const std::optional<ReplyFields>& fields) {
  if (!fields || !fields->message || fields->success.value_or(false)) return std::nullopt;
  for (const Known& known : kKnown) {
    if (says(*fields->message, known)) return known.words;
  }
  return ErrorWords::kUnknown;
}

std::string safe_excerpt(std::string_view text) {
  std::string excerpt;
  while (!text.empty() && excerpt.size() < kExcerptCharsMax) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > kWordCharsMax) {
      excerpt.append("[...]");
    } else {
      for (const char c : text.substr(0, end)) excerpt.push_back(c > ' ' && c <= '~' ? c : '?');
    }
    if (end < text.size()) excerpt.push_back(' ');
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  excerpt.resize(std::min(excerpt.size(), kExcerptCharsMax));
  return excerpt;
}

}  // namespace rota

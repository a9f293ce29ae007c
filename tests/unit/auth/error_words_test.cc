#include "auth/error_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/auth/replies.h"

namespace rota {
namespace {

std::optional<ErrorWords> words_in(std::string_view body) {
  return error_words_of(read_reply_fields(body));
}

TEST(ErrorWords, AreReadFromCirclesErrorShapeOnly) {
  EXPECT_EQ(words_in(replies::error_json("Refresh token not found.")),
            ErrorWords::kRefreshTokenNotFound);
  EXPECT_EQ(words_in(R"({"message":"  Refresh token not found.\n"})"),
            ErrorWords::kRefreshTokenNotFound);
  EXPECT_EQ(words_in(R"({"success":true,"message":"Refresh token not found."})"), std::nullopt);
  EXPECT_EQ(words_in(R"({"success":false,"message":["Refresh token not found."]})"), std::nullopt);
  EXPECT_EQ(words_in(R"({"success":false})"), std::nullopt);
  EXPECT_EQ(words_in(R"(["Refresh token not found."])"), std::nullopt);
  EXPECT_EQ(words_in("Refresh token not found."), std::nullopt);
  EXPECT_EQ(words_in(""), std::nullopt);
}

TEST(ErrorWords, AreComparedByteByByteApartFromAdvice) {
  const auto words = [](std::string_view message) {
    return words_in(replies::error_json(message));
  };
  EXPECT_EQ(words("Community member not found."), ErrorWords::kMemberNotFound);
  EXPECT_EQ(words("Community member not found. Please look elsewhere."),
            ErrorWords::kMemberNotFound);
  EXPECT_EQ(words("Community member not found"), ErrorWords::kUnknown);
  EXPECT_EQ(words("Community member not found. It is on holiday."), ErrorWords::kUnknown);
  EXPECT_EQ(words("community member not found."), ErrorWords::kUnknown);
  EXPECT_EQ(words("Refresh token not found. Please try again."), ErrorWords::kUnknown);
  EXPECT_EQ(words("Error: Refresh token not found."), ErrorWords::kUnknown);
  EXPECT_EQ(words(""), ErrorWords::kUnknown);
}

TEST(ErrorWords, DeeplyNestedJsonIsNotRead) {
  const auto nested = [](std::size_t depth) {
    return R"({"message":"x","error_details":)" + std::string(depth, '[') +
           std::string(depth, ']') + "}";
  };
  EXPECT_EQ(words_in(nested(3)), ErrorWords::kUnknown);
  EXPECT_EQ(words_in(nested(100)), std::nullopt);
  EXPECT_EQ(words_in(nested(100'000)), std::nullopt);
}

TEST(SafeExcerpt, IsOneShortPrintableLineWithoutAToken) {
  EXPECT_EQ(safe_excerpt("Oops! Missing parameter."), "Oops! Missing parameter.");
  EXPECT_EQ(safe_excerpt("a\nb\tc\x7f\xc3\xa9"), "a?b?c???");
  EXPECT_EQ(safe_excerpt(""), "");
  const std::string with_token = "Token " + std::string(replies::kRefresh) + " is bad";
  EXPECT_EQ(safe_excerpt(with_token), "Token [...] is bad");
  std::string words;
  while (words.size() < 1000) words += "word ";
  EXPECT_EQ(safe_excerpt(words), words.substr(0, 200));
}

}  // namespace
}  // namespace rota

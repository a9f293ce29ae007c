#include "circle/error_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/circle/replies.h"

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

}  // namespace
}  // namespace rota

#include "circle/retry_after.h"

#include <gtest/gtest.h>

#include "circle/classify.h"

namespace rota {
namespace {

using std::chrono::seconds;

const WallTime kNow = *parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT");

TEST(RetryAfter, ReadsSecondsAndDates) {
  EXPECT_EQ(parse_retry_after("1", kNow), seconds{1});
  EXPECT_EQ(parse_retry_after(" 120 ", kNow), seconds{120});
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 08:49:38 GMT", kNow), seconds{1});
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 09:49:37 GMT", kNow), kRetryAfterMax);
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:38 GMT", kNow), seconds{1});
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-94 08:49:37 GMT", kNow), std::nullopt);
  EXPECT_EQ(parse_retry_after("Sunday, 06-Nov-1994 08:49:38 GMT", kNow), std::nullopt);
}

TEST(RetryAfter, IsAtMostAnHour) {
  EXPECT_EQ(parse_retry_after("3599", kNow), seconds{3599});
  EXPECT_EQ(parse_retry_after("3601", kNow), kRetryAfterMax);
  EXPECT_EQ(parse_retry_after("99999999999999999999999999999999999", kNow), kRetryAfterMax);
  EXPECT_EQ(parse_retry_after("Sun, 06 Nov 1994 09:49:38 GMT", kNow), kRetryAfterMax);
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 9999 23:59:59 GMT", kNow), kRetryAfterMax);
}

TEST(RetryAfter, IsNothingWhenItAsksForNoPause) {
  for (const char* text :
       {"", "0", "000", "-1", "+1", "1.5", "1s", "soon", "1 2", "0x10", "Sun, 06 Nov 1994",
        "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT"}) {
    EXPECT_EQ(parse_retry_after(text, kNow), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace rota

#include "base/time.h"

#include <gmock/gmock.h>

#include <array>

namespace rota {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;

TEST(Duration, ReadsAWholeNumberAndAUnit) {
  struct Row {
    std::string_view text;
    Duration value;
  };
  constexpr std::array kRows{
      Row{"0s", Duration{0}},
      Row{"0ms", Duration{0}},
      Row{"1ms", Duration{1}},
      Row{"500ms", Duration{500}},
      Row{"2s", seconds{2}},
      Row{"10m", minutes{10}},
      Row{"3h", hours{3}},
      Row{"3d", days{3}},
      Row{"007s", seconds{7}},
      Row{"36500d", days{36'500}},
      Row{"3153600000s", days{36'500}},
      Row{"3153600000000ms", days{36'500}},
  };
  for (const Row& row : kRows) {
    const auto parsed = parse_duration(row.text);
    ASSERT_TRUE(parsed) << row.text << ": " << parsed.error().message;
    EXPECT_EQ(*parsed, row.value) << row.text;
  }
}

TEST(Duration, RefusesEverythingElse) {
  struct Row {
    std::string_view text;
    std::string_view why;
  };
  constexpr std::array kRows{
      Row{"", "not a duration"},
      Row{"5", "a unit"},
      Row{"s", "not a duration"},
      Row{"-5s", "not a duration"},
      Row{"-0s", "not a duration"},
      Row{"+5s", "not a duration"},
      Row{" 5s", "not a duration"},
      Row{"5 s", "not a duration"},
      Row{"5s ", "not a duration"},
      Row{"1.5h", "not a duration"},
      Row{"5S", "not a duration"},
      Row{"5min", "not a duration"},
      Row{"1h30m", "not a duration"},
      Row{"0x5s", "not a duration"},
      Row{"never", "not a duration"},
      Row{"99999999999999999999s", "not a duration"},
      Row{"36501d", "hundred years"},
      Row{"3153600000001ms", "hundred years"},
      Row{"9223372036854775807d", "hundred years"},
  };
  for (const Row& row : kRows) {
    const auto parsed = parse_duration(row.text);
    ASSERT_FALSE(parsed) << row.text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalid) << row.text;
    EXPECT_THAT(parsed.error().message, HasSubstr(row.why)) << row.text;
  }
}

TEST(Duration, P10AMessageDoesNotRepeatWhatIsNone) {
  for (const std::string_view text : {"Zq7secret", "99999999999d"}) {
    EXPECT_THAT(parse_duration(text).error().message, testing::Not(HasSubstr(text)));
  }
}

TEST(Duration, FormatsTheShortestFormThatReadsBack) {
  struct Row {
    Duration value;
    std::string_view text;
  };
  constexpr std::array kRows{
      Row{Duration{0}, "0s"},     Row{Duration{1}, "1ms"},        Row{Duration{999}, "999ms"},
      Row{Duration{1'000}, "1s"}, Row{Duration{1'001}, "1001ms"}, Row{seconds{59}, "59s"},
      Row{seconds{60}, "1m"},     Row{seconds{61}, "61s"},        Row{Duration{600'000}, "10m"},
      Row{minutes{59}, "59m"},    Row{minutes{60}, "1h"},         Row{hours{23}, "23h"},
      Row{hours{24}, "1d"},       Row{hours{25}, "25h"},          Row{days{36'500}, "36500d"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(format_duration(row.value), row.text);
    const auto back = parse_duration(row.text);
    ASSERT_TRUE(back) << row.text;
    EXPECT_EQ(*back, row.value) << row.text;
  }
}

WallTime at(std::int64_t millis) { return WallTime{Duration{millis}}; }

TEST(Iso8601, ReadsEveryTimeOfRfc3339) {
  struct Row {
    std::string_view text;
    std::int64_t millis;
  };
  // The seconds are what `date -u -d TEXT +%s` prints.
  constexpr std::array kRows{
      Row{"1970-01-01T00:00:00Z", 0},
      Row{"2024-03-20T16:54:47.274Z", 1'710'953'687'274},
      Row{"2024-03-20T16:54:47Z", 1'710'953'687'000},
      Row{"2024-03-20T16:54:47+00:00", 1'710'953'687'000},
      Row{"2024-03-20T16:54:47.2+00:00", 1'710'953'687'200},
      Row{"2024-03-20T16:54:47.27Z", 1'710'953'687'270},
      Row{"2024-03-20T16:54:47.274999999Z", 1'710'953'687'274},
      Row{"2024-03-20T16:54:47.000000001Z", 1'710'953'687'000},
      Row{"2024-02-29T23:59:59.999Z", 1'709'251'199'999},
      Row{"2016-12-31T23:59:60Z", 1'483'228'800'000},
      Row{"2000-02-29T00:00:00Z", 951'782'400'000},
      Row{"1969-12-31T23:59:59.999Z", -1},
      Row{"2024-03-20t16:54:47.274z", 1'710'953'687'274},
      Row{"2024-03-20T16:54:47-00:00", 1'710'953'687'000},
      Row{"2024-03-20T17:54:47+01:00", 1'710'953'687'000},
      Row{"2024-03-20T11:24:47.5-05:30", 1'710'953'687'500},
      Row{"2024-03-21T16:53:47+23:59", 1'710'953'687'000},
      Row{"2024-01-01T00:30:00+01:00", 1'704'065'400'000},
  };
  for (const Row& row : kRows) {
    const auto parsed = parse_iso8601(row.text);
    ASSERT_TRUE(parsed) << row.text;
    EXPECT_EQ(*parsed, at(row.millis)) << row.text;
  }
}

TEST(Iso8601, RefusesEverythingElse) {
  for (const std::string_view text : {
           "",
           "2024",
           "2024-03-20",
           "2024-03-20T16:54:47",
           "2024-03-20 16:54:47Z",
           "2024-03-20T16:54:47.Z",
           "2024-03-20T16:54:47.1234567890Z",
           "2024-03-20T16:54Z",
           "2024-03-20T16:54:47.274Zx",
           " 2024-03-20T16:54:47Z",
           "2024-03-20T16:54:47+0100",
           "2024-03-20T16:54:47+01",
           "2024-03-20T16:54:47+24:00",
           "2024-03-20T16:54:47+01:60",
           "2024-03-20T16:54:47+1:00",
           "2024-03-20T16:54:47+01:00Z",
           "2024-03-20T16:54:47Z+01:00",
           "2024-03-20T16:54:47 UTC",
           "0000-01-01T00:00:00+00:01",
           "9999-12-31T23:59:59-00:01",
           "2024-00-20T16:54:47Z",
           "2024-13-20T16:54:47Z",
           "2024-03-00T16:54:47Z",
           "2024-03-32T16:54:47Z",
           "2023-02-29T00:00:00Z",
           "2100-02-29T00:00:00Z",
           "2024-03-20T24:00:00Z",
           "2024-03-20T16:60:00Z",
           "2024-03-20T16:54:61Z",
           "24-03-20T16:54:47Z",
           "2024-3-20T16:54:47Z",
           "2024-+3-20T16:54:47Z",
           "2024-03-20T16:54:-1Z",
       }) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

TEST(Iso8601, FormatsWithMillisecondsAndReadsBack) {
  struct Row {
    std::int64_t millis;
    std::string_view text;
  };
  constexpr std::array kRows{
      Row{0, "1970-01-01T00:00:00.000Z"},
      Row{-1, "1969-12-31T23:59:59.999Z"},
      Row{1'710'953'687'274, "2024-03-20T16:54:47.274Z"},
      Row{1'709'251'199'999, "2024-02-29T23:59:59.999Z"},
      Row{1'709'251'200'000, "2024-03-01T00:00:00.000Z"},
      Row{253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(format_iso8601(at(row.millis)), row.text);
    const auto quick = iso8601(at(row.millis));
    EXPECT_EQ(std::string_view(quick.data(), quick.size()), row.text);
    EXPECT_EQ(parse_iso8601(row.text), at(row.millis)) << row.text;
  }
}

TEST(HttpDate, ReadsThePreferredForm) {
  struct Row {
    std::string_view text;
    std::int64_t seconds;
  };
  constexpr std::array kRows{
      Row{"Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777},
      Row{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
      Row{"Wed, 20 Mar 2024 16:54:47 GMT", 1'710'953'687},
      Row{"Thu, 29 Feb 2024 23:59:59 GMT", 1'709'251'199},
      Row{"Sat, 31 Dec 2016 23:59:60 GMT", 1'483'228'800},
  };
  for (const Row& row : kRows) {
    const auto parsed = parse_http_date(row.text);
    ASSERT_TRUE(parsed) << row.text;
    EXPECT_EQ(*parsed, at(row.seconds * 1'000)) << row.text;
  }
}

TEST(HttpDate, IsWrittenAsItIsRead) {
  struct Row {
    std::string_view text;
    std::int64_t millis;
  };
  constexpr std::array kRows{
      Row{"Sun, 06 Nov 1994 08:49:37 GMT", 784'111'777'000},
      Row{"Thu, 01 Jan 1970 00:00:00 GMT", 999},
      Row{"Thu, 29 Feb 2024 23:59:59 GMT", 1'709'251'199'999},
      Row{"Fri, 31 Dec 9999 23:59:59 GMT", 253'402'300'799'000},
  };
  for (const Row& row : kRows) {
    const auto text = http_date(at(row.millis));
    EXPECT_EQ(std::string_view(text.data(), text.size()), row.text);
  }
  for (std::int64_t day = 0; day < 1'000; ++day) {
    const WallTime time = at(1'700'000'000'000) + days{day} + std::chrono::seconds{day * 61};
    const auto text = http_date(time);
    EXPECT_EQ(parse_http_date({text.data(), text.size()}), time);
  }
}

TEST(HttpDate, KnowsEveryMonth) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (std::size_t i = 0; i < kMonths.size(); ++i) {
    const auto parsed =
        parse_http_date("Mon, 15 " + std::string(kMonths[i]) + " 2024 12:00:00 GMT");
    ASSERT_TRUE(parsed) << kMonths[i];
    const std::chrono::year_month_day date{std::chrono::floor<days>(*parsed)};
    EXPECT_EQ(static_cast<unsigned>(date.month()), i + 1);
  }
}

TEST(HttpDate, RefusesEverythingElse) {
  for (const std::string_view text : {
           "",
           "Sun",
           "Sunday, 06-Nov-94 08:49:37 GMT",
           "Sun Nov  6 08:49:37 1994",
           "Sun, 6 Nov 1994 08:49:37 GMT",
           "Sun, 06 nov 1994 08:49:37 GMT",
           "Sun, 06 Nov 94 08:49:37 GMT",
           "Sun, 06 Nov 1994 08:49:37",
           "Sun, 06 Nov 1994 8:49:37 GMT",
           "Sun, 06 Nov 1994 08:49:37 UTC",
           "Sun, 06 Nov 1994 08:49:37 GMT ",
           "Sun, 31 Feb 1994 08:49:37 GMT",
           "Sun, 00 Nov 1994 08:49:37 GMT",
           "Sun, 06 Nov 1994 24:49:37 GMT",
           "Sun, 06 Nov 1994 08:60:37 GMT",
           "0",
           "1710953687",
       }) {
    EXPECT_FALSE(parse_http_date(text)) << text;
  }
}

}  // namespace
}  // namespace rota

#include "import/csv.h"

#include <gmock/gmock.h>

#include <fmt/format.h>

namespace rota {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

using Rows = std::vector<std::vector<std::string>>;

Result<Rows> read(std::string_view text) {
  CsvReader reader(text);
  CsvRecord record;
  Rows rows;
  for (;;) {
    ROTA_ASSIGN(const bool more, reader.next(record));
    if (!more) return rows;
    rows.push_back(record.fields);
  }
}

TEST(Csv, ReadsAsRfc4180) {
  struct Row {
    std::string text;
    Rows fields;
  };
  for (const Row& row : std::vector<Row>{
           {"", {}},
           {"a\n", {{"a"}}},
           {"a,b\nc,d\n", {{"a", "b"}, {"c", "d"}}},
           {"a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}}},
           {"\xef\xbb\xbf\"a\",b\n", {{"a", "b"}}},
           {"\n", {{""}}},
           {",\n", {{"", ""}}},
           {"a,,b,\n", {{"a", "", "b", ""}}},
           {"\"\",\"\"\n", {{"", ""}}},
           {"\"a,b\",\"c\"\"d\"\"\"\n", {{"a,b", "c\"d\""}}},
           {"\"two\nlines\",\"two\r\nmore\"\n", {{"two\nlines", "two\r\nmore"}}},
           {"\"a\rb\"\n", {{"a\rb"}}},
           {" a , b \n", {{" a ", " b "}}},
           {"\xc3\xa4,\xe2\x82\xac\n", {{"\xc3\xa4", "\xe2\x82\xac"}}},
           {"a;b\tc\n", {{"a;b\tc"}}},
           // A shorter record leaves nothing of the one before.
           {"a,b,c\nd\ne,f\n", {{"a", "b", "c"}, {"d"}, {"e", "f"}}},
       }) {
    const auto read_rows = read(row.text);
    ASSERT_TRUE(read_rows) << row.text << ": " << read_rows.error().message;
    EXPECT_EQ(*read_rows, row.fields) << row.text;
  }
}

TEST(Csv, CountsLinesAndNotRecords) {
  CsvReader reader("a\n\"b\n\nb\"\r\nc\n");
  CsvRecord record;
  std::vector<std::uint32_t> lines;
  while (reader.next(record).value_or(false)) lines.push_back(record.line);
  EXPECT_EQ(lines, (std::vector<std::uint32_t>{1, 2, 5}));
}

TEST(Csv, RefusesWhatOthersGuessAt) {
  struct Row {
    std::string text;
    std::string at;
    std::string why;
  };
  for (const Row& row : std::vector<Row>{
           {"secret", "1: column 1: ", "without a line end"},
           {"a,b\nc,secret", "2: column 2: ", "without a line end"},
           {"a,", "1: column 2: ", "without a line end"},
           {"a,\"secret\"", "1: column 2: ", "without a line end"},
           {"a,\"secret\nb\n", "1: column 2: ", "never closed"},
           {"a\n\"secret\"\"", "2: column 1: ", "never closed"},
           {"a\nb,se\"cret\n", "2: column 2: ", "does not begin with one"},
           {" \"secret\"\n", "1: column 1: ", "does not begin with one"},
           {"\"secret\" ,b\n", "1: column 1: ", "after its closing quote"},
           {"\"secret\"x\n", "1: column 1: ", "after its closing quote"},
           {"\"secret\"\rb\n", "1: column 1: ", "after its closing quote"},
           {"secret\rb\rc\r", "1: column 1: ", "carriage return"},
           {"a\nsecret\r", "2: column 1: ", "carriage return"},
           {"a\nsecret\0,\n"s, "2: column 1: ", "NUL"},
           {"\"secret\0\"\n"s, "1: column 1: ", "NUL"},
           {"a\nb,secret\xe4\n", "2: column 2: ", "UTF-8"},              // Latin-1
           {"\xff\xfes\0e\0c\0r\0e\0t\0\n\0"s, "1: column 1: ", "NUL"},  // UTF-16
           {std::string(kCsvColumnsMax, ',') + "\n", "1: column 4096: ", "more than 4096"},
       }) {
    const auto read_rows = read(row.text);
    ASSERT_FALSE(read_rows) << row.text;
    EXPECT_EQ(read_rows.error().kind, ErrorKind::kInvalid);
    EXPECT_THAT(read_rows.error().message, StartsWith(row.at)) << row.text;
    EXPECT_THAT(read_rows.error().message, HasSubstr(row.why)) << row.text;
    EXPECT_THAT(read_rows.error().message, Not(HasSubstr("secret"))) << row.text;
  }
  EXPECT_TRUE(read(std::string(kCsvColumnsMax - 1, ',') + "\n"));
}

// Whatever is in a table, written with every field in quotes, is what the reader brings.
TEST(Csv, GivesBackWhatWasWritten) {
  constexpr std::string_view kAlphabet[] = {"a", ",", "\"", "\n", "\r", " ", "\xc3\xa4", "'", ""};
  std::uint32_t state = 1;
  const auto draw = [&state](std::uint32_t below) {
    state = state * 1'664'525U + 1'013'904'223U;
    return (state >> 16U) % below;
  };
  for (int round = 0; round < 300; ++round) {
    Rows rows;
    std::string text;
    std::size_t last_record = 0;
    for (std::uint32_t i = 0, count = 1 + draw(5); i < count; ++i) {
      last_record = text.size();
      auto& fields = rows.emplace_back();
      for (std::uint32_t j = 0, columns = 1 + draw(4); j < columns; ++j) {
        std::string& field = fields.emplace_back();
        std::string quoted;
        for (std::uint32_t k = 0, length = draw(6); k < length; ++k) {
          const std::string_view character = kAlphabet[draw(std::size(kAlphabet))];
          field += character;
          quoted += character == "\"" ? "\"\"" : character;
        }
        text += fmt::format("{}\"{}\"", j == 0 ? "" : ",", quoted);
      }
      text += draw(2) == 0 ? "\n" : "\r\n";
    }
    EXPECT_EQ(read(text).value_or(Rows{}), rows) << text;
    // A text that is cut off inside of its last record is never taken.
    for (std::size_t cut = last_record + 1; cut < text.size(); ++cut) {
      EXPECT_FALSE(read(text.substr(0, cut))) << text.substr(0, cut);
    }
  }
}

}  // namespace
}  // namespace rota

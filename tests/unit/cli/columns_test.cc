#include "cli/columns.h"

#include <gtest/gtest.h>

#include <string>

namespace rota::cli {
namespace {

TEST(Columns, CountsWhatATerminalShows) {
  EXPECT_EQ(display_width("Ada"), 3U);
  EXPECT_EQ(display_width("Zoë"), 3U);
  EXPECT_EQ(display_width("e\u0301"), 1U) << "an accent stands on its letter";
  EXPECT_EQ(display_width("佐藤"), 4U);
  EXPECT_EQ(display_width("🚀"), 2U);
  EXPECT_EQ(display_width("שלום"), 4U);
  EXPECT_EQ(display_width("\xff"), 1U);
}

TEST(Columns, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(cut("Ada Lovelace", 12), "Ada Lovelace");
  EXPECT_EQ(cut("Ada Lovelace", 8), "Ada Lov…");
  EXPECT_EQ(cut("佐藤さん", 6), "佐藤…") << "half a character is none";
  EXPECT_EQ(display_width(cut("佐藤さん", 6)), 5U);
  EXPECT_EQ(cut("Ada", 1), "…");
  EXPECT_EQ(cut("Ada", 0), "");
}

TEST(Columns, FillsAColumn) {
  EXPECT_EQ(in_column("Ada", 5), "Ada  ");
  EXPECT_EQ(in_column("佐藤", 5), "佐藤 ");
  EXPECT_EQ(in_column("佐藤さん", 6), "佐藤… ");
  EXPECT_EQ(display_width(in_column(std::string(200, 'x'), 30)), 30U);
}

TEST(Columns, WrapsBetweenWords) {
  EXPECT_EQ(wrapped("one two  three", 9, 2), "  one two\n  three\n");
  EXPECT_EQ(wrapped("a longerthanthat b", 6, 0), "a\nlongerthanthat\nb\n");
  EXPECT_EQ(wrapped("", 10, 2), "");
}

}  // namespace
}  // namespace rota::cli

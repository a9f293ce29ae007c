#include "cli/placed_file.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "cli/delivery_record.h"
#include "support/temp_directory.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

class PlacedFile : public ::testing::Test {
 protected:
  Place place(std::string_view name) const {
    return {.path = folder / name, .owner = ::geteuid(), .group = ::getegid(), .mode = 0600};
  }
  std::string text(std::string_view name) const { return testing::read_bytes(folder / name); }

  testing::TempDirectory folder;
};

TEST_F(PlacedFile, HasItsModeWhateverTheUmaskIs) {
  Place readable = place("a");
  readable.mode = 0640;
  const mode_t before = ::umask(0777);
  const auto done = put(readable, Secret("one"));
  ::umask(before);
  ASSERT_TRUE(done) << done.error().message;
  struct stat status{};
  ASSERT_EQ(::stat(readable.path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0640U);
  EXPECT_EQ(text("a"), "one");
}

TEST_F(PlacedFile, ReplacesTheFileAndNeverWritesIntoIt) {
  ASSERT_TRUE(put(place("a"), Secret("the first")));
  std::ifstream reader(folder / "a");
  ASSERT_TRUE(put(place("a"), Secret("two")));
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(reader), {}), "the first")
      << "whoever reads the old one reads all of it";
  EXPECT_EQ(text("a"), "two");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST_F(PlacedFile, AFailureLeavesTheOldFileAndNothingElse) {
  fs::create_directory(folder / "a");
  EXPECT_THAT(put(place("a"), Secret("one")).error().message, HasSubstr("cannot take its name"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), {}), 1);
}

TEST_F(PlacedFile, WhatAKilledOneLeftIsReplaced) {
  testing::write_bytes(folder / ".a.rota-new", "half a tok");
  ASSERT_TRUE(put(place("a"), Secret("one")));
  EXPECT_FALSE(fs::exists(folder / ".a.rota-new"));
  testing::write_bytes(folder / ".a.rota-new", "half a tok");
  ASSERT_TRUE(take_away(folder / "a"));
  EXPECT_TRUE(fs::is_empty(folder.path())) << "a leaver's token may be in there, too";
  EXPECT_TRUE(take_away(folder / "a"));
  EXPECT_TRUE(take_away(folder / "no/such/folder"));
}

TEST_F(PlacedFile, KnowsWhetherItIsInPlace) {
  const Secret content("one");
  EXPECT_FALSE(is_in_place(place("a"), content));
  ASSERT_TRUE(put(place("a"), content));
  EXPECT_TRUE(is_in_place(place("a"), content));
  EXPECT_FALSE(is_in_place(place("a"), Secret("two")));
  EXPECT_FALSE(is_in_place(place("a"), Secret("one and more")));
  Place other = place("a");
  other.mode = 0400;
  EXPECT_FALSE(is_in_place(other, content));
  fs::rename(folder / "a", folder / "b");
  fs::create_symlink(folder / "b", folder / "a");
  EXPECT_FALSE(is_in_place(place("a"), content)) << "a link leads elsewhere tomorrow";
}

TEST_F(PlacedFile, RefusesAFolderInWhichOthersWrite) {
  fs::create_directory(folder / "open");
  for (const mode_t mode : {0770U, 0703U, 01777U}) {
    ASSERT_EQ(::chmod((folder / "open").c_str(), mode), 0);
    EXPECT_THAT(put(place("open/a"), Secret("one")).error().message, HasSubstr("chmod go-w"));
    EXPECT_TRUE(fs::is_empty(folder / "open"));
  }
  fs::create_directory(folder / "open/below");
  ASSERT_EQ(::chmod((folder / "open").c_str(), 0777), 0);
  EXPECT_FALSE(put(place("open/below/a"), Secret("one"))) << "it could be replaced as a whole";
  ASSERT_EQ(::chmod((folder / "open").c_str(), 01777), 0);
  EXPECT_TRUE(put(place("open/below/a"), Secret("one"))) << "as in /tmp";
}

TEST_F(PlacedFile, RefusesAFolderOfSomebodyElse) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can give a folder away";
  fs::create_directory(folder / "theirs");
  ASSERT_EQ(::chown((folder / "theirs").c_str(), 62'001, 62'001), 0);
  EXPECT_THAT(put(place("theirs/a"), Secret("one")).error().message, HasSubstr("uid 62001"));
  testing::write_bytes(folder / "theirs/a", "of before");
  EXPECT_TRUE(take_away(folder / "theirs/a")) << "a leaver's token goes in any case";
  EXPECT_FALSE(fs::exists(folder / "theirs/a"));
}

TEST_F(PlacedFile, FollowsNoLink) {
  fs::create_directory(folder / "real");
  fs::create_directory_symlink(folder / "real", folder / "link");
  EXPECT_THAT(put(place("link/a"), Secret("one")).error().message, HasSubstr("symbolic link"));
  testing::write_bytes(folder / "real/a", "x");
  EXPECT_FALSE(take_away(folder / "link/a"));
  EXPECT_EQ(text("real/a"), "x");
}

TEST(DeliveryRecordTest, IsReadAsItWasWritten) {
  const DeliveryRecord record{.paths = {"/a", "/b c"}, .told = {{"/a", digest_of("one")}}};
  const auto read = parse_record(record_text(record));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, record);
  EXPECT_EQ(*parse_record(""), DeliveryRecord{});
}

TEST(DeliveryRecordTest, WhatIsNoRecordIsRefused) {
  const std::string good = record_text({.paths = {"/a"}, .told = {{"/a", digest_of("one")}}});
  for (const std::string& bad :
       {good.substr(0, good.size() - 1), std::string("x /a\n"), std::string("-\n"),
        std::string("- a\n"), std::string("\n"), good.substr(1), std::string("- /a\tb\n")}) {
    const auto read = parse_record(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorrupt);
  }
}

TEST(DeliveryRecordTest, AFileThatIsNotThereIsAnEmptyRecord) {
  const testing::TempDirectory folder;
  EXPECT_EQ(*load_record(folder / "record"), DeliveryRecord{});
  const DeliveryRecord record{.paths = {"/a"}, .told = {}};
  ASSERT_TRUE(save_record(folder / "record", record));
  EXPECT_EQ(*load_record(folder / "record"), record);
  testing::write_bytes(folder / "record", "no record");
  EXPECT_THAT(load_record(folder / "record").error().message,
              HasSubstr((folder / "record").string()));
}

}  // namespace
}  // namespace rota::cli

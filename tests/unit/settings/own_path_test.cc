#include "settings/own_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/temp_directory.h"

namespace rota {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class OwnPath : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_.path() / "etc" / "rota");
    std::ofstream(file_) << "text";
    set_mode(file_, 0644);
    for (const auto& each : {folder_.path() / "etc", folder_.path() / "etc" / "rota"}) {
      set_mode(each, 0755);
    }
  }
  static void set_mode(const fs::path& path, mode_t mode) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
  }
  static void expect_refused(const fs::path& path, const std::string& why) {
    const auto checked = check_only_ours(path);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().kind, ErrorKind::kConfig);
    EXPECT_THAT(checked.error().message, ::testing::StartsWith(path.string() + ": "));
    EXPECT_THAT(checked.error().message, HasSubstr(why));
  }

  const testing::TempDirectory folder_;
  const fs::path file_ = folder_.path() / "etc" / "rota" / "rotad.toml";
};

TEST_F(OwnPath, IsGoodInFoldersThatOnlyWeCanWrite) {
  EXPECT_TRUE(check_only_ours(file_));
  EXPECT_TRUE(
      check_only_ours(folder_.path() / "etc" / "rota" / "." / ".." / "rota" / "rotad.toml"));
  EXPECT_TRUE(check_only_ours(folder_.path() / "none")) << "for whoever opens it to report";
}

TEST_F(OwnPath, P11IsRefusedIfOthersCanWriteAnyFolderOnTheWay) {
  for (const auto& place : {file_, folder_.path() / "etc" / "rota", folder_.path() / "etc"}) {
    for (const mode_t mode : {0777U, 0757U}) {
      set_mode(place, mode);
      expect_refused(file_, "chmod go-w " + place.string());
    }
    set_mode(place, 0755);
    EXPECT_TRUE(check_only_ours(file_));
  }
}

// /tmp: others can put something there, and not touch what is ours.
TEST_F(OwnPath, IsGoodBelowAFolderWithTheStickyBit) {
  set_mode(folder_.path() / "etc", 01777);
  EXPECT_TRUE(check_only_ours(file_));
}

TEST_F(OwnPath, P11FollowsLinksAndChecksTheirWays) {
  const fs::path open = folder_.path() / "open";
  fs::create_directory(open);
  fs::create_symlink("../open/rotad.toml", folder_.path() / "etc" / "link");
  std::ofstream(open / "rotad.toml") << "text";
  set_mode(open, 0755);
  set_mode(open / "rotad.toml", 0644);
  EXPECT_TRUE(check_only_ours(folder_.path() / "etc" / "link"));
  set_mode(open, 0777);
  expect_refused(folder_.path() / "etc" / "link", "chmod go-w " + open.string());
  fs::create_symlink("round", folder_.path() / "etc" / "round");
  EXPECT_TRUE(check_only_ours(folder_.path() / "etc" / "round")) << "it ends";
}

TEST_F(OwnPath, P11IsRefusedIfSomebodyElseOwnsAFolderOnTheWay) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can give files away";
  ASSERT_EQ(::chown((folder_.path() / "etc").c_str(), 62'001, 62'001), 0);
  expect_refused(file_, "belongs to uid 62001");
}

TEST_F(OwnPath, P11IsRefusedIfAGroupCanWriteToIt) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can give files away";
  ASSERT_EQ(::chown(file_.c_str(), 0, 62'001), 0);
  set_mode(file_, 0664);
  expect_refused(file_, "chmod go-w");
}

}  // namespace
}  // namespace rota

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "e2e/box.h"

namespace rota::e2e {
namespace {

TEST(Secrets, NoneIsInALogAReportOrAFile) {  // P10
  Box box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  box.sandbox.faults(R"(["refresh:truncated:0.5","revoke_access:html502:0.5"])");
  ASSERT_TRUE(eventually([&] { return box.sandbox.stats().at("tokens").to_number<int>() > 12; }));
  box.sandbox.faults("[]");
  box.daemon.write_roster("[[member]]\ncommunity_member_id = 1\n");
  ASSERT_TRUE(eventually([&] { return box.daemon.member("sso:sso%7C3")["state"] == "retired"; }));
  const std::string reports = box.daemon.admin(get("/v1/status")).body +
                              box.daemon.admin(get("/v1/members")).body +
                              box.daemon.cli({"members", "--json"}).output;
  box.daemon.kill9();  // the write-ahead log stays as it is

  std::vector<std::string> secrets{std::string(kAppToken), std::string(64, 'a')};
  for (int member = 1; member <= 3; ++member) {
    for (const char* state : {"live", "expired", "revoked"}) {
      const auto tokens = box.sandbox.tokens(member, "", state);
      secrets.insert(secrets.end(), tokens.begin(), tokens.end());
    }
  }
  ASSERT_GT(secrets.size(), 12U);
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(box.daemon.folder())) {
    const bool is_credential = entry.path().parent_path().filename() == "credentials";
    if (!entry.is_regular_file() || is_credential) continue;
    ++files;
    const std::string bytes = testing::read_bytes(entry.path());
    for (const std::string& secret : secrets) {
      EXPECT_EQ(bytes.find(secret), std::string::npos) << entry.path();
    }
    if (entry.path().parent_path().filename() == "state") {
      struct stat status{};
      ASSERT_EQ(::stat(entry.path().c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 0777U, 0600U) << entry.path();
    }
  }
  EXPECT_GE(files, 4U);
  for (const std::string& secret : secrets) {
    EXPECT_EQ(reports.find(secret), std::string::npos);
    EXPECT_EQ(box.sandbox.process().output().find(secret), std::string::npos);
  }
}

}  // namespace
}  // namespace rota::e2e

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <utility>

#include "e2e/box.h"

namespace rota::e2e {
namespace {

TEST(Secrets, P10NoneIsInALogAReportOrAFile) {
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

// Who can write the database still gets nobody another's token (docs/threat-model.md).
TEST(Secrets, P10RecordsSwappedInTheDatabaseGiveNobodyAnothersToken) {
  Box box({"--access-ttl", "120s", "--refresh-ttl", "10m"});
  const auto whose = std::to_array<std::pair<const char*, int>>(
      {{"community_member_id=1", 1}, {"email=member2@example.com", 2}, {"sso_user_id=sso%7C3", 3}});
  const auto all_have_theirs = [&] {
    return std::ranges::all_of(whose, [&](const auto& each) {
      const std::string token = box.daemon.token(each.first);
      const auto right = box.sandbox.tokens(each.second, "access", "live");
      return std::ranges::find(right, token) != right.end();
    });
  };
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually(all_have_theirs));
  ASSERT_EQ(box.daemon.stop(), 0);

  // Ada's record gets the names of member 2, and member 2's that of Ada.
  const Finished edit =
      run({"sqlite3", box.daemon.database().string(),
           "PRAGMA foreign_keys = OFF; CREATE TEMP TABLE was AS SELECT * FROM selector;"
           "UPDATE selector SET (kind, value) = (SELECT kind, value FROM was"
           " WHERE was.member = 3 - selector.member AND was.position = selector.position)"
           " WHERE member IN (1, 2) AND position = 0"},
          box.folder.path());
  ASSERT_EQ(edit.code, 0) << edit.output;

  ASSERT_TRUE(box.daemon.start());
  const auto wrong = [&] {
    const auto theirs = box.sandbox.tokens(2, "access", "live");
    return std::ranges::find(theirs, box.daemon.token("community_member_id=1")) != theirs.end();
  };
  EXPECT_TRUE(eventually([&] { return wrong() || all_have_theirs(); }));
  EXPECT_FALSE(wrong());
  EXPECT_TRUE(all_have_theirs()) << "both were issued anew";
  const auto status = boost::json::parse(box.daemon.admin(get("/v1/status")).body).as_object();
  EXPECT_EQ(status.at("rows_set_aside").to_number<int>(), 2 + 4) << "two records, their tokens";
  EXPECT_TRUE(box.daemon.comes_to_say("6 database rows"));
  ASSERT_EQ(box.daemon.stop(), 0);
}

}  // namespace
}  // namespace rota::e2e

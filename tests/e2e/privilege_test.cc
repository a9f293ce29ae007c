#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <sstream>

#include "e2e/box.h"
#include "e2e/caller.h"

// P10: rotad needs no privilege: as a user of its own, without any capability and with no way to
// get one, all of it works. Only root can start it so: as anybody else this fails.
namespace rota::e2e {
namespace {

using ::testing::HasSubstr;

std::string status_field(pid_t pid, std::string_view name) {
  std::istringstream lines(testing::read_bytes("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) return line.substr(line.find_first_not_of(" \t", name.size() + 1));
  }
  return {};
}

class Privilege : public ::testing::Test {
 protected:
  Privilege() {
    std::filesystem::permissions(box.folder.path(), std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
    box.daemon.runs_as = Caller{.uid = kUser, .gid = kUser, .groups = {}};
  }
  static constexpr uid_t kUser = 60'900;
  Box box;
};

// The kernel gives /proc/PID of a process that is not dumpable to root.
TEST_F(Privilege, P10ItsMemoryIsClosedToItsOwnUser) {
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  const pid_t pid = box.daemon.process().pid();
  const std::string proc = "/proc/" + std::to_string(pid);
  struct stat status{};
  ASSERT_EQ(::stat((proc + "/mem").c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 0U);
  EXPECT_THAT(testing::read_bytes(proc + "/limits"),
              ::testing::ContainsRegex("Max core file size +0 +0 "));
#if !__has_feature(address_sanitizer)  // whose runtime makes mlock() do nothing
  EXPECT_NE(status_field(pid, "VmLck"), "0 kB") << "the store key and the app token";
#endif
  for (const char* file : {"/cmdline", "/environ"}) {
    const std::string text = testing::read_bytes(proc + file);
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.find(kAppToken), std::string::npos) << file;
    EXPECT_EQ(text.find(std::string(64, 'a')), std::string::npos) << file;
  }
}

TEST_F(Privilege, P10EverythingWorksAsAUserOfItsOwnWithoutAnyCapability) {
  box.daemon.extra = "\n[[grant]]\nuser = \"60901\"\nmembers = [\"id:1\"]\n";
  box.daemon.serve["token_socket_mode"] = "\"0666\"";
  ASSERT_TRUE(box.daemon.start());

  const pid_t pid = box.daemon.process().pid();
  EXPECT_THAT(status_field(pid, "Uid"), ::testing::StartsWith(std::to_string(kUser) + "\t"));
  for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
    EXPECT_EQ(status_field(pid, set), "0000000000000000") << set;
  }
  EXPECT_EQ(status_field(pid, "NoNewPrivs"), "1");

  // Issue, refresh, revoke, reload, what operators see, and the end.
  const std::string first = box.daemon.token("community_member_id=1");
  ASSERT_FALSE(first.empty());
  ASSERT_TRUE(eventually([&] {
    const std::string next = box.daemon.token("community_member_id=1");
    return !next.empty() && next != first;
  })) << "refreshed";
  box.daemon.write_roster("[[member]]\ncommunity_member_id = 1\n");
  EXPECT_TRUE(eventually([&] { return box.daemon.member("sso:sso%7C3")["state"] == "retired"; }))
      << "the watch saw the roster, and Circle the revocations";
  EXPECT_EQ(box.daemon.admin(post("/v1/roster/reload", "")).status, 200);
  EXPECT_EQ(box.daemon.admin(post("/v1/members/id:1/rotate", "")).status, 200);
  EXPECT_THAT(box.daemon.admin(get("/metrics")).body, HasSubstr("rota_ready"));
  EXPECT_EQ(box.daemon.stop(), 0);
  ASSERT_TRUE(box.daemon.start()) << "and goes on from its own files";
  EXPECT_FALSE(box.daemon.token("community_member_id=1").empty());
}

}  // namespace
}  // namespace rota::e2e

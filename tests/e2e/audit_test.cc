// The audit trail: who got which member's token, and what was done, on record and without a token.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "base/fingerprint.h"
#include "e2e/box.h"
#include "e2e/caller.h"

namespace rota::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kGrant = "\n[[grant]]\nuser = \"62001\"\nmembers = [\"id:1\"]\n";

class AuditBox : public Box {
 public:
  AuditBox() : Box({"--access-ttl", "1h", "--refresh-ttl", "30d"}) {
    daemon.serve["token_socket_mode"] = "\"0666\"";
    for (const auto& path : {folder.path(), daemon.folder()}) {
      std::filesystem::permissions(
          path, std::filesystem::perms::others_exec | std::filesystem::perms::group_exec,
          std::filesystem::perm_options::add);
    }
  }

  // Entries of one event, as the admin socket has them, in order.
  std::vector<boost::json::object> entries(std::string_view event, std::string_view query = "") {
    std::vector<boost::json::object> found;
    const auto page = daemon.admin(get(fmt::format("/v1/audit?limit=1000{}", query))).json();
    for (const auto& each : page.at("entries").as_array()) {
      if (each.at("event").as_string() == event) found.push_back(each.as_object());
    }
    return found;
  }
  bool has(std::string_view event, std::size_t count = 1) {
    return eventually([&] { return entries(event).size() >= count; });
  }
};

std::string text(const boost::json::object& entry, std::string_view field) {
  const auto& value = entry.at(field);
  return value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
}

TEST(Audit, ShowsWhoGotWhoseToken) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can connect as other users";
  AuditBox box;
  box.daemon.extra = kGrant;
  ASSERT_TRUE(box.daemon.start());
  const Caller caller{.uid = 62'001, .gid = 62'002, .groups = {}};
  std::string token;
  for (int i = 0; i < 2; ++i) {
    Connection connection = caller.connect(box.daemon.token_socket());
    connection.send(get("/v1/token?community_member_id=1"));
    token = connection.read_reply().text("access_token");
    ASSERT_NE(token, "");
  }
  ASSERT_NE(box.daemon.token("email=member2@example.com"), "");
  Connection refused = caller.connect(box.daemon.token_socket());
  refused.send(get("/v1/token?email=member2@example.com"));
  ASSERT_EQ(refused.read_reply().status, 403);

  const auto fetches = box.entries("token_fetched");
  ASSERT_EQ(fetches.size(), 3U) << "each connection came from a process of its own";
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(text(fetches[i], "uid"), "62001");
    EXPECT_EQ(text(fetches[i], "gid"), "62002");
    EXPECT_GT(fetches[i].at("pid").to_number<int>(), 1);
    EXPECT_EQ(text(fetches[i], "member"), "id:1");
  }
  EXPECT_EQ(text(fetches[0], "token"), text(fetches[1], "token"));
  EXPECT_EQ(text(fetches[2], "uid"), "0");
  EXPECT_EQ(text(fetches[2], "member"), "email:member2@example.com");
  EXPECT_NE(text(fetches[2], "token"), text(fetches[0], "token"));
  // Whoever finds a token finds out who had it; from the trail alone nobody can tell.
  const std::string own = format_fingerprint(fingerprint_of(token));
  EXPECT_THAT(box.daemon.admin(get("/v1/audit?limit=1000")).body, Not(HasSubstr(own)));
  EXPECT_EQ(box.entries("token_fetched", "&token=" + own).size(), 2U);
  EXPECT_EQ(box.entries("token_fetched", "&member=id:2").size(), 1U) << "by any of its names";
  EXPECT_EQ(box.entries("token_fetched", "&since=1h").size(), 3U);
  EXPECT_EQ(box.entries("token_fetched", "&since=2099-01-01T00:00:00Z").size(), 0U);
  EXPECT_EQ(box.daemon.fetch("").status, 400);
  Connection plain = Connection::to_unix(box.daemon.token_socket());
  plain.send(get("/v1/audit"));
  EXPECT_EQ(plain.read_reply().status, 404) << "not on the token socket";

  const Finished shown = box.daemon.cli({"audit", "--since", "1h", "--member", "id:1"});
  EXPECT_EQ(shown.code, 0) << shown.output;
  EXPECT_THAT(shown.output, HasSubstr("62001"));
  EXPECT_THAT(shown.output, HasSubstr("token_issued"));
  EXPECT_THAT(shown.output, Not(HasSubstr("member2")));
}

TEST(Audit, ShowsWhatWasDone) {
  AuditBox box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(box.has("started"));
  ASSERT_TRUE(box.has("token_issued", 6)) << "an access and a refresh token for three members";
  const std::string old = box.daemon.token("community_member_id=1");
  ASSERT_EQ(box.daemon.cli({"rotate", "id:1"}).code, 0);
  const auto asked = box.entries("rotate_asked");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(text(asked[0], "uid"), fmt::to_string(::geteuid()));
  EXPECT_EQ(text(asked[0], "member"), "id:1");
  EXPECT_TRUE(box.has("token_refreshed"));

  ASSERT_EQ(box.daemon.cli({"revoke", "email:member2@example.com"}).code, 0);
  EXPECT_TRUE(box.has("revoke_asked") && box.has("member_blocked") && box.has("token_revoked", 2));
  ASSERT_EQ(box.daemon.cli({"reinstate", "email:member2@example.com"}).code, 0);
  EXPECT_TRUE(box.has("reinstate_asked") && box.has("member_reinstated"));

  box.daemon.extra = kGrant;
  box.daemon.write_config();
  box.daemon.write_roster("[[member]]\ncommunity_member_id = 1\n");
  EXPECT_TRUE(box.has("member_retired", 2));
  EXPECT_TRUE(box.has("roster_applied", 2));
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_TRUE(box.has("reload_asked") && box.has("reloaded"));
  const auto grants = box.entries("grants_changed");
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(text(grants[0], "detail"), "granted: user 62001: id:1");
  box.daemon.extra.clear();
  box.daemon.write_config();
  box.daemon.process().signal(SIGHUP);
  ASSERT_TRUE(box.has("grants_changed", 2));
  EXPECT_EQ(text(box.entries("grants_changed")[1], "detail"), "withdrawn: user 62001: id:1");
  box.daemon.extra = "[audit]\nkeep = 1\n";
  box.daemon.write_config();
  EXPECT_NE(box.daemon.cli({"reload"}).code, 0);
  EXPECT_TRUE(box.has("reload_failed"));
  box.daemon.extra.clear();
  box.daemon.write_config();

  // A restart, orderly and not: what was is still there.
  const std::size_t issued = box.entries("token_issued").size();
  EXPECT_EQ(box.daemon.stop(), 0);
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(box.has("stopped") && box.has("started", 2));
  EXPECT_GE(box.entries("token_issued").size(), issued);
  box.daemon.kill9();
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(box.has("started", 3));
  EXPECT_EQ(box.entries("stopped").size(), 1U);
}

TEST(Audit, ShowsAnApprovalAndWhoGaveIt) {
  AuditBox box;
  box.daemon.roster_options["max_retire_count"] = "0";
  box.daemon.roster_options["max_retire_fraction"] = "0.0";
  ASSERT_TRUE(box.daemon.start());
  box.daemon.write_roster("[[member]]\ncommunity_member_id = 1\n");
  ASSERT_TRUE(box.has("plan_held"));
  const std::string id = box.daemon.admin(get("/v1/roster/plan")).text("id");
  ASSERT_EQ(box.daemon.cli({"approve", id}).code, 0);
  EXPECT_TRUE(box.has("plan_approved") && box.has("member_retired", 2));
  const auto asked = box.entries("approve_asked");
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(text(asked[0], "detail"), id);
  EXPECT_EQ(text(asked[0], "uid"), fmt::to_string(::geteuid()));
}

// Many fetches are few rows, and none is lost on the way through a stop.
TEST(Audit, CountsAFloodOfFetches) {
  AuditBox box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_NE(box.daemon.token("community_member_id=1"), "");
  constexpr std::uint64_t kFetches = 2'000;
  Connection connection = Connection::to_unix(box.daemon.token_socket());
  for (std::uint64_t i = 0; i < kFetches; ++i) {
    connection.send(get("/v1/token?community_member_id=1"));
    ASSERT_EQ(connection.read_reply().status, 200);
  }
  EXPECT_EQ(box.daemon.stop(), 0);
  ASSERT_TRUE(box.daemon.start());
  std::uint64_t counted = 0;
  const auto fetches = box.entries("token_fetched");
  for (const auto& entry : fetches) counted += entry.at("count").to_number<std::uint64_t>();
  EXPECT_EQ(counted, kFetches + 1);
  EXPECT_LE(fetches.size(), 4U);
}

// A disk that takes nothing: fetches go on, and the trail is complete once it takes something.
TEST(Audit, NoFetchWaitsForTheDisk) {
  AuditBox box;
  box.daemon.write_config();
  box.daemon.launch({}, "trap '' XFSZ;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  ASSERT_TRUE(box.has("token_issued", 6));
  rlimit unlimited{};
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, nullptr, &unlimited), 0);
  const rlimit tight{.rlim_cur = 4'096, .rlim_max = unlimited.rlim_max};
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, &tight, nullptr), 0);
  constexpr std::uint64_t kFetches = 100;
  for (std::uint64_t i = 0; i < kFetches; ++i) {
    ASSERT_NE(box.daemon.token("community_member_id=1"), "");
  }
  ASSERT_TRUE(eventually([&] {
    return box.daemon.admin(get("/metrics")).body.find("\nrota_audit_ok 0\n") != std::string::npos;
  }));
  EXPECT_EQ(box.entries("token_fetched").size(), 0U);
  ASSERT_NE(box.daemon.token("community_member_id=1"), "");
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, &unlimited, nullptr), 0);
  EXPECT_TRUE(eventually([&] {
    std::uint64_t counted = 0;
    for (const auto& entry : box.entries("token_fetched")) {
      counted += entry.at("count").to_number<std::uint64_t>();
    }
    return counted == kFetches + 1;
  }));
}

// In plain words, over a crash.
TEST(Events, TellWhatAnOperatorCaresAbout) {
  AuditBox box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_TRUE(eventually([&] { return !box.daemon.token("community_member_id=1").empty(); }));
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  ASSERT_TRUE(box.has("revoke_asked"));
  box.daemon.kill9();
  ASSERT_TRUE(box.daemon.start());
  box.daemon.write_roster("[[member]]\ncommunity_member_id = \n");
  ASSERT_TRUE(box.has("reload_failed"));
  const Finished events = box.daemon.cli({"events"});
  EXPECT_EQ(events.code, 0);
  EXPECT_THAT(events.output, HasSubstr("the roster is in force: 3 added, 0 changed, 0 retired\n"));
  EXPECT_THAT(events.output, HasSubstr(") ordered: revoke id:1\n"));
  EXPECT_THAT(events.output, HasSubstr("started without a stop before"));
  EXPECT_THAT(events.output, HasSubstr("A RELOAD HAD AN ERROR: the roster changed on disk"));
  EXPECT_THAT(events.output, Not(HasSubstr("token_"))) << "what members and clients do is not told";
  EXPECT_EQ(box.daemon.cli({"events", "--since", "2999-01-01T00:00:00Z"}).output,
            "nothing since 2999-01-01T00:00:00Z\n");
}

TEST(Events, AFollowerGoesOnOverARestart) {
  AuditBox box;
  ASSERT_TRUE(box.daemon.start());
  Process follower({ROTA_CLI, "--socket", box.daemon.admin_socket().string(), "events", "--follow"},
                   box.folder / "events.log", {});
  const auto says = [&](std::string_view text) {
    return eventually([&] { return follower.output().contains(text); });
  };
  ASSERT_TRUE(says("started: rotad"));
  EXPECT_EQ(box.daemon.stop(), 0);
  EXPECT_TRUE(says("rotad does not answer; waiting for it"));
  ASSERT_TRUE(box.daemon.start());
  EXPECT_TRUE(says("stopped\n"));
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  EXPECT_TRUE(says("ordered: revoke id:1"));
  follower.kill_and_wait(SIGTERM);
}

}  // namespace
}  // namespace rota::e2e

// GET /v1/watch and `rota watch` against the real daemon: rotations, leavers, grants that go, and
// readers that do not read.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <functional>

#include "e2e/box.h"
#include "e2e/caller.h"

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

struct Event {
  std::string name;
  boost::json::object data;
  std::string text(std::string_view field) const {
    const auto* value = data.if_contains(field);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
  }
};

// A client of a watch.
class Watch {
 public:
  Watch(Connection connection, std::string_view target) : connection_(std::move(connection)) {
    connection_.send(get(target));
    head = connection_.read_until("\r\n\r\n");
  }
  // The next event; its name is empty at the end of the stream. Heartbeats are none. If none comes
  // in time, that fails the test.
  Event next() {
    return next([](const Event&) { return true; }, "an event");
  }
  // The first event of this kind, and of this member if one is named; others are passed over.
  Event next(std::string_view name, std::string_view member = {}) {
    return next(
        [&](const Event& event) {
          return event.name == name && (member.empty() || event.text("member") == member);
        },
        fmt::format("an event \"{}\" of \"{}\"", name, member));
  }
  std::string head;

 private:
  // One limit for all that comes before it: neither heartbeats nor other events extend it.
  Event next(const std::function<bool(const Event&)>& is_it, std::string_view what) {
    const auto deadline = std::chrono::steady_clock::now() + kLimit;
    for (;;) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      const std::string text = connection_.read_until("\n\n", left);
      if (std::chrono::steady_clock::now() >= deadline) {
        ADD_FAILURE() << "no " << what << " came within " << kLimit.count() << " s";
        return {};
      }
      if (text.starts_with(":")) continue;
      const auto data = text.find("\ndata: ");
      if (data == std::string::npos) return {};
      Event event;
      event.name = text.substr(std::string_view("event: ").size(), data - 7);
      event.data = Reply{.status = 200, .head = {}, .body = text.substr(data + 7)}.json();
      if (is_it(event)) return event;
    }
  }

  Connection connection_;
};

TEST(Watching, TellsTheTokenAtOnceAndAtEachRotation) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  const std::string current = box.daemon.token("email=member2@example.com");
  for (const auto& socket : {box.daemon.token_socket(), box.daemon.admin_socket()}) {
    Watch watch(Connection::to_unix(socket), "/v1/watch?email=member2@example.com");
    EXPECT_THAT(watch.head, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(watch.head, HasSubstr("Content-Type: text/event-stream\r\n"));
    std::string last;
    for (int rotation = 0; rotation < 2; ++rotation) {
      const Event event = watch.next();
      ASSERT_EQ(event.name, "token");
      EXPECT_EQ(event.text("member"), "email:member2@example.com");
      EXPECT_EQ(event.data.at("community_member_id"), 2);
      EXPECT_NE(event.text("access_token"), last) << "each token is told once";
      last = event.text("access_token");
      EXPECT_EQ(box.sandbox.state_of(last), "live");
    }
    EXPECT_NE(last, current);
    EXPECT_EQ(box.daemon.token("email=member2@example.com"), last);
  }
}

TEST(Watching, TellsOfLeaversAndOfWhoComesBack) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_NE(box.daemon.token("community_member_id=1"), "");
  Watch one(Connection::to_unix(box.daemon.token_socket()),
            "/v1/watch?community_member_id=1&community_member_id=5");
  Watch all(Connection::to_unix(box.daemon.token_socket()), "/v1/watch");
  EXPECT_EQ(one.next().text("member"), "id:1");
  const Event never = one.next();
  EXPECT_EQ(never.name + never.text("code"), "retiredmember_unknown");

  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  const Event blocked = one.next("retired");
  EXPECT_EQ(blocked.text("member"), "id:1");
  EXPECT_EQ(blocked.text("code"), "member_blocked");
  EXPECT_EQ(all.next("retired").text("member"), "id:1");

  ASSERT_EQ(box.daemon.cli({"reinstate", "id:1"}).code, 0);
  EXPECT_EQ(one.next("token").text("member"), "id:1");
  box.daemon.write_roster(std::string(kThreeMembers) +
                          "retired = true\n[[member]]\ncommunity_member_id = 5\n");
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  EXPECT_EQ(one.next("token", "id:5").name, "token") << "a name that led to nobody";
  EXPECT_EQ(all.next("retired").text("member"), "sso:sso|3");
}

TEST(Watching, TellsOfASignOutBeforeTheNextToken) {
  Box box({"--access-ttl", "1h"});
  ASSERT_TRUE(box.daemon.start());
  const std::string first = box.daemon.token("community_member_id=1");
  Watch one(Connection::to_unix(box.daemon.token_socket()), "/v1/watch?community_member_id=1");
  Watch all(Connection::to_unix(box.daemon.token_socket()), "/v1/watch");
  EXPECT_EQ(one.next().text("access_token"), first);
  EXPECT_EQ(all.next("token", "id:1").text("access_token"), first);
  ASSERT_EQ(box.daemon.cli({"sign-out", "id:1"}).code, 0);
  const Event out = one.next();
  EXPECT_EQ(out.name, "signed_out");
  EXPECT_EQ(out.text("member"), "id:1");
  EXPECT_EQ(all.next("signed_out").text("member"), "id:1");
  const std::string second = box.daemon.token("community_member_id=1");
  EXPECT_NE(second, first);
  const Event next = one.next();
  EXPECT_EQ(next.name, "token");
  EXPECT_EQ(next.text("access_token"), second);
  EXPECT_EQ(all.next("token", "id:1").text("access_token"), second);
}

TEST(Watching, TheCommandPrintsAnEventALine) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  ASSERT_NE(box.daemon.token("community_member_id=1"), "");
  Process watch({ROTA_CLI, "--socket", box.daemon.token_socket(), "watch", "id:1", "--json"},
                box.folder / "watch.out");
  const auto lines = [&] {
    const std::string out = watch.output();
    return static_cast<int>(std::ranges::count(out, '\n'));
  };
  ASSERT_TRUE(eventually([&] { return lines() >= 2; })) << watch.output();
  EXPECT_THAT(watch.output(),
              StartsWith("{\"event\":\"token\",\"member\":\"id:1\",\"access_token\":"));
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  ASSERT_TRUE(eventually([&] {
    return watch.output().find("{\"event\":\"retired\",\"member\":\"id:1\"") != std::string::npos;
  }));
  EXPECT_EQ(box.daemon.stop(), 0);
  EXPECT_EQ(watch.wait(), 4);
  EXPECT_THAT(watch.output(), HasSubstr("rotad ended the watch"));
}

TEST(Watching, ADaemonThatStopsEndsTheStreamAndIsNotHeldUp) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  Watch watch(Connection::to_unix(box.daemon.token_socket()), "/v1/watch?community_member_id=1");
  ASSERT_EQ(watch.next().name, "token");
  EXPECT_EQ(box.daemon.stop(), 0);
  EXPECT_EQ(watch.next("retired").name, "") << "a stop is nobody's retirement";
}

TEST(Watching, AGrantThatIsWithdrawnIsToldAndOneThatIsGivenToo) {
  ASSERT_EQ(::geteuid(), 0U) << "NOT RUN: only root can connect as other users";
  // No token is replaced meanwhile: what is told is told because of the grants.
  Box box({"--access-ttl", "30m", "--refresh-ttl", "10d"});
  box.daemon.serve["token_socket_mode"] = "\"0666\"";
  for (const auto& path : {box.folder.path(), box.daemon.folder()}) {
    std::filesystem::permissions(path, std::filesystem::perms::others_exec,
                                 std::filesystem::perm_options::add);
  }
  const auto grant_to = [&](std::string_view members) {
    box.daemon.extra = fmt::format("\n[[grant]]\nuser = \"62001\"\nmembers = [{}]\n", members);
    box.daemon.write_config();
  };
  grant_to("\"id:1\", \"id:2\"");
  ASSERT_TRUE(box.daemon.start());
  ASSERT_NE(box.daemon.token("community_member_id=1"), "");
  ASSERT_NE(box.daemon.token("email=member2@example.com"), "");
  ASSERT_NE(box.daemon.token("sso_user_id=sso%7C3"), "");
  const Caller caller{.uid = 62'001, .gid = 62'001, .groups = {}};
  Watch all(caller.connect(box.daemon.token_socket()), "/v1/watch");
  EXPECT_EQ(all.next().text("member"), "id:1");
  EXPECT_EQ(all.next().text("member"), "email:member2@example.com");
  Watch one(caller.connect(box.daemon.token_socket()), "/v1/watch?community_member_id=1");
  EXPECT_EQ(one.next().name, "token");
  EXPECT_THAT(
      Watch(caller.connect(box.daemon.token_socket()), "/v1/watch?sso_user_id=sso%7C3").head,
      StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(
      Watch(Caller{.uid = 62'002, .gid = 62'001, .groups = {}}.connect(box.daemon.token_socket()),
            "/v1/watch")
          .head,
      StartsWith("HTTP/1.1 403 "));

  grant_to("\"id:2\", \"sso:sso|3\"");
  ASSERT_EQ(box.daemon.cli({"reload"}).code, 0);
  const Event withdrawn = one.next("retired");
  ASSERT_EQ(withdrawn.text("code"), "forbidden") << "nor do the others come";
  const Event of_all = all.next("retired");
  EXPECT_EQ(of_all.text("member"), "id:1");
  EXPECT_EQ(of_all.text("code"), "forbidden");
  ASSERT_EQ(all.next("token").text("member"), "sso:sso|3");
  // What becomes of one that is granted no more is not told; of another it is.
  ASSERT_EQ(box.daemon.cli({"revoke", "id:1"}).code, 0);
  ASSERT_EQ(box.daemon.cli({"revoke", "sso:sso|3"}).code, 0);
  const Event left = all.next();
  EXPECT_EQ(left.text("member") + " " + left.text("code"), "sso:sso|3 member_blocked");
}

// A reader that stops is not kept what was replaced meanwhile, and costs nobody else his tokens.
TEST(Watching, AReaderThatStopsIsBoundedAndGetsTheLatest) {
  constexpr int kMembers = 600;
  Box box({"--access-ttl", "8s", "--refresh-ttl", "10m", "--members", std::to_string(kMembers),
           "--rate-limit", "0"});
  box.daemon.upstream["requests_per_window"] = "1000000";
  std::string roster;
  for (int id = 1; id <= kMembers; ++id) {
    roster += fmt::format("[[member]]\ncommunity_member_id = {}\n", id);
  }
  box.daemon.write_roster(roster);
  ASSERT_TRUE(box.daemon.start());
  Watch stopped(Connection::to_unix(box.daemon.token_socket()), "/v1/watch");
  Watch quick(Connection::to_unix(box.daemon.token_socket()), "/v1/watch");
  std::string last;
  int told = 0;
  for (int rotations = 0; rotations < 6; ++told) {
    ASSERT_LT(told, 20 * kMembers) << "id:1 is told no more";
    const Event event = quick.next();
    ASSERT_EQ(event.name, "token");
    if (event.text("member") != "id:1") continue;
    last = event.text("access_token");
    ++rotations;
  }
  int kept = 0;
  for (bool found = false; !found; ++kept) {
    ASSERT_LT(kept, told) << "the latest of id:1 never came";
    const Event event = stopped.next();
    ASSERT_EQ(event.name, "token") << "closed";
    found = event.text("access_token") == last;
  }
  EXPECT_GT(told, 5 * kMembers / 2);
  EXPECT_LT(kept, told / 2);
  EXPECT_EQ(box.daemon.stop(), 0);
}

}  // namespace
}  // namespace rota::e2e

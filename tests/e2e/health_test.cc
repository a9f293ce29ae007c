#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "e2e/box.h"
#include "support/metrics.h"

// What monitors see: /healthz, /readyz and /metrics.

namespace rota::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kBrokenRoster = "[[member]]\nemail = \"secret-name@\n";

Reply ask_token_socket(const Box& box, std::string_view path) {
  Connection connection = Connection::to_unix(box.daemon.token_socket());
  connection.send(get(path));
  return connection.read_reply();
}

// "ready", or the codes of the reasons, each with a space behind it.
std::string readiness(const Box& box) {
  const Reply reply = ask_token_socket(box, "/readyz");
  const auto json = reply.json();
  if (reply.status == 200) return json.at("ready") == true ? "ready" : reply.body;
  if (reply.status != 503 || json.at("ready") != false) return reply.head + reply.body;
  std::string codes;
  for (const auto& reason : json.at("reasons").as_array()) {
    codes += std::string(reason.at("code").as_string()) + " ";
  }
  return codes;
}

// Waits for exactly these reasons, on both sockets; the process turns whatever they are.
void expect_readiness(const Box& box, std::string_view wanted) {
  std::string last;
  EXPECT_TRUE(eventually([&] {
    last = readiness(box);
    const int status = box.daemon.admin(get("/readyz")).status;
    return last == wanted && status == (wanted == "ready" ? 200 : 503);
  })) << "wanted: "
      << wanted << "\nlast: " << last;
  EXPECT_EQ(ask_token_socket(box, "/healthz").status, 200);
}

double metric(const Box& box, const std::string& sample) {
  const Reply reply = box.daemon.admin(get("/metrics"));
  const auto metrics = testing::parse_metrics(reply.body);
  EXPECT_TRUE(metrics) << metrics.error();
  return metrics && metrics->contains(sample) ? metrics->at(sample) : -1;
}

// Waited for, as tokens come and go.
void expect_metric(const Box& box, const std::string& sample, double wanted) {
  double last = -1;
  EXPECT_TRUE(eventually([&] { return (last = metric(box, sample)) == wanted; }))
      << sample << " is " << last << " and not " << wanted;
}

std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

TEST(Health, AFailingDiskIsSeenAndPasses) {
  Box box({"--access-ttl", "6s", "--refresh-ttl", "10m"});
  box.daemon.write_config();
  box.daemon.launch({}, "trap '' XFSZ;");
  ASSERT_TRUE(box.daemon.wait_for_notice("READY=1"));
  expect_readiness(box, "ready");
  expect_metric(box, "rota_commits_ok", 1);
  // From now on no file of the daemon's may grow past a page: the next commit fails.
  rlimit unlimited{};
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, nullptr, &unlimited), 0);
  const rlimit tight{.rlim_cur = 4'096, .rlim_max = unlimited.rlim_max};
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, &tight, nullptr), 0);
  ASSERT_TRUE(eventually([&] { return readiness(box).contains("commit_failing"); }));
  expect_metric(box, "rota_commits_ok", 0);
  expect_metric(box, "rota_ready", 0);
  EXPECT_THAT(ask_token_socket(box, "/readyz").body, Not(HasSubstr("rota.db")));
  ASSERT_EQ(::prlimit(box.daemon.process().pid(), RLIMIT_FSIZE, &unlimited, nullptr), 0);
  expect_readiness(box, "ready");
  expect_metric(box, "rota_commits_ok", 1);
}

TEST(Health, P2ADatabaseThatIsMovedAwayIsSeenAndTokensAreServedOn) {
  Box box({"--access-ttl", "60s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  // A first issue that is under way counts as progress, so being ready is not enough.
  ASSERT_EQ(ask_token_socket(box, "/v1/token?community_member_id=1").status, 200);
  const auto database = box.daemon.folder() / "state" / "rota.db";
  ASSERT_TRUE(std::filesystem::exists(database));
  const auto aside = box.daemon.folder() / "aside.db";
  std::filesystem::rename(database, aside);
  ASSERT_TRUE(eventually([&] { return readiness(box).contains("database_gone"); }));
  EXPECT_EQ(ask_token_socket(box, "/v1/token?community_member_id=1").status, 200);
  EXPECT_FALSE(std::filesystem::exists(database));
  std::filesystem::rename(aside, database);
  expect_readiness(box, "ready");
}

TEST(Health, P2ADatabaseThatIsOverwrittenIsSeenAndTheStopSaysSo) {
  Box box({"--access-ttl", "60s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  ASSERT_EQ(ask_token_socket(box, "/v1/token?community_member_id=1").status, 200);
  std::filesystem::resize_file(box.daemon.database(), 0);
  ASSERT_TRUE(eventually([&] { return readiness(box).contains("database_gone"); }));
  EXPECT_EQ(ask_token_socket(box, "/v1/token?community_member_id=1").status, 200);
  EXPECT_EQ(box.daemon.stop(), 1);
  EXPECT_TRUE(box.daemon.comes_to_say("not everything ended well: "));
  EXPECT_THAT(box.daemon.process().output(),
              Not(HasSubstr("all calls are finished and committed")));
  EXPECT_EQ(std::filesystem::file_size(box.daemon.database()), 0U);
  EXPECT_GT(std::filesystem::file_size(box.daemon.database().string() + "-wal"), 0U)
      << "what was committed is still there";
}

TEST(Health, ASocketFileThatIsRemovedIsMadeAgain) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  std::filesystem::remove(box.daemon.token_socket());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(box.daemon.token_socket()); }));
  expect_readiness(box, "ready");
}

TEST(Health, P6AHeldPlanWaitsForItsApproval) {
  Box box;
  box.daemon.roster_options = {{"max_retire_count", "0"}, {"max_retire_fraction", "0.0"}};
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "ready");
  box.daemon.write_roster("[[member]]\ncommunity_member_id = 1\n");
  expect_readiness(box, "roster_plan_held ");
  expect_metric(box, "rota_roster_plan_held", 1);
  expect_metric(box, "rota_roster_in_force", 0);
  const auto plan = box.daemon.admin(get("/v1/roster/plan")).text("id");
  EXPECT_EQ(box.daemon.cli({"approve", plan}).code, 0);
  expect_readiness(box, "ready");
  expect_metric(box, "rota_roster_plan_held", 0);
  expect_metric(box, "rota_roster_in_force", 1);
}

TEST(Health, P6ABrokenRosterIsSeenUntilItIsMended) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "ready");
  const double before = metric(box, "rota_roster_last_success_timestamp_seconds");
  box.daemon.write_roster(kBrokenRoster);
  expect_readiness(box, "roster_not_in_force ");
  expect_metric(box, "rota_roster_in_force", 0);
  EXPECT_EQ(metric(box, "rota_roster_last_success_timestamp_seconds"), before);
  // Where anybody may connect nothing of the file is quoted; the operator is told.
  EXPECT_THAT(ask_token_socket(box, "/readyz").body, Not(HasSubstr("roster.toml")));
  const Finished status = box.daemon.cli({"status"});
  EXPECT_EQ(status.code, 0);
  EXPECT_THAT(status.output, HasSubstr("NOT READY  the roster on disk is not in force"));
  EXPECT_THAT(status.output, HasSubstr("roster.toml:2"));
  EXPECT_EQ(box.daemon.cli({"status", "--check"}).code, 1);
  // A start with it goes on with the last good one, and is no better.
  EXPECT_EQ(box.daemon.stop(), 0);
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "roster_not_in_force ");
  box.daemon.write_roster(kThreeMembers);
  expect_readiness(box, "ready");
  EXPECT_GT(metric(box, "rota_roster_last_success_timestamp_seconds"), before);
  EXPECT_EQ(box.daemon.cli({"status", "--check"}).code, 0);
}

TEST(Health, ABrokenConfigurationIsSeenAtAReload) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "ready");
  box.daemon.extra = "colour = 1\n";
  box.daemon.write_config();
  EXPECT_NE(box.daemon.cli({"reload"}).code, 0);
  expect_readiness(box, "config_not_in_force ");
  expect_metric(box, "rota_config_in_force", 0);
  box.daemon.extra.clear();
  box.daemon.write_config();
  EXPECT_EQ(box.daemon.cli({"reload"}).code, 0);
  expect_readiness(box, "ready");
}

TEST(Health, P12MembersWithoutATokenAreSeenUntilCircleIsBack) {
  Box box({"--access-ttl", "6s", "--refresh-ttl", "10m"});
  ASSERT_TRUE(box.daemon.start());
  // One that never had a token is given time before it counts as overdue.
  expect_metric(box, "rota_members_fresh", 3);
  box.sandbox.process().signal(SIGSTOP);
  expect_readiness(box, "members_overdue upstream_failing ");
  expect_metric(box, "rota_members_overdue", 3);
  expect_metric(box, "rota_members_fresh", 0);
  expect_metric(box, R"(rota_upstream_breaker{state="failing"})", 1);
  box.sandbox.process().signal(SIGCONT);
  expect_readiness(box, "ready");
  expect_metric(box, "rota_members_overdue", 0);
  expect_metric(box, R"(rota_upstream_breaker{state="closed"})", 1);
}

TEST(Health, P8ARefusedAppTokenIsSeen) {
  Box box;
  box.sandbox.control(post("/_sandbox/app-token", R"({"app_token":"the-new-one"})"));
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "upstream_app_token_refused ");
}

TEST(Health, P10P11TcpHasHealthAndMetricsAndNothingElse) {
  Box box({"--access-ttl", "60s", "--refresh-ttl", "10m"});
  const std::uint16_t port = free_port();
  box.daemon.serve["metrics_listen"] = fmt::format("\"127.0.0.1:{}\"", port);
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "ready");
  const std::string token = box.daemon.token("community_member_id=1");
  ASSERT_FALSE(token.empty());
  const auto ask = [port](std::string_view request) {
    Connection connection = Connection::to_port(port);
    connection.send(request);
    return connection.read_reply();
  };
  EXPECT_EQ(ask(get("/healthz")).status, 200);
  EXPECT_EQ(ask(get("/readyz")).status, 200);
  const Reply reply = ask(get("/metrics"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.head, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  const auto metrics = testing::parse_metrics(reply.body);
  ASSERT_TRUE(metrics) << metrics.error();
  EXPECT_EQ(metrics->at("rota_ready"), 1);
  EXPECT_EQ(metrics->at(R"(rota_members{state="active"})"), 3);
  EXPECT_EQ(metrics->at(R"(rota_calls_total{kind="issue",outcome="issued"})"), 3);
  EXPECT_GE(metrics->at("rota_budget_calls_used"), 3);
  for (const std::string& inside : {token, std::string("member2@"), std::string("Ada")}) {
    EXPECT_THAT(reply.body, Not(HasSubstr(inside)));
  }
  for (const char* path :
       {"/v1/token?community_member_id=1", "/v1/status", "/v1/members", "/v1/roster/plan"}) {
    EXPECT_EQ(ask(get(path)).status, 404) << path;
  }
  EXPECT_EQ(ask(post("/v1/members/id:1/revoke")).status, 404);
  EXPECT_EQ(ask("GET /metrics HTTP/1.1\nHost: a\n\n").status, 400);
  EXPECT_EQ(ask_token_socket(box, "/metrics").status, 404);

  EXPECT_EQ(box.daemon.stop(), 0);
  ASSERT_TRUE(box.daemon.start()) << "the port is free again";
  EXPECT_EQ(ask(get("/healthz")).status, 200);
}

// What is measured where it happens: calls, commits, waits, connections, and the process.
TEST(Health, MetricsTellWhatTakesHowLongAndWhoIsThere) {
  Box box;
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "ready");
  ASSERT_EQ(box.daemon.admin(post("/v1/members/id:1/rotate")).status, 200);
  ASSERT_FALSE(box.daemon.token("community_member_id=1").empty());
  ASSERT_EQ(box.daemon.fetch("email=nobody%40example.com").status, 404);
  Connection stays = Connection::to_unix(box.daemon.token_socket());
  stays.send(get("/healthz"));
  ASSERT_EQ(stays.read_reply().status, 200);

  const auto metrics = testing::parse_metrics(box.daemon.admin(get("/metrics")).body);
  ASSERT_TRUE(metrics) << metrics.error();
  const auto issues = metrics->at(R"(rota_calls_total{kind="issue",outcome="issued"})");
  EXPECT_EQ(metrics->at(R"(rota_call_duration_seconds_count{kind="issue"})"), issues);
  EXPECT_EQ(metrics->at(R"(rota_call_duration_seconds_count{kind="refresh"})"), 1);
  EXPECT_GT(metrics->at(R"(rota_call_duration_seconds_sum{kind="refresh"})"), 0);
  EXPECT_GT(metrics->at("rota_commit_duration_seconds_count"), 2);
  EXPECT_EQ(metrics->at("rota_loop_lag_seconds_count"),
            metrics->at("rota_commit_duration_seconds_count"));
  EXPECT_GE(metrics->at("rota_tokens_given_total"), 1);
  EXPECT_EQ(metrics->at(R"(rota_error_replies_total{code="member_unknown"})"), 1);
  EXPECT_EQ(metrics->at(R"(rota_connections{socket="token"})"), 1);
  EXPECT_EQ(metrics->at(R"(rota_connections{socket="admin"})"), 1) << "this one";
  EXPECT_GT(metrics->at("process_resident_memory_bytes"), 1'000'000);
  EXPECT_GT(metrics->at("process_virtual_memory_bytes"),
            metrics->at("process_resident_memory_bytes"));
  EXPECT_GT(metrics->at("process_open_fds"), 5);
  EXPECT_GE(metrics->at("process_max_fds"), metrics->at("process_open_fds"));
  EXPECT_GT(metrics->at("process_cpu_seconds_total"), 0);
  constexpr double kYear2020 = 1'577'836'800;
  EXPECT_GT(metrics->at("process_start_time_seconds"), kYear2020);
  EXPECT_GT(metrics->at("rota_least_remaining_life_seconds"), 0);
}

// What is not the main job ends nothing: it is tried again.
TEST(Health, AMetricsPortThatIsTakenIsTriedAgain) {
  Box box;
  const std::uint16_t port = free_port();
  const auto occupy = [port] {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    address.sin_port = ::htons(port);
    EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(fd, 1), 0);
    return fd;
  };
  const int taken = occupy();
  box.daemon.serve["metrics_listen"] = fmt::format("\"127.0.0.1:{}\"", port);
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "metrics_not_listening ");
  EXPECT_THAT(box.daemon.cli({"status", "--all"}).output, HasSubstr("in use: another process"));
  EXPECT_FALSE(box.daemon.token("community_member_id=1").empty());
  ::close(taken);
  expect_readiness(box, "ready");
  Connection monitor = Connection::to_port(port);
  monitor.send(get("/healthz"));
  EXPECT_EQ(monitor.read_reply().status, 200);
  EXPECT_EQ(box.daemon.stop(), 0);
}

TEST(Health, AMetricsAddressThatIsNotUpEndsNothing) {
  Box box;
  box.daemon.serve["metrics_listen"] = "\"192.0.2.1:9468\"";  // of nobody: RFC 5737
  ASSERT_TRUE(box.daemon.start());
  expect_readiness(box, "metrics_not_listening ");
  EXPECT_EQ(box.daemon.stop(), 0);
}

}  // namespace
}  // namespace rota::e2e

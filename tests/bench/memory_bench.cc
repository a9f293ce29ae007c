#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/fetch_load.h"
#include "bench/many_members.h"
#include "e2e/box.h"

// Memory a member, of all that the process has: of members of the roster, and of members that
// clients enrol by id and by address; right after they got their tokens, and after a restart.
//
//   memory_bench [MEMBERS]

namespace rota::bench {
namespace {

constexpr std::size_t kConnections = 50;
constexpr double kEnrolmentsPerSecond = 1'500;
constexpr std::chrono::seconds kWindow{2};
constexpr int kInRoster = 3;  // the numbers of others begin behind them

enum class By { kRoster, kId, kEmail };

bool holds(std::string_view what, bool yes) {
  if (!yes) fmt::print(stderr, "memory_bench: {}\n", what);
  return yes;
}

std::string_view name_of(By by) {
  switch (by) {
    case By::kRoster:
      return "of the roster";
    case By::kId:
      return "enrolled by id";
    case By::kEmail:
      return "enrolled by email";
  }
  return {};
}

std::string query_of(By by, int member) {
  return by == By::kEmail ? fmt::format("email=member{}@example.com", member)
                          : fmt::format("community_member_id={}", member);
}

// Each at its time, one after the other; a fetch that is not answered with 200 ends the process.
void enrol(const e2e::Daemon& daemon, By by, int count) {
  std::vector<std::string> requests;
  for (int i = 1; i <= count; ++i) {
    requests.push_back(
        e2e::get(fmt::format("/v1/token?{}&enrol=true&wait=30s", query_of(by, kInRoster + i))));
  }
  FetchLoad load(daemon.token_socket().string(), kConnections, kEnrolmentsPerSecond,
                 std::move(requests));
  (void)load.run(std::chrono::milliseconds{static_cast<int>(1'000 * count / kEnrolmentsPerSecond)});
}

// Memory has the calls of the last window until the first commit after it. A budget that real
// communities have is 1,200 in five minutes, so these are few calls, and not one for each member.
bool let_calls_go(e2e::Daemon& daemon) {
  daemon.process().ends_within(2 * kWindow);
  return daemon.admin(e2e::post("/v1/members/id:1/rotate")).status == 200;
}

bool measure(By by, int members) {
  e2e::Box box({"--members", fmt::to_string(members + kInRoster), "--rate-limit", "0",
                "--access-ttl", "24h", "--refresh-ttl", "30d"});
  e2e::Daemon& daemon = box.daemon;
  daemon.log_level = "info";
  daemon.rotation = {{"refresh_ahead", "\"10m\""}};
  daemon.upstream = {{"requests_per_window", "1000000"},
                     {"window", fmt::format("\"{}s\"", kWindow.count())},
                     {"max_in_flight", "64"}};
  daemon.extra = "[enrolment]\nbudget_share = 1.0\n";
  if (by == By::kRoster) daemon.write_roster(roster_of(members));
  if (!holds("no start", daemon.start())) return false;
  if (by != By::kRoster) enrol(daemon, by, members);
  const auto fresh = [&] { return fresh_members(daemon) >= members; };
  if (!holds("not all have a token", e2e::eventually(fresh, e2e::Seconds{600}))) return false;
  if (!holds("no end of the window", let_calls_go(daemon))) return false;
  const double before = kilobytes_a_member(daemon.process().pid(), members);
  if (!holds("no stop", daemon.stop() == 0) || !holds("no start", daemon.start())) return false;
  if (!holds("not all are served", e2e::eventually(fresh))) return false;
  if (!holds("no end of the window", let_calls_go(daemon))) return false;
  fmt::print("{} members {}: {:.2f} kB a member right after, {:.2f} kB after a restart\n", members,
             name_of(by), before, kilobytes_a_member(daemon.process().pid(), members));
  // The end of a box compares each token with all that the daemon wrote, unless Circle is gone.
  box.sandbox.process().kill_and_wait(SIGKILL);
  return true;
}

}  // namespace
}  // namespace rota::bench

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int members = std::max(argc > 1 ? std::atoi(argv[1]) : 100'000, 1);
  using rota::bench::By;
  bool done = true;
  for (const By by : {By::kRoster, By::kId, By::kEmail}) {
    done = done && rota::bench::measure(by, members);
  }
  return done && !::testing::Test::HasFailure() ? 0 : 1;
}

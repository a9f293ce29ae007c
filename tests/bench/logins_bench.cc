#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/closed_load.h"
#include "bench/fetch_load.h"
#include "e2e/box.h"

// What members cost that clients enrol, and logins by Circle's own API:
//   - a fetch of one beside a fetch of a member of the roster, and a login (POST auth_token) beside
//   a fetch;
//   - 1,000 logins a second for 10,000 members: processor time, bytes written, calls to Circle;
//   - the first token: its median beyond the time that Circle takes.

namespace rota::bench {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::seconds;

constexpr std::size_t kConnections = 50;
constexpr int kRounds = 5;
constexpr std::chrono::milliseconds kPhase{2'000};

constexpr int kLoginMembers = 10'000;
constexpr double kLoginsPerSecond = 1'000;
// Less than three logins a member and minute: from the third on a client doubts the token.
constexpr Seconds kLoginTime{15};

constexpr int kFirstTokens = 200;
constexpr std::chrono::milliseconds kCircleTakes{50};

constexpr double kEnrolmentsPerSecond = 1'500;

std::string fetch_of(int member) {
  return e2e::get(fmt::format("/v1/token?community_member_id={}", member));
}

std::string first_fetch_of(int member) {
  return e2e::get(fmt::format("/v1/token?community_member_id={}&enrol=true&wait=30s", member));
}

std::string login_of(int member) {
  return e2e::post("/api/v1/headless/auth_token",
                   fmt::format("{{\"community_member_id\":{}}}", member));
}

bool holds(std::string_view what, bool yes) {
  if (!yes) fmt::print(stderr, "logins_bench: {}\n", what);
  return yes;
}

// A field of a file of /proc/PID.
std::int64_t proc_value(pid_t pid, std::string_view file, std::string_view name) {
  std::ifstream in(fmt::format("/proc/{}/{}", pid, file));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name)) return std::strtoll(line.c_str() + name.size(), nullptr, 10);
  }
  return 0;
}

// A sandbox of so many members that never says 429, and a daemon whose budget holds nobody back.
e2e::Box make_box(int members, std::vector<std::string> more_options = {}) {
  std::vector<std::string> options{
      "--members", fmt::to_string(members), "--rate-limit", "0", "--access-ttl",
      "24h",       "--refresh-ttl",         "30d"};
  options.insert(options.end(), more_options.begin(), more_options.end());
  return e2e::Box(std::move(options));
}

bool start(e2e::Daemon& daemon) {
  daemon.log_level = "info";
  daemon.rotation = {{"refresh_ahead", "\"10m\""}};
  daemon.upstream = {{"requests_per_window", "1000000"}, {"max_in_flight", "64"}};
  daemon.extra = "[enrolment]\nbudget_share = 1.0\n";
  return holds("no start", daemon.start());
}

// Each at its time, one after the other.
void enrol(const e2e::Daemon& daemon, int first, int count) {
  std::vector<std::string> requests;
  for (int i = 0; i < count; ++i) requests.push_back(first_fetch_of(first + i));
  FetchLoad load(daemon.token_socket().string(), kConnections, kEnrolmentsPerSecond,
                 std::move(requests));
  // One turn of the requests is that long.
  (void)load.run(std::chrono::milliseconds{static_cast<int>(1'000 * count / kEnrolmentsPerSecond)});
}

// The end of a box compares each token with each line of the audit trail, unless Circle is gone.
void leave(e2e::Box& box) { box.sandbox.process().kill_and_wait(SIGKILL); }

bool compare_requests(e2e::Daemon& daemon) {
  const auto target = [&](std::string request) {
    return Target{.path = daemon.token_socket().string(),
                  .pid = daemon.process().pid(),
                  .request = std::move(request),
                  .last = '}'};
  };
  const Target rostered = target(fetch_of(1));
  const Target enrolled = target(fetch_of(4));
  const Target login = target(login_of(1));
  std::vector<double> enrolled_rate, enrolled_cost, login_rate, login_cost;
  for (int round = 0; round < kRounds; ++round) {
    const Figures base = measure(rostered, kConnections, kPhase);
    const Figures of_enrolled = measure(enrolled, kConnections, kPhase);
    const Figures of_login = measure(login, kConnections, kPhase);
    fmt::print(
        "roster {:>7.0f}/s {:>5.2f} us   enrolled {:>7.0f}/s {:>5.2f} us   login {:>7.0f}/s "
        "{:>5.2f} us\n",
        base.per_second, base.microseconds, of_enrolled.per_second, of_enrolled.microseconds,
        of_login.per_second, of_login.microseconds);
    enrolled_rate.push_back(of_enrolled.per_second / base.per_second);
    enrolled_cost.push_back(of_enrolled.microseconds / base.microseconds);
    login_rate.push_back(of_login.per_second / base.per_second);
    login_cost.push_back(of_login.microseconds / base.microseconds);
  }
  fmt::print(
      "a fetch of an enrolled member: {:.2f} of the throughput, {:.2f} of the processor time; a "
      "login: {:.2f}, {:.2f}\n",
      median(enrolled_rate), median(enrolled_cost), median(login_rate), median(login_cost));
  return true;
}

bool many_logins(e2e::Box& box) {
  const pid_t pid = box.daemon.process().pid();
  std::vector<std::string> requests;
  for (int i = 1; i <= kLoginMembers; ++i) requests.push_back(login_of(i));
  FetchLoad load(box.daemon.token_socket().string(), kConnections, kLoginsPerSecond,
                 std::move(requests));
  const auto calls = box.sandbox.calls();
  const auto written = proc_value(pid, "io", "write_bytes:");
  const double spent = processor_time(pid);
  const Latencies times = load.run(kLoginTime);
  fmt::print(
      "{:.0f} logins a second for {} members: {:.1f} % of one core, p99 {:.2f} ms, {} calls, {} "
      "bytes written\n",
      kLoginsPerSecond, kLoginMembers,
      100 * (processor_time(pid) - spent) / std::chrono::duration<double>(kLoginTime).count(),
      std::chrono::duration<double, std::milli>(times.at(0.99)).count(),
      box.sandbox.calls() - calls, proc_value(pid, "io", "write_bytes:") - written);
  return true;
}

bool first_tokens() {
  e2e::Box box =
      make_box(kFirstTokens + 10, {"--latency", fmt::format("{}ms", kCircleTakes.count())});
  if (!start(box.daemon)) return false;
  std::vector<double> beyond;
  auto connection = e2e::Connection::to_unix(box.daemon.token_socket());
  const auto calls = box.sandbox.calls();
  for (int i = 0; i < kFirstTokens; ++i) {
    const auto from = Clock::now();
    connection.send(first_fetch_of(10 + i));
    if (!holds("no first token", connection.read_reply().status == 200)) return false;
    beyond.push_back(
        std::chrono::duration<double, std::milli>(Clock::now() - from - kCircleTakes).count());
  }
  fmt::print(
      "first token of an enrolled member: {:.2f} ms beyond Circle's {} ms, {:.2f} calls each\n",
      median(beyond), kCircleTakes.count(),
      static_cast<double>(box.sandbox.calls() - calls) / kFirstTokens);
  return true;
}

bool run() {
  {
    e2e::Box box = make_box(kLoginMembers);
    if (!start(box.daemon)) return false;
    enrol(box.daemon, 4, kLoginMembers - 3);
    const auto has_token = [&] { return box.daemon.fetch("community_member_id=1").status == 200; };
    if (!holds("no token", e2e::eventually(has_token))) return false;
    if (!many_logins(box) || !compare_requests(box.daemon)) return false;
    leave(box);
  }
  return first_tokens();
}

}  // namespace
}  // namespace rota::bench

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const bool done = rota::bench::run();
  return done && !::testing::Test::HasFailure() ? 0 : 1;
}

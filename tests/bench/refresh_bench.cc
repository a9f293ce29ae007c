// What a refresh costs and how many there are in a second, with tokens of real size (some 560
// bytes) and commits that wait for the disk.
//
//   refresh_bench [SECONDS-OF-A-PHASE [ROUNDS [64|256|fetches]]]
//
//   1. The daemon refreshes as fast as it can, with 64 and with 256 calls in flight; in between
//      wrk sends the same PATCH over as many connections to the same sandbox, while the daemon is
//      stopped. The ratio is that of the medians. Processor time and bytes are the daemon's own, by
//      /proc/PID: what belongs to a refresh is its journal row, the new token, the old one's end
//      and its entry of the audit trail.
//   2. The p99.9 of fetches at a daemon that refreshes some 3,000 tokens a second, beside that of
//      one that refreshes nothing, alone and while the other one refreshes: the last shows what
//      sharing the machine costs.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fetch_load.h"
#include "e2e/box.h"
#include "support/metrics.h"

namespace rota::bench {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// Refreshed at half their life, they are due more often than the daemon can refresh them.
constexpr int kMembers = 20'000;
constexpr const char* kLife = "3s";
// 12,000 members of 8 s: 3,000 a second, and some for jitter.
constexpr int kPacedMembers = 12'000;
constexpr const char* kPacedLife = "8s";
constexpr std::size_t kConnections = 50;
constexpr double kFetchesPerSecond = 2'000;
// Tokens that live for 8 s are refreshed at half their life, which is also the least life that a
// fetch asks for by default: it would wait for the refresh. With tokens of an hour it never does.
constexpr const char* kFetched = "community_member_id=1&min_ttl=1s";

[[noreturn]] void give_up(std::string_view why) {
  fmt::print(stderr, "refresh_bench: {}\n", why);
  std::exit(1);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

void let_it_work(milliseconds length) { ::poll(nullptr, 0, static_cast<int>(length.count())); }

std::string roster_of(int members) {
  std::string text;
  for (int i = 1; i <= members; ++i) {
    text += fmt::format("[[member]]\ncommunity_member_id = {}\n", i);
  }
  return text;
}

// Does `work` while the daemon is stopped.
void without(e2e::Daemon& daemon, auto work) {
  daemon.process().signal(SIGSTOP);
  work();
  daemon.process().signal(SIGCONT);
}

// What a process has used since it began.
struct Spent {
  double refreshes = 0;
  double cpu_us = 0;
  double bytes = 0;
  Clock::time_point at{};

  static Spent of(e2e::Daemon& daemon) {
    Spent spent;
    const auto metrics = testing::parse_metrics(daemon.admin(e2e::get("/metrics")).body);
    if (!metrics) give_up("no metrics");
    for (const auto& [name, value] : *metrics) {
      if (name.starts_with(R"(rota_calls_total{kind="refresh")")) spent.refreshes += value;
    }
    const pid_t pid = daemon.process().pid();
    const std::string stat = testing::read_bytes(fmt::format("/proc/{}/stat", pid));
    unsigned long user = 0, system = 0;
    std::sscanf(stat.c_str() + stat.rfind(')'),
                ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    spent.cpu_us =
        static_cast<double>(user + system) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
    const std::string io = testing::read_bytes(fmt::format("/proc/{}/io", pid));
    const auto at = io.find("\nwrite_bytes: ");
    if (at == std::string::npos) give_up("no /proc/PID/io");
    spent.bytes = std::strtod(io.c_str() + at + 14, nullptr);
    spent.at = Clock::now();
    return spent;
  }
};

// Requests a second.
class Wrk {
 public:
  Wrk(const std::filesystem::path& folder, const e2e::Sandbox& sandbox, std::size_t connections)
      : folder_(folder), url_(sandbox.url()), connections_(connections) {
    std::string bodies;
    for (int member = 1; member <= 100; ++member) {
      for (const std::string& token : sandbox.tokens(member, "refresh", "live")) {
        bodies += fmt::format("  '{{\"refresh_token\":\"{}\"}}',\n", token);
      }
    }
    std::ofstream(folder_ / "refresh.lua")
        << "local bodies = {\n"
        << bodies << "}\nlocal next = 0\n"
        << "wrk.method = 'PATCH'\nwrk.path = '/api/v1/headless/access_token/refresh'\n"
        << "wrk.headers['Authorization'] = 'Bearer " << e2e::kAppToken << "'\n"
        << "wrk.headers['Content-Type'] = 'application/json'\n"
        << "function request()\n  next = next % #bodies + 1\n"
        << "  return wrk.format(nil, nil, nil, bodies[next])\nend\n";
  }

  double run(milliseconds length) const {
    const auto seconds = std::max<milliseconds::rep>(1, length.count() / 1'000);
    const auto done =
        e2e::run({"/usr/bin/wrk", "-t", "1", "-c", fmt::to_string(connections_), "-d",
                  fmt::format("{}s", seconds), "-s", (folder_ / "refresh.lua").string(), url_},
                 folder_);
    const auto at = done.output.find("Requests/sec:");
    if (done.code != 0 || at == std::string::npos) give_up("wrk failed:\n" + done.output);
    if (done.output.find("Non-2xx") != std::string::npos) give_up("refused:\n" + done.output);
    return std::strtod(done.output.c_str() + at + 13, nullptr);
  }

 private:
  const std::filesystem::path folder_;
  const std::string url_;
  const std::size_t connections_;
};

bool start(e2e::Daemon& daemon, const e2e::Sandbox& sandbox, int members, std::size_t in_flight) {
  daemon.base_url = sandbox.url();
  daemon.rotation = {{"refresh_ahead", "\"10m\""}};
  daemon.upstream = {{"requests_per_window", "1000000"},
                     {"window", "\"10s\""},
                     {"max_in_flight", fmt::to_string(in_flight)}};
  daemon.log_level = "info";
  daemon.write_roster(roster_of(members));
  if (!daemon.start()) return false;
  const auto issued = [&daemon, members] {
    const auto metrics = testing::parse_metrics(daemon.admin(e2e::get("/metrics")).body);
    return metrics && metrics->at(R"(rota_calls_total{kind="issue",outcome="issued"})") >= members;
  };
  return e2e::eventually(issued, e2e::Seconds{120});
}

void measure_speed(std::size_t in_flight, milliseconds phase, int rounds) {
  const testing::TempDirectory folder;
  const e2e::Sandbox sandbox(folder.path(), {"--members", fmt::to_string(kMembers), "--rate-limit",
                                             "0", "--access-ttl", kLife, "--refresh-ttl", "30d"});
  e2e::Daemon daemon(folder / "d");
  if (!start(daemon, sandbox, kMembers, in_flight)) give_up("no start");
  const Wrk wrk(folder.path(), sandbox, in_flight);
  std::vector<double> speed, wrks, cpu, bytes;
  for (int round = 0; round < rounds; ++round) {
    const Spent before = Spent::of(daemon);
    let_it_work(phase);
    const Spent after = Spent::of(daemon);
    const double refreshes = after.refreshes - before.refreshes;
    speed.push_back(refreshes / std::chrono::duration<double>(after.at - before.at).count());
    cpu.push_back((after.cpu_us - before.cpu_us) / refreshes);
    bytes.push_back((after.bytes - before.bytes) / refreshes / 1e3);
    without(daemon, [&] { wrks.push_back(wrk.run(phase)); });
  }
  fmt::print(
      "{:>3} in flight: {:>6.0f} refreshes a second, {:.2f} of wrk's {:.0f}; {:.0f} us of "
      "processor time and {:.1f} kB written a refresh\n",
      in_flight, median(speed), median(speed) / median(wrks), median(wrks), median(cpu),
      median(bytes));
}

void measure_fetches(milliseconds phase, int rounds) {
  const testing::TempDirectory folder;
  const std::vector<std::string> members{
      "--members", fmt::to_string(kPacedMembers), "--rate-limit", "0", "--refresh-ttl", "30d"};
  const auto with_life = [&members](const char* life) {
    std::vector<std::string> options = members;
    options.insert(options.end(), {"--access-ttl", life});
    return options;
  };
  std::filesystem::create_directory(folder / "i");
  const e2e::Sandbox idle_sandbox(folder / "i", with_life("24h"));
  const e2e::Sandbox sandbox(folder.path(), with_life(kPacedLife));
  e2e::Daemon idle(folder / "a");
  e2e::Daemon busy(folder / "b");
  if (!start(idle, idle_sandbox, kPacedMembers, 64)) give_up("no start");
  if (!start(busy, sandbox, kPacedMembers, 64)) give_up("no start");
  FetchLoad from_idle(idle.token_socket().string(), kConnections, kFetchesPerSecond, kFetched);
  FetchLoad from_busy(busy.token_socket().string(), kConnections, kFetchesPerSecond, kFetched);
  std::vector<double> alone, elsewhere, beside, speed;
  const auto p999 = [](const Latencies& times) {
    return static_cast<double>(times.at(0.999).count()) / 1e3;
  };
  for (int round = 0; round < rounds; ++round) {
    without(busy, [&] { alone.push_back(p999(from_idle.run(phase))); });
    // What fell due meanwhile is made up for first.
    let_it_work(phase);
    elsewhere.push_back(p999(from_idle.run(phase)));
    const Spent before = Spent::of(busy);
    beside.push_back(p999(from_busy.run(phase)));
    const Spent after = Spent::of(busy);
    speed.push_back((after.refreshes - before.refreshes) /
                    std::chrono::duration<double>(after.at - before.at).count());
  }
  fmt::print(
      "p99.9 of a fetch: {:.0f} us idle, {:.0f} us ({:.1f} times) beside another daemon's {:.0f} "
      "refreshes a second, {:.0f} us ({:.1f} times) beside its own\n",
      median(alone), median(elsewhere), median(elsewhere) / median(alone), median(speed),
      median(beside), median(beside) / median(alone));
}

}  // namespace
}  // namespace rota::bench

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const auto phase = std::chrono::milliseconds{1'000 * (argc > 1 ? std::atoi(argv[1]) : 3)};
  const int rounds = std::max(1, argc > 2 ? std::atoi(argv[2]) : 5);
  const std::string_view only = argc > 3 ? argv[3] : "";
  if (only.empty() || only == "64") rota::bench::measure_speed(64, phase, rounds);
  if (only.empty() || only == "256") rota::bench::measure_speed(256, phase, rounds);
  if (only.empty() || only == "fetches") rota::bench::measure_fetches(phase, rounds);
  return ::testing::Test::HasFailure() ? 1 : 0;
}

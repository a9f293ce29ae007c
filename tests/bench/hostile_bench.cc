// What 1,000 clients that mean no good cost the good ones (P11): 8 connections fetch at a fixed
// rate, alone, then while the others beset another daemon of the same machine, which shows what
// sharing it costs, and then while they beset the same one. With the limits as shipped, where most
// of them are refused, and with limits that admit all; and each of these with the crowd on a
// processor of its own, where what the daemon does is seen, and where the scheduler puts it, which
// on two processors is often before the daemon or its client.

#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/fetch_load.h"
#include "e2e/box.h"
#include "support/hostile_crowd.h"
#include "support/metrics.h"

namespace rota::bench {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kGood = 8;
constexpr double kFetchesPerSecond = 2'000;
constexpr std::size_t kHostile = 1'000;
constexpr int kStepMs = 25;
// Each phase comes in every round, and the median round counts: what else the machine does passes.
constexpr int kRounds = 9;
constexpr milliseconds kPhase{1'200};
constexpr int kGatherMs = 500;
constexpr uid_t kNobody = 65'534;
constexpr rlim_t kDescriptors = 4'096;

enum class Placement { kCrowdApart, kScheduler };

// Keeps this process, and those that it starts, on the first processor or on the others.
void stay_on(bool first) {
  cpu_set_t processors;
  CPU_ZERO(&processors);
  for (unsigned i = 0; i < static_cast<unsigned>(::get_nprocs_conf()); ++i) {
    if ((i == 0) == first) CPU_SET(i, &processors);
  }
  if (::sched_setaffinity(0, sizeof processors, &processors) != 0) ::_exit(1);
}

// The crowd in a process of its own, under another user where that is possible.
class Crowd {
 public:
  Crowd(const std::string& socket_path, Placement placement) {
    pid_ = ::fork();
    if (pid_ != 0) {
      ::poll(nullptr, 0, kGatherMs);
      return;
    }
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(1);
    if (placement == Placement::kCrowdApart) stay_on(false);
    testing::HostileCrowd crowd(socket_path, kHostile);
    for (;;) {
      crowd.step();
      ::poll(nullptr, 0, kStepMs);
    }
  }
  ~Crowd() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

 private:
  pid_t pid_ = -1;
};

double microseconds(Nanoseconds time) { return static_cast<double>(time.count()) / 1e3; }

// The percentiles of one phase, a value for each round.
struct Phase {
  std::vector<double> p50;
  std::vector<double> p99;

  void add(const Latencies& times) {
    p50.push_back(microseconds(times.at(0.5)));
    p99.push_back(microseconds(times.at(0.99)));
  }
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.at(values.size() / 2);
}

void print(std::string_view what, const Phase& phase, const Phase& alone) {
  const double p50 = median(phase.p50);
  const double p99 = median(phase.p99);
  fmt::print("  {:<24}  p50 {:>7.0f} us ({:>4.1f})   p99 {:>7.0f} us ({:>4.1f})\n", what, p50,
             p50 / median(alone.p50), p99, p99 / median(alone.p99));
}

double metric(const e2e::Daemon& daemon, const std::string& sample) {
  const auto metrics = testing::parse_metrics(daemon.admin(e2e::get("/metrics")).body);
  return metrics && metrics->contains(sample) ? metrics->at(sample) : -1;
}

std::string cpu_seconds(pid_t pid) {
  const std::string stat = testing::read_bytes(fmt::format("/proc/{}/stat", pid));
  unsigned long user = 0, system = 0;
  if (std::sscanf(stat.c_str() + stat.rfind(')'),
                  ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) {
    return "?";
  }
  return fmt::format(
      "{:.1f}", static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK)));
}

bool start(e2e::Daemon& daemon, const std::string& base_url, const std::string& socket_path,
           std::size_t per_uid) {
  daemon.base_url = base_url;
  daemon.long_socket = socket_path;
  daemon.serve = {{"token_socket_mode", "\"0666\""},
                  {"max_connections", "2000"},
                  {"max_connections_per_uid", std::to_string(per_uid)}};
  daemon.write_roster("[[member]]\ncommunity_member_id = 1\n");
  if (!daemon.start()) return false;
  return e2e::eventually([&] {
    auto connection = e2e::Connection::to_unix(socket_path);
    connection.send(e2e::get("/v1/token?community_member_id=1"));
    return connection.read_reply().status == 200;
  });
}

bool measure(std::string_view variant, std::size_t per_uid, Placement placement) {
  const testing::TempDirectory folder;
  ::chmod(folder.path().c_str(), 0755);  // another user must get at the sockets
  const e2e::Sandbox sandbox(folder.path(), {"--access-ttl", "60m", "--refresh-ttl", "20h"});
  e2e::Daemon daemon(folder / "a");
  e2e::Daemon other(folder / "b");
  const std::string socket_path = (folder / "a.sock").string();
  const std::string other_path = (folder / "b.sock").string();
  if (!start(daemon, sandbox.url(), socket_path, per_uid)) return false;
  if (!start(other, sandbox.url(), other_path, per_uid)) return false;

  FetchLoad good(socket_path, kGood, kFetchesPerSecond);
  fmt::print("{}\n", variant);
  Phase alone, elsewhere, beside;
  for (int round = 0; round < kRounds; ++round) {
    alone.add(good.run(kPhase));
    {
      const Crowd crowd(other_path, placement);
      elsewhere.add(good.run(kPhase));
    }
    const Crowd crowd(socket_path, placement);
    beside.add(good.run(kPhase));
  }
  print("alone", alone, alone);
  print("1,000 hostile elsewhere", elsewhere, alone);
  print("beside 1,000 hostile", beside, alone);
  fmt::print("  {} refused, {} s of processor time\n\n",
             metric(daemon, R"(rota_connections_refused_total{limit="uid"})"),
             cpu_seconds(daemon.process().pid()));
  return true;
}

}  // namespace
}  // namespace rota::bench

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min(files.rlim_max, rota::bench::kDescriptors);
  ::setrlimit(RLIMIT_NOFILE, &files);
  if (::geteuid() != 0) {
    fmt::print("not root: the hostile clients are of the same user as the good ones\n");
  }
  fmt::print(
      "8 connections, 2,000 fetches a second in all; in brackets: times what it is alone\n\n");
  using rota::bench::measure, rota::bench::Placement;
  if (!measure("256 connections for each user", 256, Placement::kScheduler) ||
      !measure("all admitted", 2'000, Placement::kScheduler)) {
    return 1;
  }
  if (::get_nprocs_conf() == 1) {
    fmt::print("one processor: the crowd can have none of its own\n");
    return 0;
  }
  rota::bench::stay_on(true);
  return measure("256 connections for each user, the crowd on a processor of its own", 256,
                 Placement::kCrowdApart) &&
                 measure("all admitted, the crowd on a processor of its own", 2'000,
                         Placement::kCrowdApart)
             ? 0
             : 1;
}

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/many_members.h"
#include "e2e/box.h"

// From the start of the process to the first token of a restarted rotad, with a client waiting in
// the inherited socket's queue, as systemd leaves it. What is printed is milliseconds. Then what
// the daemon costs that nobody asks for anything: its memory, and its context switches.
//
//   restart_bench [MEMBERS [ROUNDS]]

namespace rota::e2e {
namespace {

using Clock = std::chrono::steady_clock;

// What a start leaves to do is no rest.
constexpr int kSettleSeconds = 5;
constexpr int kIdleSeconds = 30;

int listen_on(const std::filesystem::path& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::listen(fd, SOMAXCONN);
  return ::fcntl(fd, F_DUPFD_CLOEXEC, 100);  // above the number that the daemon gets it as
}

bool holds(const char* what, bool yes) {
  if (!yes) fmt::print(stderr, "restart_bench: {}\n", what);
  return yes;
}

std::int64_t switches_of(pid_t pid) {
  return bench::status_of(pid, "voluntary_ctxt_switches:", bench::Of::kAllThreads) +
         bench::status_of(pid, "nonvoluntary_ctxt_switches:", bench::Of::kAllThreads);
}

double millis(Clock::duration spent) {
  return std::chrono::duration<double, std::milli>(spent).count();
}

int run_bench(int members, int rounds) {
  testing::TempDirectory folder;
  Sandbox sandbox(folder.path(), {"--members", fmt::to_string(members), "--rate-limit", "0",
                                  "--access-ttl", "24h", "--refresh-ttl", "30d"});
  Daemon daemon(folder.path() / "d");
  daemon.base_url = sandbox.url();
  daemon.rotation = {{"refresh_ahead", "\"10m\""}};
  daemon.upstream = {{"requests_per_window", "1000000"}};
  daemon.log_level = "info";
  daemon.write_roster(bench::roster_of(members));
  daemon.write_config();
  const auto path = folder.path() / "handed.sock";
  const int socket = listen_on(path);
  const auto launch = [&] {
    daemon.launch({socket},
                  "LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES=token; "
                  "export LISTEN_PID LISTEN_FDS LISTEN_FDNAMES;");
  };
  const std::string request = get(fmt::format("/v1/token?community_member_id={}", members));
  const auto fresh = [&] { return bench::fresh_members(daemon) == members; };

  launch();
  if (!holds("no start", daemon.wait_for_notice("READY=1"))) return 1;
  if (!holds("not all members got a token", eventually(fresh, Seconds{600}))) return 1;

  std::vector<double> first_token;
  const auto calls_before = sandbox.calls();
  for (int round = 0; round < rounds; ++round) {
    if (!holds("no stop", daemon.stop() == 0)) return 1;
    Connection waiting = Connection::to_unix(path);
    waiting.send(request);
    const auto start = Clock::now();
    launch();
    const Reply reply = waiting.read_reply();
    first_token.push_back(millis(Clock::now() - start));
    if (!holds("no token", reply.status == 200)) return 1;
    if (!holds("not ready", daemon.wait_for_notice("READY=1"))) return 1;
  }
  std::ranges::sort(first_token);
  fmt::print(
      "{} members, {} restarts: first token after {:.0f} ms (least {:.0f}, most {:.0f}), "
      "{} calls to Circle\n",
      members, rounds, first_token[first_token.size() / 2], first_token.front(), first_token.back(),
      sandbox.calls() - calls_before);

  const pid_t pid = daemon.process().pid();
  const double kilobytes = bench::kilobytes_a_member(pid, members);
  daemon.process().ends_within(std::chrono::seconds{kSettleSeconds});
  const std::int64_t switches = switches_of(pid);
  daemon.process().ends_within(std::chrono::seconds{kIdleSeconds});
  fmt::print("{:.2f} kB a member in all, {:.1f} context switches a second at rest\n", kilobytes,
             static_cast<double>(switches_of(pid) - switches) / kIdleSeconds);
  return 0;
}

}  // namespace
}  // namespace rota::e2e

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  const int members = argc > 1 ? std::atoi(argv[1]) : 100'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  const int code = rota::e2e::run_bench(members, std::max(rounds, 1));
  return ::testing::Test::HasFailure() ? 1 : code;
}

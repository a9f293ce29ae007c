// What nested epoll sets of other users cost a new connection (P11). The kernel checks whatever is
// added to a nested set under one mutex for the whole machine, and the check takes as long as the
// sets are large. So any local user can keep that mutex busy, without any access to the socket.

#include <fmt/format.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <vector>

#include "e2e/box.h"

namespace rota::bench {
namespace {

using std::chrono::steady_clock;

constexpr int kAttackers = 2;
// Every file is in every set: each check of one set looks at all ways from each of its files.
constexpr std::size_t kFiles = 600;
constexpr std::size_t kSets = 800;  // the kernel takes no more than 1,000 ways to a file
constexpr rlim_t kDescriptors = 20'000;
constexpr int kConnections = 200;
constexpr int kPauseMs = 10;
constexpr int kGatherMs = 4'000;
constexpr uid_t kNobody = 65'534;

bool watch(int set, int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  return ::epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0;
}

// Adds a set that takes long to check to another one, and takes it out, for ever.
[[noreturn]] void churn() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(1);
  std::vector<int> files;
  for (std::size_t i = 0; i < kFiles; ++i) files.push_back(::eventfd(0, 0));
  std::vector<int> sets;
  for (std::size_t i = 0; i < kSets; ++i) {
    sets.push_back(::epoll_create1(0));
    for (const int file : files) watch(sets.back(), file);
  }
  const int outer = ::epoll_create1(0);
  for (;;) {
    if (!watch(outer, sets[0])) ::_exit(1);
    ::epoll_ctl(outer, EPOLL_CTL_DEL, sets[0], nullptr);
  }
}

class Attack {
 public:
  Attack() {
    for (pid_t& pid : pids_) {
      pid = ::fork();
      if (pid == 0) churn();
    }
    ::poll(nullptr, 0, kGatherMs);
  }
  ~Attack() {
    for (const pid_t pid : pids_) ::kill(pid, SIGKILL);
    for (const pid_t pid : pids_) ::waitpid(pid, nullptr, 0);
  }
  Attack(const Attack&) = delete;
  Attack& operator=(const Attack&) = delete;

 private:
  std::array<pid_t, kAttackers> pids_{};
};

// Connects, fetches and hangs up, again and again.
void measure(const char* what, const std::string& socket_path) {
  std::vector<double> times;
  for (int i = 0; i < kConnections; ++i) {
    ::poll(nullptr, 0, kPauseMs);  // or all are over before the scheduler lets an attacker run
    const auto start = steady_clock::now();
    auto connection = e2e::Connection::to_unix(socket_path);
    connection.send(e2e::get("/v1/token?community_member_id=1"));
    if (connection.read_reply().status != 200) std::exit(1);
    times.push_back(std::chrono::duration<double, std::milli>(steady_clock::now() - start).count());
  }
  std::ranges::sort(times);
  fmt::print("  {:<26} p50 {:>8.2f} ms   p99 {:>8.2f} ms\n", what, times[times.size() / 2],
             times[times.size() * 99 / 100]);
}

int run() {
  const testing::TempDirectory folder;
  const e2e::Sandbox sandbox(folder.path(), {"--access-ttl", "60m", "--refresh-ttl", "20h"});
  e2e::Daemon daemon(folder / "a");
  daemon.base_url = sandbox.url();
  daemon.write_roster("[[member]]\ncommunity_member_id = 1\n");
  if (!daemon.start()) return 1;
  const std::string socket_path = daemon.token_socket().string();
  const bool served = e2e::eventually([&] {
    auto connection = e2e::Connection::to_unix(socket_path);
    connection.send(e2e::get("/v1/token?community_member_id=1"));
    return connection.read_reply().status == 200;
  });
  if (!served) return 1;
  fmt::print("a new connection and its first fetch\n");
  measure("alone", socket_path);
  const Attack attack;
  measure("beside nested epoll sets", socket_path);
  return 0;
}

}  // namespace
}  // namespace rota::bench

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min(files.rlim_max, rota::bench::kDescriptors);
  ::setrlimit(RLIMIT_NOFILE, &files);
  return rota::bench::run();
}

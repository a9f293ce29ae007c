#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "e2e/box.h"

// What a reload of a large roster costs a client that fetches meanwhile. What is printed is how
// long its fetches took, in milliseconds.
//
//   reload_bench [MEMBERS]

namespace rota::e2e {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kSome = 1'000;

// The first `others` of the members have another name.
std::string roster_of(int members, std::string_view tag, int others = 0) {
  std::string text;
  for (int i = 1; i <= members; ++i) {
    text += fmt::format(
        "[[member]]\ncommunity_member_id = {0}\nname = \"{2} {0}\"\ntags = [\"{1}\"]\n\n", i, tag,
        i <= others ? "Another" : "Member");
  }
  return text;
}

// Fetches one member's token again and again until the end.
class Fetcher {
 public:
  explicit Fetcher(const std::filesystem::path& socket)
      : thread_([this, socket] { fetch(socket); }) {}
  std::vector<double> finish() {
    stop_ = true;
    thread_.join();
    std::ranges::sort(millis_);
    return std::move(millis_);
  }

 private:
  void fetch(const std::filesystem::path& socket) {
    Connection connection = Connection::to_unix(socket);
    while (!stop_) {
      const auto begin = Clock::now();
      connection.send(get("/v1/token?community_member_id=1&wait=0"));
      connection.read_reply();
      millis_.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begin).count());
    }
  }

  std::atomic<bool> stop_ = false;
  std::vector<double> millis_;
  std::thread thread_;  // last: it uses the others
};

template <class Work>
void measure(Daemon& daemon, std::string_view what, Work work) {
  Fetcher fetcher(daemon.token_socket());
  const auto begin = Clock::now();
  const bool good = work();
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  const auto millis = fetcher.finish();
  const auto at = [&](double part) {
    return millis[static_cast<std::size_t>(part * static_cast<double>(millis.size() - 1))];
  };
  fmt::print(
      "{:<28} {:>6.2f} s  {:>8} fetches  p50 {:>7.3f}  p99 {:>7.3f}  p99.9 {:>7.3f}  max "
      "{:>8.3f}{}\n",
      what, took, millis.size(), at(0.5), at(0.99), at(0.999), millis.back(),
      good ? "" : "  FAILED");
}

int run_bench(int members) {
  testing::TempDirectory folder;
  Sandbox sandbox(folder.path(), {"--members", fmt::to_string(members), "--access-ttl", "24h",
                                  "--refresh-ttl", "30d"});
  Daemon daemon(folder.path() / "d");
  daemon.base_url = sandbox.url();
  daemon.rotation = {{"refresh_ahead", "\"10m\""}};
  daemon.roster_options["watch"] = "false";
  daemon.log_level = "warn";
  daemon.write_roster(roster_of(members / 5 * 4, "first"));
  if (!daemon.start()) return EXIT_FAILURE;
  const auto reload = [&] { return daemon.cli({"reload", "--json"}).code == 0; };
  if (!reload()) return EXIT_FAILURE;  // until all of it is in force
  const auto fresh = [&] { return !daemon.token("community_member_id=1").empty(); };
  if (!eventually(fresh)) return EXIT_FAILURE;

  fmt::print("{} members\n", members);
  measure(daemon, "without a reload", [] {
    const auto until = Clock::now() + std::chrono::seconds{3};
    return eventually([&] { return Clock::now() > until; });
  });
  daemon.write_roster(roster_of(members, "first"));
  measure(daemon, "a quarter more", reload);
  measure(daemon, "the same roster", reload);
  daemon.write_roster(roster_of(members, "first", kSome));
  measure(daemon, "1,000 other names", reload);
  daemon.write_roster(roster_of(members, "second"));
  measure(daemon, "rota plan: another tag",
          [&] { return daemon.admin(get("/v1/roster/plan")).status == 200; });
  measure(daemon, "another tag for everybody", reload);
  daemon.write_roster(roster_of(members / 2, "second"));
  measure(daemon, "half of them gone, held", reload);
  measure(daemon, "status, 20 times", [&] {
    for (int i = 0; i < 20; ++i) {
      if (daemon.admin(get("/v1/status")).status != 200) return false;
    }
    return true;
  });
  const std::string plan = daemon.admin(get("/v1/roster/plan")).text("id");
  measure(daemon, "half of them gone, approved", [&] {
    return daemon.admin(post(fmt::format("/v1/roster/reload?approve={}", plan))).status == 200;
  });
  daemon.write_roster(roster_of(members, "second"));
  measure(daemon, "back again", reload);
  Connection watch = Connection::to_unix(daemon.token_socket());
  watch.send(get("/v1/watch"));
  std::jthread reader([&watch] {
    while (!watch.read_until("\n\n").empty()) {
    }
  });
  daemon.write_roster(roster_of(members, "third"));
  measure(daemon, "another tag, watched", reload);
  return daemon.stop() == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace rota::e2e

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  constexpr int kMembers = 100'000;
  return rota::e2e::run_bench(argc > 1 ? std::atoi(argv[1]) : kMembers);
}

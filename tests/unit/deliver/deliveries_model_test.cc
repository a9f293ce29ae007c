// Deliveries under random events, on a clock that the test moves, with writes and programs that
// fail and a process that is killed at any time, against what must hold for every order of events.

#include <gmock/gmock.h>

#include "base/random.h"
#include "base/token_digest.h"
#include "deliver/deliveries.h"

namespace rota::deliver {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kFiles = 4;
constexpr Duration kSettleMax = kRunRetryMax + minutes{1};

std::vector<FileOrder> orders() {
  return {{.path = "/a", .run = {"one"}},
          {.path = "/b", .run = {"one"}, .keep = true},
          {.path = "/c", .run = {"two"}},
          {.path = "/d", .keep = true}};
}

// The disk, the programs and the daemon around it, which outlive a process that is killed.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), deliveries_(orders(), {}) {}

  void step() {
    constexpr std::uint64_t kEvents = 10;
    switch (random_.below(kEvents)) {
      case 0:
      case 1:
        return hear_token(random_.below(kFiles), random_.below(3) + 1);
      case 2:
        return hear_gone(random_.below(kFiles));
      case 3:
      case 4:
        now_ += random_.up_to(seconds{3});
        break;
      case 5:
        now_ += random_.up_to(minutes{2});
        break;
      case 6:
        end_run(random_.below(deliveries_.run_count()), random_.below(2) == 0);
        break;
      case 7:
        fails_ = random_.below(3) == 0;
        break;
      case 8:
        if (random_.below(4) == 0) restart();
        break;
      default:
        break;
    }
    work();
  }

  // Everything works from here on: then all comes to rest as the daemon said last.
  void settle() {
    fails_ = false;
    for (std::size_t i = 0; i < kFiles; ++i) {
      if (!heard_[i] && disk_[i] != 0) hear_token(i, disk_[i]);
    }
    const BootTime end = now_ + kSettleMax;
    while (now_ < end) {
      end_runs();
      work();
      const auto due = deliveries_.next_due();
      now_ = due ? std::min(end, std::max(*due, now_)) : end;
    }
    end_runs();
    for (std::size_t i = 0; i < kFiles; ++i) {
      if (!heard_[i]) continue;
      const bool alive = *heard_[i] != 0 && expires_[i] > now_;
      EXPECT_EQ(disk_[i], alive ? *heard_[i] : 0) << "file " << i;
      if (alive && !orders()[i].run.empty()) EXPECT_EQ(told_[i], disk_[i]) << "file " << i;
    }
    const int runs = runs_;
    restart();
    for (std::size_t i = 0; i < kFiles; ++i) {
      if (disk_[i] != 0) hear_token(i, disk_[i]);
    }
    now_ += minutes{1};
    work();
    EXPECT_EQ(runs_, runs) << "a restart of everything runs nothing";
  }

  void stop() {
    fails_ = false;
    deliveries_.on_stop(now_);
    const int runs = runs_;
    work();
    EXPECT_TRUE(deliveries_.stopped());
    for (std::size_t i = 0; i < kFiles; ++i) {
      if (!orders()[i].keep) EXPECT_EQ(disk_[i], 0U) << "file " << i;
    }
    EXPECT_EQ(runs_, runs);
  }

 private:
  static TokenDigest digest(std::uint64_t token) { return digest_of(fmt::to_string(token)); }

  void hear_token(std::size_t file, std::uint64_t token) {
    heard_[file] = token;
    expires_[file] = now_ + minutes{30} + random_.up_to(minutes{30});
    deliveries_.on_content(file, digest(token), expires_[file], now_);
    work();
  }

  void hear_gone(std::size_t file) {
    heard_[file] = 0;
    deliveries_.on_gone(file, now_);
    work();
    // Unless it has failed already, and is tried again later.
    if (deliveries_.failures_of_file(file) == 0) {
      EXPECT_EQ(disk_[file], 0U) << "a leaver's file goes at once";
    }
  }

  void restart() {
    // Programs that ran are not ours any more; what they were told is what was recorded.
    deliveries_ = Deliveries(orders(), deliveries_.told());
    running_.clear();
    heard_ = {};
  }

  void end_runs() {
    for (std::size_t run = 0; run < deliveries_.run_count(); ++run) end_run(run, true);
  }

  void end_run(std::size_t run, bool good) {
    const auto running = running_.find(run);
    if (running == running_.end()) return;
    if (good) {
      for (const auto& [file, token] : running->second) told_[file] = token;
    }
    running_.erase(running);
    deliveries_.on_run_end(run, good, now_);
  }

  void work() {
    for (auto deeds = deliveries_.due(now_); !deeds.empty(); deeds = deliveries_.due(now_)) {
      for (const Deed& deed : deeds) {
        if (const auto* write = std::get_if<Write>(&deed)) do_write(write->file);
        if (const auto* remove = std::get_if<Remove>(&deed)) do_remove(remove->file);
        if (const auto* run = std::get_if<Run>(&deed)) do_run(run->run);
      }
    }
    const auto due = deliveries_.next_due();
    EXPECT_TRUE(!due || *due > now_) << "something is due that was not done";
  }

  void do_write(std::size_t file) {
    ASSERT_TRUE(heard_[file] && *heard_[file] != 0) << "nothing is written that was not heard";
    EXPECT_GT(expires_[file], now_) << "nothing expired is written";
    if (!fails_) disk_[file] = *heard_[file];
    deliveries_.on_written(file, !fails_, now_);
  }

  void do_remove(std::size_t file) {
    if (!fails_) disk_[file] = 0;
    deliveries_.on_removed(file, !fails_, now_);
  }

  void do_run(std::size_t run) {
    ++runs_;
    EXPECT_FALSE(running_.contains(run)) << "never two at once";
    auto& shown = running_[run];
    bool is_change = false;
    for (std::size_t i = 0; i < kFiles; ++i) {
      if (orders()[i].run != deliveries_.program(run) || disk_[i] == 0) continue;
      // A file that cannot be written now counts as told of once it has been written.
      if (deliveries_.state_of(i) != FileState::kWritten) continue;
      shown[i] = disk_[i];
      is_change = is_change || disk_[i] != told_[i];
    }
    EXPECT_TRUE(is_change) << "a program runs because of a change only";
  }

  Random random_;
  Deliveries deliveries_;
  BootTime now_{minutes{1}};
  bool fails_ = false;
  int runs_ = 0;
  // Of each file: 0 stands for no token.
  std::array<std::optional<std::uint64_t>, kFiles> heard_{};
  std::array<BootTime, kFiles> expires_{};
  std::array<std::uint64_t, kFiles> disk_{};
  std::array<std::uint64_t, kFiles> told_{};
  std::map<std::size_t, std::map<std::size_t, std::uint64_t>> running_;
};

TEST(DeliveriesModel, HoldsForAnyOrderOfEvents) {
  constexpr std::uint64_t kSeeds = 2'000;
  constexpr int kSteps = 120;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World world(seed);
    for (int step = 0; step < kSteps; ++step) world.step();
    world.settle();
    world.stop();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace rota::deliver

#include "sim/group.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "sim/world.h"

namespace rota::sim {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kMembers = 24;

// Calls of one world in a window: each member is refreshed after five sixths of ten minutes.
constexpr std::size_t kNeeded = kMembers;
constexpr std::size_t kPlenty = 5 * kNeeded;
constexpr std::size_t kScarce = kNeeded;

WorldOptions world_of(const Group::Options& group, std::size_t number) {
  WorldOptions options;
  options.seed = group.seed * 16 + number;
  options.members = kMembers;
  options.listed = kMembers - 2;
  // If calls are short, each daemon asks for some ten times a second.
  options.weather = group.short_of_calls ? minutes{45} : minutes{120};
  options.calm = group.short_of_calls ? minutes{5} : minutes{60};
  options.circle.token_seed = options.seed;
  options.circle.access_ttl = minutes{10};
  options.policy.refresh_ahead = minutes{2};
  options.policy.renew_pair_ahead = minutes{30};
  options.policy.requests_per_window = group.short_of_calls ? kScarce : kPlenty;
  options.mean_between_fetches = seconds{10};
  options.mean_between_crashes = minutes{9};
  options.crash_at_commit_rate = 0.005;
  options.mean_between_slow_times = minutes{25};
  options.mean_between_orders = minutes{10};
  return options;
}

}  // namespace

// One life of a daemon as a member. It dies with the daemon.
class Group::Member : public SharedBudget {
 public:
  Member(Group& group, World& world, std::uint64_t identity)
      : group_(group),
        world_(world),
        sheet_(BudgetSheet::Words(group.words_),
               {.limit = group.limit_, .window = world.options().policy.window}),
        place_(sheet_.places_for(identity, now(), group.alive_).at(0)) {
    group_.alive_.set(place_);
    sheet_.join(place_, identity, now());
  }
  ~Member() override { group_.alive_.reset(place_); }
  Member(const Member&) = delete;
  Member& operator=(const Member&) = delete;

  CallCounts take(const CallCounts& wanted, BootTime) override {
    const CallCounts got = sheet_.take(wanted, now(), group_.alive_);
    if (sum_of(got) < sum_of(wanted)) world_.note("group.waits");
    return got;
  }
  void complete(std::size_t calls, BootTime) override { sheet_.complete(calls, now()); }
  void give_back(std::size_t calls) override { sheet_.give_back(calls); }
  void recall(std::span<const BootTime> ended, std::size_t under_way, BootTime then) override {
    std::vector<BootTime> moved;
    for (const BootTime each : ended) moved.push_back(now() - (then - each));
    sheet_.recall(moved, under_way, now());
  }
  bool lost(BootTime) override { return false; }
  View view(BootTime) override { return sheet_.view(now(), group_.alive_); }

 private:
  // The machine of each world has a boot clock of its own, but they stand for one machine.
  BootTime now() const { return world_.true_now().boot; }

  Group& group_;
  World& world_;
  BudgetSheet sheet_;
  const std::size_t place_;
};

Group::Group(const Options& options)
    : limit_(options.short_of_calls ? kScarce : kPlenty), words_(BudgetSheet::kWords) {
  BudgetSheet::format(BudgetSheet::Words(words_));
  for (std::size_t i = 0; i < options.worlds; ++i) {
    World& world = *worlds_.emplace_back(std::make_unique<World>(world_of(options, i)));
    world.share_budget([this, &world, i] { return std::make_unique<Member>(*this, world, i + 1); },
                       [this, &world] { look(world); });
  }
}

Group::~Group() = default;

void Group::run() {
  for (const auto& world : worlds_) world->begin();
  while (true) {
    World* next = nullptr;
    for (const auto& world : worlds_) {
      const auto due = world->next_event();
      if (due && (next == nullptr || *due < *next->next_event())) next = world.get();
    }
    if (next == nullptr) break;
    next->step();
  }
  for (const auto& world : worlds_) world->end();
}

void Group::look(const World& sender) {
  std::size_t calls = 1;
  for (const auto& world : worlds_) calls += world->promises().calls_since(sender.window_began());
  most_ = std::max(most_, calls);
  if (calls > limit_) {
    worlds_.front()->breach(
        fmt::format("P7: a window sees {} calls of all daemons, of {}", calls, limit_));
  }
}

std::vector<std::string> Group::breaches() const {
  std::vector<std::string> all;
  for (const auto& world : worlds_) {
    const auto& own = world->chronicle().breaches();
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

Chronicle::Tally Group::tally() const {
  Chronicle::Tally all;
  for (const auto& world : worlds_) {
    for (const auto& [event, times] : world->chronicle().tally()) all[event] += times;
  }
  return all;
}

double Group::busiest() const { return static_cast<double>(most_) / static_cast<double>(limit_); }

}  // namespace rota::sim

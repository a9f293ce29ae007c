#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "base/random.h"
#include "engine/engine.h"
#include "engine/quota_turn.h"
#include "plan/shared_budget.h"
#include "sim/chronicle.h"
#include "sim/circle_side.h"
#include "sim/clients.h"
#include "sim/enrollers.h"
#include "sim/operators.h"
#include "sim/options.h"
#include "sim/promises.h"
#include "sim/store_side.h"
#include "sim/timeline.h"
#include "table/table.h"

namespace rota::sim {

// The real engine and table on a virtual clock. Everything around them is simulated: Circle (the
// sandbox's, with the real encoder and classifier), the disk, the machine and its clocks, clients
// and operators. This class is the machine: it starts, drives and kills the daemon's process. The
// promises are checked at every step, and each breach is listed with its seed.
class World {
 public:
  explicit World(const WorldOptions& options, bool trace = false);
  void run();
  // run() in steps: begin(), then step() as long as there is a next_event(), then end().
  void begin();
  std::optional<Duration> next_event() const;
  void step() { time_.step(options_.weather + options_.calm); }
  void end() { promises_.at_end(); }
  // The daemon shares its budget with others (sim/group.h). `join` makes its member of the group at
  // each start; it goes when the daemon dies. `sends` is called whenever it sends a call. To be
  // called before begin().
  void share_budget(std::function<std::unique_ptr<SharedBudget>()> join,
                    std::function<void()> sends);
  void on_send() const {
    if (sends_) sends_();
  }
  // What happened before counts no more for P7.
  Duration window_began() const { return time_.now() - options_.policy.window; }

  const WorldOptions& options() const { return options_; }
  Timeline& time() { return time_; }
  CircleSide& circle() { return circle_; }
  StoreSide& store() { return store_; }
  Clients& clients() { return clients_; }
  Operators& operators() { return operators_; }
  Enrollers& enrollers() { return enrollers_; }
  Promises& promises() { return promises_; }
  const Promises& promises() const { return promises_; }
  Chronicle& chronicle() { return chronicle_; }
  const Chronicle& chronicle() const { return chronicle_; }

  Now now() const;       // as this machine's clocks show it
  Now true_now() const;  // its boot clock counts from the beginning of the world
  WallTime circle_time() const { return circle_.time(true_now()); }  // the truth
  bool calm() const { return calm_since_.has_value(); }
  std::optional<Duration> calm_since() const { return calm_since_; }
  // When the machine went on after a pause, if nobody has set its clock right since.
  std::optional<Duration> unseen_pause() const { return unseen_pause_; }

  void note(std::string_view event, std::string_view detail = {}) {
    chronicle_.note(event, time_.now(), detail);
  }
  void breach(std::string_view what) { chronicle_.breach(what, time_.now()); }

  // The process. Call engine() and table() only if up().
  bool up() const { return engine_ != nullptr; }
  BootId boot_id() const { return BootId{boots_}; }
  Engine& engine() { return *engine_; }
  const Table& table() const { return table_; }
  std::uint64_t life() const { return life_; }
  // Hands an event to the engine and carries out its commands.
  void turn(const std::function<void(Commands&)>& event);
  // Runs `action` after this time, unless the process that asked for it has died.
  void in_process(Duration delay, Timeline::Action action);
  // kill -9, or with `reboot` a power cut. Not from inside a turn.
  void crash(std::string_view when, bool reboot = false);
  // Runs `action` again and again until the calm begins, with this mean time between.
  void repeat(Duration mean, std::function<void()> action);
  // The same for what a person does at the machine: not while it sleeps.
  void repeat_awake(Duration mean, std::function<void()> action);

 private:
  void boot();
  void carry_out(Commands commands);
  void settle_quota();
  void set_timer();
  void schedule_bad_things();
  void suspend();
  void suspend_in_a_call(int tries);
  void stand_still();
  void set_clock(Duration step);
  void start_machine(Duration crashed);
  void step_clock();
  void calm_down();

  const WorldOptions options_;
  Timeline time_;
  Random random_;
  Chronicle chronicle_;
  Duration wall_error_;
  Duration boot_epoch_{0};  // when the machine started
  std::int64_t boots_ = 1;
  std::optional<Duration> calm_since_;
  std::optional<Duration> unseen_pause_;
  bool pause_hidden_ = false;
  Duration unset_{0};  // by how much the wall clock is behind because of pauses
  CircleSide circle_;
  StoreSide store_;
  Clients clients_;
  Operators operators_;
  Enrollers enrollers_;
  Promises promises_;
  std::function<std::unique_ptr<SharedBudget>()> join_;  // empty: the budget is its own
  std::function<void()> sends_;
  std::unique_ptr<SharedBudget> shared_budget_;
  std::optional<QuotaTurn> quota_;
  std::unique_ptr<Engine> engine_;
  Table table_;
  std::uint64_t life_ = 0;
  std::optional<Duration> timer_;
  Duration woken_at_{0};
  std::size_t wakes_at_once_ = 0;
  bool spins_ = false;
};

}  // namespace rota::sim

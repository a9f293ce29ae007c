#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace rota::sim {
namespace {

constexpr WallTime kBeginning{std::chrono::days{20'000}};

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

}  // namespace

World::World(const WorldOptions& options, bool trace)
    : options_(options),
      random_(options.seed),
      chronicle_(options.seed, trace),
      wall_error_(options.wall_clock_error),
      circle_(*this),
      store_(*this),
      clients_(*this),
      operators_(*this),
      enrollers_(*this),
      promises_(*this) {}

Now World::now() const {
  return {.wall = kBeginning + time_.now() + wall_error_,
          .boot = BootTime{time_.now() - boot_epoch_}};
}

Now World::true_now() const {
  return {.wall = kBeginning + time_.now(), .boot = BootTime{time_.now()}};
}

void World::run() {
  begin();
  const Duration last = options_.weather + options_.calm;
  while (!spins_ && time_.step(last)) {
  }
  end();
}

std::optional<Duration> World::next_event() const {
  const auto due = time_.next();
  if (spins_ || !due || *due > options_.weather + options_.calm) return std::nullopt;
  return due;
}

void World::share_budget(std::function<std::unique_ptr<SharedBudget>()> join,
                         std::function<void()> sends) {
  join_ = std::move(join);
  sends_ = std::move(sends);
}

void World::begin() {
  boot();
  schedule_bad_things();
  clients_.begin();
  promises_.begin();
  time_.outside(options_.weather, [this] { calm_down(); });
}

void World::schedule_bad_things() {
  circle_.begin();
  store_.begin();
  operators_.begin();
  enrollers_.begin();
  repeat(options_.mean_between_crashes, [this] {
    constexpr std::uint64_t kRebootOneIn = 4;
    if (up() && !time_.suspended()) crash("crash.any", random_.below(kRebootOneIn) == 0);
  });
  repeat(options_.mean_between_suspends, [this] {
    constexpr int kTries = 600;
    random_.below(2) == 0 ? suspend() : suspend_in_a_call(kTries);
  });
  repeat(options_.mean_between_stand_stills, [this] { stand_still(); });
  repeat(options_.mean_between_clock_steps, [this] { step_clock(); });
}

void World::repeat(Duration mean, std::function<void()> action) {
  if (mean == Duration{0}) return;
  time_.outside(random_.up_to(2 * mean), [this, mean, action = std::move(action)]() mutable {
    if (calm()) return;
    action();
    repeat(mean, std::move(action));
  });
}

void World::repeat_awake(Duration mean, std::function<void()> action) {
  repeat(mean, [this, action = std::move(action)] {
    if (!time_.suspended()) action();
  });
}

void World::in_process(Duration delay, Timeline::Action action) {
  time_.machine(delay, [this, life = life_, action = std::move(action)]() mutable {
    if (up() && life == life_) action();
  });
}

void World::boot() {
  auto snapshot = store_.load();
  ++life_;
  table_ = Table{};
  timer_.reset();
  note("boot");
  promises_.before_start();
  engine_ = std::make_unique<Engine>(options_.policy, std::move(snapshot), random_.next(), now(),
                                     boot_id());
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  constexpr RosterPace kInOnePiece{.slice_units_max = kAll, .batch_steps_max = kAll};
  engine_->pace_rosters(options_.roster_pace.value_or(kInOnePiece));
  if (join_) {
    shared_budget_ = join_();
    quota_.emplace(*shared_budget_).begin(*engine_, now());
  }
  circle_.read_app_token();
  turn([this](Commands& out) { engine_->start(now(), out); });
  promises_.after_start();
  operators_.reload({});
  clients_.admit_soon();
}

void World::crash(std::string_view when, bool reboot) {
  note(when);
  if (reboot) note("reboot");
  if (circle_.calls_in_flight() > 0) note("crash.calls_in_flight");
  promises_.before_crash();
  engine_.reset();
  quota_.reset();
  shared_budget_.reset();
  store_.cut_off();
  circle_.cut_off();
  clients_.cut_off();
  operators_.cut_off();
  enrollers_.cut_off();
  // The service manager waits a moment; a machine that somebody must switch on takes longer.
  constexpr std::uint64_t kLongOneIn = 20;
  const Duration off = random_.below(kLongOneIn) == 0 ? random_.up_to(std::chrono::hours{3})
                                                      : std::chrono::milliseconds{100} +
                                                            random_.up_to(std::chrono::seconds{5});
  time_.machine(std::min(off, std::max(options_.weather - time_.now(), Duration{100})),
                [this, reboot, crashed = time_.now()] {
                  if (reboot) start_machine(crashed);
                  boot();
                });
}

// The kernel starts a while before the daemon, but after the last process died.
void World::start_machine(Duration crashed) {
  ++boots_;
  boot_epoch_ = std::max(crashed, time_.now() - random_.up_to(std::chrono::seconds{30}));
  // A machine's hardware clock may hold local time, be empty or run fast.
  constexpr std::int64_t kClockOffOneIn = 3;
  constexpr Duration kClockOff = std::chrono::hours{2};
  if (boots_ % kClockOffOneIn != 0) return;
  note("reboot.clock_off");
  wall_error_ += boots_ % 2 == 0 ? kClockOff : -kClockOff;
}

void World::turn(const std::function<void(Commands&)>& event) {
  Commands commands;
  event(commands);
  carry_out(std::move(commands));
  settle_quota();
  set_timer();
  promises_.after_turn();
}

void World::settle_quota() {
  if (!quota_) return;
  const bool waits = quota_->settle(*engine_, now(),
                                    [this](Commands commands) { carry_out(std::move(commands)); });
  if (!waits) return;
  in_process(QuotaTurn::kTryAgain,
             [this] { turn([this](Commands& out) { engine_->on_tick(now(), out); }); });
}

void World::set_timer() {
  const auto wake = engine_->next_wake(now());
  if (!wake) return;
  const Duration when = std::max(wake->time_since_epoch() + boot_epoch_, time_.now());
  if (timer_ && *timer_ <= when) return;
  timer_ = when;
  in_process(when - time_.now(), [this, when] {
    if (timer_ != when) return;  // another one was set since
    timer_.reset();
    constexpr std::size_t kWakesAtOnceMax = 1'000;
    wakes_at_once_ = woken_at_ == when ? wakes_at_once_ + 1 : 0;
    woken_at_ = when;
    if (wakes_at_once_ > kWakesAtOnceMax) {
      spins_ = true;
      breach("wake-ups: the engine wants to be woken again and again at one moment");
      return;
    }
    promises_.on_wake();
    turn([this](Commands& out) { engine_->on_tick(now(), out); });
  });
}

void World::carry_out(Commands commands) {
  for (Command& each : commands) {
    std::visit(Overloaded{
                   [this](command::Commit& c) { store_.commit(std::move(c)); },
                   [this](const command::Call& c) { circle_.send(c); },
                   [this](command::Publish& c) {
                     promises_.on_publish(c.row);
                     table_.publish(std::move(c.row));
                   },
                   [this](const command::Unserve& c) { table_.unserve(c.member, c.token); },
                   [this](const command::KeepTags& c) { table_.keep_tags(c.member, c.tags); },
                   [this](const command::Withdraw& c) { table_.forget(c.member); },
                   [this](const command::Answer& c) {
                     clients_.on_answer(c);
                     enrollers_.on_answer(c);
                   },
                   [this](const command::Report& c) {
                     operators_.on_report(c);
                     enrollers_.on_report(c);
                   },
                   [this](const command::Reloaded& c) { operators_.on_reloaded(c); },
                   [](const command::RosterInForce&) {},
                   [](const command::Planned&) {},
                   [this](const command::Tell& c) {
                     note("tell." + c.notice.event, c.notice.member + " " + c.notice.text);
                     promises_.on_tell(c.notice);
                   },
                   [this](const command::Note& c) {
                     note(fmt::format("audit.{}", name_of(c.key.event)), c.member);
                   },
               },
               each);
  }
}

void World::suspend() {
  if (time_.suspended()) return;
  note("suspend");
  if (circle_.calls_in_flight() > 0) note("suspend.calls_in_flight");
  // The machine must be awake when the calm begins.
  const Duration length = std::chrono::minutes{1} + random_.up_to(options_.suspend_max);
  const Duration sleeps = std::min(length, options_.weather - time_.now());
  promises_.on_sleep(sleeps);
  time_.suspend(sleeps);
}

// Calls are short and rare, so this waits for one and suspends the machine during it.
void World::suspend_in_a_call(int tries) {
  if (calm() || time_.suspended()) return;
  if (circle_.calls_in_flight() > 0 || tries == 0) return suspend();
  time_.outside(std::chrono::milliseconds{500}, [this, tries] { suspend_in_a_call(tries - 1); });
}

// Circle's time goes on, and this machine's clocks stand still. Later somebody sets the wall clock,
// or nobody does.
void World::stand_still() {
  if (time_.suspended() || !up()) return;
  note("stand_still");
  const Duration length = std::min(std::chrono::minutes{1} + random_.up_to(options_.suspend_max),
                                   options_.weather - time_.now());
  promises_.on_sleep(length);
  time_.stand_still(length);
  clients_.stand_still(length);
  boot_epoch_ += length;
  wall_error_ -= length;
  unset_ += length;
  unseen_pause_ = time_.now() + length;
  pause_hidden_ = false;
  timer_.reset();
  time_.machine(length, [this] {
    if (up()) set_timer();
  });
  constexpr std::uint64_t kNeverOneIn = 6;
  if (random_.below(kNeverOneIn) == 0) return;
  const Duration later =
      random_.below(2) == 0 ? Duration{1} : random_.up_to(std::chrono::minutes{10});
  // A person sets the clock to the right time, which also corrects for earlier pauses.
  time_.machine(length + later, [this] {
    if (unset_ == Duration{0}) return;
    note("stand_still.seen");
    if (!pause_hidden_) unseen_pause_.reset();
    set_clock(std::exchange(unset_, Duration{0}));
  });
}

void World::set_clock(Duration step) {
  constexpr std::uint64_t kUntoldOneIn = 4;
  wall_error_ += step;
  if (!up() || random_.below(kUntoldOneIn) == 0) return;
  time_.machine(Duration{1}, [this] {  // the kernel tells whoever watches the clock
    if (up()) turn([this](Commands& out) { engine_->on_wall_step(now(), out); });
  });
}

void World::step_clock() {
  // Small steps are as frequent as large ones.
  const Duration most =
      random_.below(2) == 0 ? options_.clock_step_max : Duration{std::chrono::seconds{20}};
  const Duration step = random_.up_to(2 * most) - most;
  note(up() ? "clock_step" : "clock_step.down");
  if (time_.suspended()) pause_hidden_ = true;  // Rota sees two steps as one
  wall_error_ += step;
  if (!up()) return;
  time_.machine(Duration{1}, [this] {  // the kernel tells whoever watches the clock
    if (up()) turn([this](Commands& out) { engine_->on_wall_step(now(), out); });
  });
}

void World::calm_down() {
  note("calm");
  calm_since_ = time_.now();
  circle_.calm_down();
  store_.calm_down();
  operators_.calm_down();
  promises_.calm_down();
  // Rota cannot know of an unseen pause, so somebody sets the clock.
  time_.machine(Duration{1}, [this] {
    if (unset_ == Duration{0}) return;
    unseen_pause_.reset();
    set_clock(std::exchange(unset_, Duration{0}));
  });
}

}  // namespace rota::sim

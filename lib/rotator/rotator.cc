#include "rotator/rotator.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "base/check.h"

namespace rota {
namespace {

// By a monotonic clock that is finer than rota::Clock; nothing but metrics depends on it.
class Stopwatch {
 public:
  Histogram::Time time() const {
    return std::chrono::duration_cast<Histogram::Time>(Clock::now() - since_);
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point since_ = Clock::now();
};

constexpr Duration kUseDelay{1'000};

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

}  // namespace

Result<std::unique_ptr<Rotator>> Rotator::create(Parts parts, const Policy& policy) {
  ROTA_ASSIGN(Snapshot snapshot, parts.store->load());
  ROTA_ASSIGN(auto timer, BootTimer::create(parts.executor));
  const std::optional<OtherDatabase> other = snapshot.other;
  auto rotator = std::unique_ptr<Rotator>(
      new Rotator(std::move(parts), policy, std::move(snapshot), other, std::move(timer)));
  ROTA_TRY(rotator->watch_wall_clock());
  return rotator;
}

Rotator::Rotator(Parts parts, const Policy& policy, Snapshot snapshot,
                 const std::optional<OtherDatabase>& other, std::unique_ptr<BootTimer> timer)
    : parts_(std::move(parts)),
      engine_(policy, std::move(snapshot), parts_.seed, parts_.clock.now(), parts_.boot),
      timer_(std::move(timer)),
      other_database_(other),
      use_timer_(parts_.executor),
      quota_timer_(parts_.executor),
      trail_({.executor = parts_.executor,
              .clock = parts_.clock,
              .store = *parts_.store,
              .store_thread = store_thread_,
              .tell = parts_.tell,
              .bounds = parts_.audit,
              .confirmed_time = [this]() -> std::optional<WallTime> {
                if (!engine_.clock().confirmed()) return std::nullopt;
                return engine_.circle_now(now());
              }}) {
  timer_->on_fire([this] {
    Commands commands;
    engine_.on_tick(now(), commands);
    run(std::move(commands));
  });
}

Rotator::~Rotator() {
  *alive_ = false;
  trail_.finish();
  store_thread_.join();
}

std::string Rotator::database_doubts() const {
  if (!other_database_) return {};
  const auto what = [this]() -> std::string {
    switch (other_database_->kind) {
      case OtherDatabase::Kind::kOlder:
        return fmt::format(
            "the database is an older copy: {} of this machine's last commits are "
            "missing",
            other_database_->commits_missing);
      case OtherDatabase::Kind::kAnother:
        return "the database is not the one that this machine used last";
      case OtherDatabase::Kind::kNew:
        return "the database is new, and the one that this machine used last is gone";
    }
    ROTA_CHECK(false);
  };
  return what() +
         ". Before rotad serves a token from it, it asks Circle about the member. These may be "
         "lost "
         "without a trace: blocks and reinstatements by operators, which must be repeated; members "
         "who left since then, and tokens issued or refreshed since then, which stay valid until "
         "they expire; identity pins; audit entries; the calls of the last window, which Circle "
         "still counts";
}

void Rotator::start() {
  if (other_database_) {
    parts_.tell({.severity = Severity::kWarning,
                 .event = "database_restored",
                 .member = {},
                 .text = database_doubts()});
  }
  if (parts_.shared_budget) quota_.emplace(*parts_.shared_budget).begin(engine_, now());
  Commands commands;
  engine_.start(now(), commands);
  run(std::move(commands));
}

void Rotator::stop(std::function<void()> drained) {
  drained_ = std::move(drained);
  Commands commands;
  engine_.on_stop(now(), commands);
  run(std::move(commands));
}

void Rotator::apply_roster(SortedRosterPtr roster, const std::string& approve,
                           RosterEvents events) {
  const ReloadId id{next_id_++};
  reloads_.emplace(id, std::move(events.done));
  rosters_.emplace(id, std::move(events.in_force));
  Commands commands;
  engine_.on_roster({.roster = std::move(roster), .approve = approve, .reload = id}, now(),
                    commands);
  run(std::move(commands));
}

void Rotator::plan_roster(SortedRosterPtr roster,
                          std::move_only_function<void(RosterPlanPtr)> done) {
  const PlanId id{next_id_++};
  plans_.emplace(id, std::move(done));
  Commands commands;
  engine_.on_plan(id, std::move(roster), now(), commands);
  run(std::move(commands));
}

void Rotator::operate(const OperatorRequest& request,
                      std::move_only_function<void(Result<OperatorReport>)> done) {
  const OperatorId id{next_id_++};
  operations_.emplace(id, std::move(done));
  Commands commands;
  engine_.on_operator(id, request, now(), commands);
  run(std::move(commands));
}

void Rotator::raise_handle(MemberId member, std::string holder,
                           std::move_only_function<void(Result<void>)> done) {
  operate({.member = member,
           .action = OperatorAction::kRevokeHandle,
           .called = "of this handle",
           .client = std::move(holder)},
          [done = std::move(done)](const Result<OperatorReport>& report) mutable {
            if (!report) return done(std::unexpected(report.error()));
            if (!is_success(report->end)) return done(fail(ErrorKind::kIo, describe(*report)));
            done({});
          });
}

void Rotator::revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) {
  const OperatorId id{next_id_++};
  operations_.emplace(id, std::move(done));
  Commands commands;
  engine_.on_revoke_all(id, now(), commands);
  run(std::move(commands));
}

void Rotator::lift_removals(const std::string& client,
                            std::move_only_function<void(Result<bool>)> done) {
  const bool was_held_back = engine_.removals().holds_back(client);
  const OperatorId id{next_id_++};
  operations_.emplace(
      id, [was_held_back, done = std::move(done)](const Result<OperatorReport>& report) mutable {
        if (!report) return done(std::unexpected(report.error()));
        if (!is_success(report->end)) {
          return done(fail(ErrorKind::kIo, "it is not on disk yet: ask again later"));
        }
        done(was_held_back);
      });
  Commands commands;
  engine_.on_lift_removals(id, client, now(), commands);
  run(std::move(commands));
}

void Rotator::new_app_token() {
  Commands commands;
  engine_.on_new_app_token(now(), commands);
  run(std::move(commands));
}

Result<void> Rotator::watch_wall_clock() {
  ROTA_ASSIGN(wall_clock_, WallClockWatch::create(parts_.executor, [this] {
                Commands commands;
                engine_.on_wall_step(now(), commands);
                run(std::move(commands));
              }));
  return {};
}

// On the fetch path: one comparison for each fetch, and one event for the engine each second.
void Rotator::note_use(const Published& row) {
  if (row.use_noted) return;
  row.use_noted = true;
  used_.push_back(row.member);
  if (used_.size() > 1) return;
  use_timer_.expires_after(kUseDelay);
  use_timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    // The timer may have expired already when it is destroyed: then there is no error.
    if (error || !*alive) return;
    const std::vector<MemberId> used = std::exchange(used_, {});
    for (const MemberId member : used) {
      if (const Published* row = table_.find(member)) row->use_noted = false;
    }
    Commands commands;
    engine_.on_used(used, now(), commands);
    run(std::move(commands));
  });
}

void Rotator::note_asked(AuditOrder order) {
  trail_.note({.event = order.event,
               .member = order.member,
               .caller = std::move(order.caller),
               .detail = std::move(order.detail)},
              std::move(order.called));
}

void Rotator::note_refused(MemberId member, Fingerprint refused) {
  Commands commands;
  engine_.on_refused(member, refused, now(), commands);
  run(std::move(commands));
}

WallTime Rotator::circle_now() const { return engine_.serving_time(parts_.clock.now()); }

WaitId Rotator::wait_for_token(const WaitRequest& request,
                               std::move_only_function<void(WaitAnswer)> done) {
  const WaitId id{next_id_++};
  waits_.emplace(id,
                 [this, done = std::move(done), watch = Stopwatch()](WaitAnswer answer) mutable {
                   timings_.waits.add(watch.time());
                   done(answer);
                 });
  Commands commands;
  engine_.on_wait(id, request, now(), commands);
  run(std::move(commands));
  return id;
}

void Rotator::cancel_wait(WaitId wait) {
  if (waits_.erase(wait) > 0) engine_.on_wait_cancelled(wait);
}

// Off the loop, since that may take long, and after the answers of this turn, which may share it.
void Rotator::destroy(std::shared_ptr<const void> spent) {
  if (!spent) return;
  boost::asio::post(parts_.executor, [this, alive = alive_, spent = std::move(spent)]() mutable {
    if (*alive) boost::asio::post(store_thread_, [spent = std::move(spent)] {});
  });
}

void Rotator::run(Commands commands) {
  carry_out(std::move(commands));
  finish_turn();
}

// Carries the commands out in their order. Each answer is posted to the loop, so that no caller
// gets its answer from inside its call.
void Rotator::carry_out(Commands commands) {
  const auto answer = [this](auto& pending, auto id, auto value) {
    const auto it = pending.find(id);
    if (it == pending.end()) return;  // the wait was cancelled
    boost::asio::post(parts_.executor,
                      [id, &pending, alive = alive_, value = std::move(value)]() mutable {
                        if (!*alive) return;
                        const auto asked = pending.find(id);
                        if (asked == pending.end()) return;
                        auto done = std::move(asked->second);
                        pending.erase(asked);
                        done(std::move(value));
                      });
  };
  for (Command& each : commands) {
    std::visit(Overloaded{
                   [this](command::Commit& c) { commit(std::move(c)); },
                   [this](command::Call& c) { send(std::move(c)); },
                   [this](command::Publish& c) { table_.publish(std::move(c.row)); },
                   [this](const command::Unserve& c) { table_.unserve(c.member, c.token); },
                   [this](const command::KeepTags& c) { table_.keep_tags(c.member, c.tags); },
                   [this](const command::Withdraw& c) { table_.forget(c.member); },
                   [&](command::Answer& c) { answer(waits_, c.wait, c.answer); },
                   [&](command::Report& c) { answer(operations_, c.op, std::move(c.report)); },
                   [&](command::Reloaded& c) {
                     const bool refused = !c.plan && c.plan.error().kind == ErrorKind::kInvalid;
                     if (refused) rosters_.erase(c.reload);
                     answer(reloads_, c.reload, std::move(c.plan));
                     destroy(std::move(c.spent));
                   },
                   [&](command::RosterInForce& c) {
                     answer(rosters_, c.reload, c.held);
                     destroy(std::move(c.spent));
                   },
                   [&](command::Planned& c) {
                     answer(plans_, c.plan, std::move(c.result));
                     destroy(std::move(c.spent));
                   },
                   [this](const command::Tell& c) { parts_.tell(c.notice); },
                   [this](command::Note& c) { trail_.note(c.key, std::move(c.member)); },
               },
               each);
  }
}

void Rotator::finish_turn() {
  settle_quota();
  timer_->set(engine_.next_wake(now()));
  if (drained_ && engine_.drained()) {
    boost::asio::post(parts_.executor, std::exchange(drained_, nullptr));
  }
}

void Rotator::commit(command::Commit batch) {
  boost::asio::post(store_thread_, [this, alive = alive_, executor = parts_.executor,
                                    batch = std::move(batch)]() mutable {
    const Stopwatch committing;
    Result<void> result = parts_.store->commit(batch.mutations);
    batch.mutations.clear();  // the batch may be the last to hold secrets that were erased
    Result<OpenedTokens> opened;
    if (result && !batch.to_open.empty()) opened = parts_.store->open_tokens(batch.to_open);
    boost::asio::post(
        executor, [this, alive = std::move(alive), result = std::move(result),
                   opened = std::move(opened), took = committing.time(), waiting = Stopwatch()] {
          if (!*alive) return;
          timings_.commits.add(took);
          timings_.loop_lag.add(waiting.time());
          Commands commands;
          if (result) {
            engine_.on_committed(now(), commands, opened);
          } else {
            engine_.on_commit_failed(result.error(), now(), commands);
          }
          run(std::move(commands));
        });
  });
}

// If all is as it was, the loop is not woken for that.
void Rotator::look_after_store(std::move_only_function<void()> looked) {
  if (looking_after_store_.exchange(true) && !looked) return;
  boost::asio::post(store_thread_,
                    [this, alive = alive_, executor = parts_.executor, known = database_problem_,
                     looked = std::move(looked)]() mutable {
                      Result<void> result = parts_.store->look_after();
                      looking_after_store_ = false;
                      std::string problem = result ? std::string() : result.error().message;
                      if (!looked && problem == known) return;
                      boost::asio::post(executor, [this, alive, problem = std::move(problem),
                                                   looked = std::move(looked)]() mutable {
                        if (!*alive) return;
                        note_database_problem(std::move(problem));
                        if (looked) looked();
                      });
                    });
}

void Rotator::note_database_problem(std::string problem) {
  if (problem == database_problem_) return;
  database_problem_ = std::move(problem);
  const bool is_back = database_problem_.empty();
  parts_.tell({.severity = is_back ? Severity::kInfo : Severity::kError,
               .event = "database",
               .member = {},
               .text = is_back ? "the database is back in its place" : database_problem_});
}

void Rotator::send(command::Call call) {
  const CallKind kind = call.request.kind;
  boost::asio::co_spawn(parts_.executor, parts_.call(std::move(call.request)),
                        [this, alive = alive_, id = call.call, kind, watch = Stopwatch()](
                            const std::exception_ptr& error, Reply reply) {
                          if (!*alive) return;
                          timings_.calls.at(static_cast<std::size_t>(kind)).add(watch.time());
                          // The client turns every failure into an outcome, so an exception is a
                          // bug of ours.
                          if (error) std::rethrow_exception(error);
                          Commands commands;
                          engine_.on_reply(id, reply, now(), commands);
                          run(std::move(commands));
                        });
}

}  // namespace rota

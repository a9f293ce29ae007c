#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/services.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/engine.h"
#include "rotator/audit_trail.h"
#include "rotator/boot_timer.h"
#include "rotator/wall_clock_watch.h"
#include "store/token_store.h"

namespace rota {

// Runs the engine on the loop: reads the clock, sends its calls, hands its batches to the store
// thread and feeds the results back. All state belongs to the loop thread; the store is used by the
// store thread alone, once load() is over.
class Rotator final : public TokenService {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    const Clock& clock;  // outlives the rotator
    std::unique_ptr<TokenStore> store;
    // Sends one call to Circle, once. Loop thread.
    std::function<boost::asio::awaitable<Reply>(AuthRequest)> call;
    std::function<void(const Notice&)> tell;
    std::uint64_t seed = 0;
    BootId boot{};  // names the kernel's run that `clock` counts in
    AuditBounds audit{};
  };

  // Loads the store (blocking). Fails with the store's error, or kIo without a timer.
  static Result<std::unique_ptr<Rotator>> create(Parts parts, const Policy& policy);
  ~Rotator() override;

  // Publishes what is durable and begins to rotate.
  void start();
  // No further call is sent; `drained` comes once, when those in flight are over and committed.
  void stop(std::function<void()> drained);

  struct RosterEvents {
    // Once what the roster asks for is durable, with the plan that was applied or held; or with the
    // store's error while it takes no commit; or kInvalid: `approve` is not for what it asks for,
    // and nothing is applied.
    std::move_only_function<void(Result<RosterPlanPtr>)> done;
    // Once it is durable and published, with whether a part of it is held: before `done`, or long
    // after that came with an error.
    std::move_only_function<void(bool held)> in_force;
  };
  void apply_roster(SortedRosterPtr roster, const std::string& approve, RosterEvents events);
  // What this roster would do; `done` comes soon, and never from inside this call.
  void plan_roster(SortedRosterPtr roster, std::move_only_function<void(RosterPlanPtr)> done);
  void operate(std::string_view key, OperatorAction action,
               std::move_only_function<void(Result<OperatorReport>)> done);
  void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done);
  void new_app_token();

  const Table& table() const override { return table_; }
  Subscriptions& subscriptions() override { return table_.subscriptions(); }
  WallTime circle_now() const override;
  WaitId wait_for_token(const WaitRequest& request,
                        std::move_only_function<void(WaitAnswer)> done) override;
  void cancel_wait(WaitId wait) override;
  void note_use(const Published& row) override;
  void note_fetch(const Published& row, const AuditCaller& caller) override {
    trail_.note_fetch(row, caller);
  }
  void note_refused(MemberId member, Fingerprint refused) override;

  // What is not known because the database is another than before, or an older copy of it; empty:
  // it is the one that this machine used last.
  std::string database_doubts() const;
  // Why what is committed would not be found again; empty: it would.
  const std::string& database_problem() const { return database_problem_; }
  // Has the store look after itself, on the store thread; at most one look at a time. Its outcome
  // is in database_problem() soon.
  void look_after_store();
  AuditTrail& audit_trail() { return trail_; }
  const AuditTrail& audit_trail() const { return trail_; }
  // For reports; the engine is changed through this class only.
  Engine& engine() { return engine_; }
  Now now() const { return parts_.clock.now(); }

 private:
  Rotator(Parts parts, const Policy& policy, Snapshot snapshot,
          const std::optional<OtherDatabase>& other, std::unique_ptr<BootTimer> timer);

  Result<void> watch_wall_clock();
  void run(Commands commands);
  void destroy(std::shared_ptr<const void> spent);
  void commit(std::vector<Mutation> mutations);
  void send(command::Call call);
  void finish_turn();

  Parts parts_;
  Engine engine_;
  Table table_;
  std::unique_ptr<BootTimer> timer_;
  std::unique_ptr<WallClockWatch> wall_clock_;
  const std::optional<OtherDatabase> other_database_;
  std::map<WaitId, std::move_only_function<void(WaitAnswer)>> waits_;
  std::map<OperatorId, std::move_only_function<void(Result<OperatorReport>)>> operations_;
  std::map<ReloadId, std::move_only_function<void(Result<RosterPlanPtr>)>> reloads_;
  std::map<ReloadId, std::move_only_function<void(bool)>> rosters_;
  std::map<PlanId, std::move_only_function<void(RosterPlanPtr)>> plans_;
  std::function<void()> drained_;
  std::vector<MemberId> used_;  // since the last telling of the engine
  boost::asio::steady_timer use_timer_;
  std::uint64_t next_id_ = 1;
  std::string database_problem_;
  bool looking_after_store_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for what returns after the end
  AuditTrail trail_;
  boost::asio::thread_pool store_thread_{1};  // last: joined before anything that it uses goes
};

}  // namespace rota

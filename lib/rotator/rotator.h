#pragma once

#include <atomic>
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
#include "engine/quota_turn.h"
#include "plan/shared_budget.h"
#include "report/timings.h"
#include "rotator/audit_trail.h"
#include "rotator/boot_timer.h"
#include "rotator/client_fetches.h"
#include "rotator/wall_clock_watch.h"
#include "store/token_store.h"

namespace rota {

// Runs the engine on the loop: reads the clock, sends the engine's calls, hands its batches to the
// store thread, and gives the results back to it. Loop thread only, but for the store, which only
// the store thread uses after create(). Every `done` is called once, later, on the loop thread, and
// never from inside the method; none is called once the rotator is destroyed.
class Rotator final : public TokenService {
 public:
  struct Parts {
    boost::asio::any_io_executor executor;
    const Clock& clock;  // outlives the rotator
    std::unique_ptr<TokenStore> store;
    // Sends one call to Circle, exactly once. Called on the loop thread.
    std::function<boost::asio::awaitable<Reply>(AuthRequest)> call;
    std::function<void(const Notice&)> tell;
    std::uint64_t seed = 0;
    BootId boot{};  // names the run of the kernel in which `clock` counts
    AuditBounds audit{};
    std::unique_ptr<SharedBudget> shared_budget{};  // null: no other daemon shares the budget
  };

  // Loads the store, which blocks. The store's error, or kIo if the kernel gives no timer.
  static Result<std::unique_ptr<Rotator>> create(Parts parts, const Policy& policy);
  // Waits for the store thread, which writes the rest of the audit trail first.
  ~Rotator() override;

  // Publishes what is durable and begins to rotate. Call it once.
  void start();
  // Sends no more calls. `drained` comes once the calls in flight are over and committed.
  void stop(std::function<void()> drained);

  struct RosterEvents {
    // Comes with the plan that was applied or held, once that is durable; with the store's error,
    // if the store takes no commit; or with kInvalid, and nothing is applied, if `approve` is not
    // the id of what the roster asks for, or if too many approvals wait.
    std::move_only_function<void(Result<RosterPlanPtr>)> done;
    // Comes once the roster is durable and published: before `done` or, if that came with the
    // store's error, perhaps long after it. `held`: whether the guard holds a part of it. Not after
    // kInvalid.
    std::move_only_function<void(bool held)> in_force;
  };
  // Brings a roster into force, in slices. `approve`: the id of the plan that the guard shall let
  // through, or empty. A roster without `approve` replaces an earlier one without `approve` that
  // has not begun; both get the events of the later one.
  void apply_roster(SortedRosterPtr roster, const std::string& approve, RosterEvents events);
  // What this roster would change now. Changes nothing.
  void plan_roster(SortedRosterPtr roster, std::move_only_function<void(RosterPlanPtr)> done);
  // The same as kRevoke for every member that is not retired already.
  void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done);
  // An operator lets this client remove members for an hour (engine/removals.h). `done` comes once
  // that is durable, and says whether the client was held back until now; kIo: it is not durable
  // yet.
  void lift_removals(const std::string& client, std::move_only_function<void(Result<bool>)> done);
  // Makes a backup on the store thread, between the commits. kBusy: another one is under way.
  // Otherwise as TokenStore::continue_backup().
  void back_up(std::move_only_function<void(Result<Backup>)> done);
  // The app token was replaced: what Circle refused before may pass now.
  void new_app_token();

  // TokenService.
  const Table& table() const override { return table_; }
  Subscriptions& subscriptions() override { return table_.subscriptions(); }
  WallTime circle_now() const override;
  WaitId wait_for_token(const WaitRequest& request,
                        std::move_only_function<void(WaitAnswer)> done) override;
  void cancel_wait(WaitId wait) override;
  void note_use(const Published& row) override;
  void note_fetch(const Published& row, const AuditCaller& caller) override {
    ++tokens_given_;
    trail_.note_fetch(row, caller);
    if (!caller.client.empty()) client_fetches_.count(caller.client);
  }
  void note_asked(AuditOrder order) override;
  void note_refused(MemberId member, Fingerprint refused) override;
  bool budget_is_short() const override { return engine_.members().upkeep().left_out() > 0; }
  bool community_is_refused() const override {
    return engine_.gate().breaker().state() == BreakerState::kNotEligible;
  }
  // For operators too. kInvalid also if the action is not possible now.
  void operate(const OperatorRequest& request,
               std::move_only_function<void(Result<OperatorReport>)> done) override;
  void raise_handle(MemberId member, std::string holder,
                    std::move_only_function<void(Result<void>)> done) override;

  // What Rota cannot know because the database is another one than before, or an older copy. Empty
  // if it is the one that this machine used last.
  std::string database_doubts() const;
  // Why the next start would not find what is committed now; empty if it would.
  const std::string& database_problem() const { return database_problem_; }
  // Has the store thread call TokenStore::look_after(), unless it is doing so. The result is in
  // database_problem() soon after. `looked`, if there is one: there is a new look, and this comes
  // after it.
  void look_after_store(std::move_only_function<void()> looked = {});
  AuditTrail& audit_trail() { return trail_; }
  const AuditTrail& audit_trail() const { return trail_; }
  ClientFetches& client_fetches() { return client_fetches_; }
  const Timings& timings() const { return timings_; }
  std::uint64_t tokens_given() const { return tokens_given_; }
  // For reports. Change the engine only through the methods of this class.
  Engine& engine() { return engine_; }
  SharedBudget* shared_budget() { return parts_.shared_budget.get(); }  // null: there is none
  Now now() const { return parts_.clock.now(); }

 private:
  Rotator(Parts parts, const Policy& policy, Snapshot snapshot,
          const std::optional<OtherDatabase>& other, std::unique_ptr<BootTimer> timer);

  Result<void> watch_wall_clock();
  void run(Commands commands);
  void carry_out(Commands commands);
  void settle_quota();
  void destroy(std::shared_ptr<const void> spent);
  void commit(command::Commit batch);
  void send(command::Call call);
  void finish_turn();
  void note_database_problem(std::string problem);
  void continue_backup();

  // Constant after construction, but for the store, which belongs to the store thread.
  Parts parts_;

  // Loop thread only.
  Engine engine_;
  Table table_;
  std::unique_ptr<BootTimer> timer_;
  std::unique_ptr<WallClockWatch> wall_clock_;
  const std::optional<OtherDatabase> other_database_;
  std::map<WaitId, std::move_only_function<void(WaitAnswer)>> waits_;
  Timings timings_;
  std::uint64_t tokens_given_ = 0;
  std::map<OperatorId, std::move_only_function<void(Result<OperatorReport>)>> operations_;
  std::map<ReloadId, std::move_only_function<void(Result<RosterPlanPtr>)>> reloads_;
  std::map<ReloadId, std::move_only_function<void(bool)>> rosters_;
  std::map<PlanId, std::move_only_function<void(RosterPlanPtr)>> plans_;
  std::function<void()> drained_;
  ClientFetches client_fetches_;
  std::vector<MemberId> used_;  // members used since we last told the engine
  boost::asio::steady_timer use_timer_;
  std::optional<QuotaTurn> quota_;  // if the budget is shared
  boost::asio::steady_timer quota_timer_;
  std::uint64_t next_id_ = 1;
  std::string database_problem_;
  std::move_only_function<void(Result<Backup>)> backed_up_;     // set while a backup is under way
  std::atomic<bool> looking_after_store_ = false;               // ends on the store's thread
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // false once this is destroyed
  AuditTrail trail_;
  boost::asio::thread_pool store_thread_{1};  // last: it ends before anything that it uses goes
};

}  // namespace rota

#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "table/table.h"
#include "tests/unit/engine/durable_state.h"
#include "tests/unit/plan/records.h"

namespace rota::test {

inline constexpr Duration kTestWindow{300'000};

// No jitter, so that due times are exact.
inline Policy exact_policy() {
  Policy policy;
  policy.jitter = 0;
  policy.window = kTestWindow;
  return policy;
}

// The engine on a clock that the test moves. Commits are acknowledged on demand, replies are fed by
// the test, and what leaves the engine is checked against what is durable at that moment (P2, P3).
class EngineBox {
 public:
  explicit EngineBox(Snapshot snapshot = {}, const Policy& policy = exact_policy(),
                     Now start = {.wall = kT0, .boot = BootTime{Duration{10'000'000}}},
                     BootId boot = {});

  // Goes on from what is durable, as after kill -9.
  EngineBox restarted(Duration downtime, Duration wall_step = Duration{0}, BootId boot = {}) const;

  void start();
  // Time passes in one go; one tick at its end.
  void advance(Duration d);
  // Time passes tick by tick, at every moment the engine wants, with all commits acknowledged.
  void run_for(Duration d);
  void commit_ok();
  void commit_fail(ErrorKind kind = ErrorKind::kFull);
  // Acknowledges commits until there is none.
  void settle();
  void reply(const command::Call& call, const Outcome& outcome,
             std::optional<WallTime> date = std::nullopt);
  // Answers the newest unanswered call, which must be of this kind, and commits.
  void reply_last(CallKind kind, const Outcome& outcome);
  void roster(const std::vector<RosterEntry>& entries, const std::string& approve = {},
              Fingerprint fingerprint = 0);
  // In slices; with an approval it is that plan or nothing.
  void request(SortedRosterPtr roster, const std::string& approve = {});
  void plan(SortedRosterPtr roster);
  WaitId wait(std::int64_t member, Duration longest = Duration{10'000},
              std::optional<Fingerprint> refused = std::nullopt, bool strict = false,
              std::optional<Duration> min_ttl = std::nullopt);
  // A client enrols a name, and waits for its token or, by default, its identity.
  struct Enrol {
    std::string client = "user:web";
    std::vector<std::string> tags{};
    WaitFor wait_for = WaitFor::kIdentity;
    Duration longest{10'000};
    bool ask_anyway = false;
    AuditCaller caller{};
  };
  WaitId enrol(std::string_view key, const Enrol& how);
  WaitId enrol(std::string_view key) { return enrol(key, Enrol{}); }
  OperatorId operate(std::string_view key, OperatorAction action, std::string client = {},
                     Fingerprint token = 0);
  OperatorId revoke_all();
  OperatorId lift_removals(const std::string& client);
  void new_app_token();
  void used(const std::vector<MemberId>& members);
  void refused(std::int64_t member, std::string_view access);
  // The wall clock is set, and the engine told.
  void set_wall_clock(Duration by);
  void stop();

  std::vector<command::Call> open_calls() const;  // sent and not answered, oldest first
  // Of these; each throws where there is none.
  command::Call oldest_call() const;
  command::Call newest_call() const;
  std::optional<WaitResult> answer_of(WaitId wait) const;
  const Result<OperatorReport>* report_of(OperatorId op) const;
  std::size_t told(std::string_view event) const;
  const MemberSlot* find(std::string_view key) const;  // null: nobody has it
  const MemberSlot& slot(std::string_view key) const;
  std::string served(std::string_view key) const;  // the access token in the table, or ""
  WallTime circle() const { return engine.circle_now(now); }
  bool commit_pending() const { return pending.has_value(); }

  Now now;
  Engine engine;
  Table table;
  DurableState durable;
  std::optional<std::vector<Mutation>> pending;  // the commit that runs
  std::vector<TokenId> to_open;                  // after it
  std::optional<ErrorKind> fail_opening;         // that, the next time that it opens some
  std::vector<command::Call> calls;              // every call that was sent
  std::vector<RosterPlan> reloads;
  std::vector<Error> failed_reloads;
  std::vector<RosterPlan> plans;  // that were asked for by plan()
  std::vector<command::RosterInForce> rosters_in_force;
  std::map<WaitId, WaitAnswer> answers;
  std::vector<Notice> notices;
  std::vector<command::Note> audited;

 private:
  void run(Commands commands);
  void check_table() const;

  Policy policy_;
  std::map<CallId, std::size_t> unanswered_;  // to its place in calls
  std::map<OperatorId, Result<OperatorReport>> reports_;
  std::uint64_t next_id_ = 1;
};

RosterEntry entry(std::string_view key, bool retired = false);

// Ticks for as long as the engine wants to go on at once, and commits. Returns the commits.
std::size_t finish_rosters(EngineBox& box);

// What a start finds when these are on record; next ids are past 1000.
Snapshot snapshot_of(std::vector<MemberRecord> members, std::vector<CallRow> calls = {});

inline constexpr std::string_view kGraceKey = "email:grace@example.com";
// A started box whose one member, kGraceKey, has been issued "access-1" and "refresh-1".
EngineBox box_with_grace(const Policy& policy = exact_policy());

}  // namespace rota::test

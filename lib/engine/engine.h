#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/random.h"
#include "engine/call_gate.h"
#include "engine/commands.h"
#include "engine/enrolment_turns.h"
#include "engine/journal.h"
#include "engine/learned.h"
#include "engine/members.h"
#include "engine/operations.h"
#include "engine/outbox.h"
#include "engine/removals.h"
#include "engine/rosters.h"
#include "engine/schedule.h"
#include "engine/unknown_names.h"
#include "engine/waits.h"
#include "plan/allowance.h"
#include "plan/apply.h"
#include "plan/policy.h"
#include "roster/sorted_roster.h"

namespace rota {

// The rotation engine. It takes events with the time at which they happened, appends commands to
// `out`, and touches nothing outside itself. A driver carries the commands out in their order:
// rotator/rotator.h on the event loop, tests/sim on a virtual clock.
//
// The way of a call: a lane's first due member → a journal row and a slot of the budget → committed
// → Call → on_reply → the record changes → committed → Publish, Answer. What happens at one moment
// goes into one batch; while a batch is being committed, the next one gathers (group commit).
// Nothing leaves before the batch that it came from is durable (P2).
//
// Single-threaded. `now` must not run backwards on the boot clock. Every on_…() ends with a pass
// over what is due; after each of them ask next_wake(). No method fails: what goes wrong is in a
// command.
class Engine {
 public:
  // `snapshot`: what the store has. `seed`: for jitter and backoff. `boot`: the boot of the kernel
  // on whose boot clock now.boot counts.
  Engine(const Policy& policy, Snapshot snapshot, std::uint64_t seed, Now now, BootId boot = {});

  // To be called first, and once. Publishes what is durable, and closes the journal rows of calls
  // that the last process left open.
  void start(Now now, Commands& out);
  // Time has passed; to be called at next_wake().
  void on_tick(Now now, Commands& out);
  // The batch of the last Commit is durable. `opened`: the values of the tokens that it names, or
  // why the store could not read them.
  void on_committed(Now now, Commands& out, const Result<OpenedTokens>& opened = OpenedTokens{});
  // It is not known whether the batch of the last Commit is durable. The engine commits the same
  // batch again, after a pause, until it is; what gathers in the meantime goes into the next one.
  void on_commit_failed(const Error& error, Now now, Commands& out);
  // The reply to a Call; every Call gets one, even if there was none from Circle.
  void on_reply(CallId call, const Reply& reply, Now now, Commands& out);
  // A valid roster was read. It comes into force in slices, one in each pass over what is due
  // (engine/rosters.h).
  void on_roster(RosterRequest request, Now now, Commands& out);
  // Asks what this roster would do; Planned has the answer. Nothing is applied. In slices too.
  void on_plan(PlanId plan, SortedRosterPtr roster, Now now, Commands& out);
  // For tests.
  void pace_rosters(RosterPace pace) { rosters_.set_pace(pace); }
  // Whether a roster is on its way into force.
  bool applies_roster() const { return rosters_.is_under_way(); }
  // A client waits for a token, or for an enrolment (engine_enrolments.cc). One Answer follows, at
  // the latest at its deadline, or kDurableMax after it if it says what must be durable, unless
  // on_wait_cancelled() comes first. The id must be new.
  void on_wait(WaitId wait, const WaitRequest& request, Now now, Commands& out);
  void on_wait_cancelled(WaitId wait);
  // An operator's command. One Report follows, kOperationMax later at the latest; kInvalid: there
  // is no such member, or its state does not allow the action. The id must be new.
  void on_operator(OperatorId op, const OperatorRequest& request, Now now, Commands& out);
  void on_revoke_all(OperatorId op, Now now, Commands& out);
  // An operator lets a client remove members that was held back (engine/removals.h). One Report
  // follows, once that is durable or kOperationMax later; kInvalid: the client is not held back.
  // The id must be new.
  void on_lift_removals(OperatorId op, const std::string& client, Now now, Commands& out);
  void on_new_app_token(Now now, Commands& out);
  // Clients were served tokens of these members since the last on_used(), about a second ago.
  void on_used(std::span<const MemberId> members, Now now, Commands& out);
  // A client that does not wait says that Circle refused this token, so a refresh is due.
  void on_refused(MemberId member, Fingerprint refused, Now now, Commands& out);
  // The budget is shared with others (engine/quota_turn.h): from now on a call goes out only on a
  // quota. To be called before start().
  void share_budget() { gate_.share_budget(); }
  // So many calls may go out now. What is not used at once is void.
  void on_quota(const CallCounts& calls, Now now, Commands& out);
  // As of the last event: calls that are due and lack nothing but a quota. Not all of them: ask
  // again after on_quota().
  const CallCounts& wanted_calls() const { return wanted_; }
  // So many calls a window can be counted on, for who is kept fresh.
  void on_share(std::size_t calls, Now now);
  // The machine's wall clock was set.
  void on_wall_step(Now now, Commands& out);
  // Sends no further call, and answers all waits, and all operations that still run. drained(): the
  // calls in flight are over and everything is durable.
  void on_stop(Now now, Commands& out);
  bool drained() const;

  // When to call on_tick() next; none: not before another event.
  std::optional<BootTime> next_wake(Now now);
  // Whether the rotation is stuck: a commit runs for longer than kCommitHungMax, or on_tick() is
  // late by more than kLateMax. The watchdog depends on it.
  bool is_stuck(Now now);
  static constexpr Duration kCommitHungMax = std::chrono::minutes{2};
  static constexpr Duration kLateMax = std::chrono::seconds{30};
  static constexpr Duration kDurableMax = std::chrono::seconds{5};
  // When the first planned call is due, on Circle's clock; none: no call is planned.
  std::optional<WallTime> next_due() const { return schedule_.next_due(); }
  Schedule::Backlog backlog(Lane lane, Now now) const {
    return schedule_.backlog(lane, circle_now(now));
  }
  // How many planned calls are due before this time of Circle's.
  std::size_t calls_due_before(WallTime time) const { return schedule_.due_before(time); }
  // How long it is until the next call is due and may be sent; none: no call is planned.
  std::optional<Duration> next_call_in(Now now) const;

  WallTime circle_now(Now now) const { return clock().at(now.boot); }
  // The time at which a served token must still be alive: later than circle_now() while Circle's
  // time is in doubt, for example after a suspend.
  WallTime serving_time(Now now) const { return clock().latest(now); }

  // What the reports show (report/report.h).
  struct Counts {
    std::size_t issues = 0, refreshes = 0, revocations = 0, failures = 0, throttled = 0;
    // Calls that ended, by CallKind (which counts from 1) and by the index of their Outcome.
    std::array<std::array<std::size_t, std::variant_size_v<Outcome>>, 5> calls{};
  };
  const Members& members() const { return members_; }
  const MemberSlot* find(MemberId member) const { return members_.find(member); }
  const MemberSlot* find(const MemberKey& key) const { return members_.find(key); }
  // What this roster would do, the same as on_plan() but at once: for a process that serves nobody.
  RosterPlanPtr plan_for(SortedRosterPtr roster) const;
  const RosterPlanPtr& held_plan() const { return rosters_.held(); }  // null: none is held
  MemberPlan plan_of(const MemberSlot& slot, Now now) const;
  const Policy& policy() const { return policy_; }
  const CircleClock& clock() const { return learned_.clock(); }
  const UpstreamFacts& facts() const { return learned_.facts(); }
  const CallGate& gate() const { return gate_; }
  const Journal& journal() const { return journal_; }
  const Outbox& outbox() const { return outbox_; }
  const Counts& counts() const { return counts_; }
  // Not const: asking these two drops what time has ended.
  Census& census() { return members_.census(); }
  Budget& budget() { return gate_.budget(); }
  // Whether issuing makes progress for members that no client asks for; while it does, they do not
  // count as overdue. For members that never had a token: the last first issue, or the start, was
  // at most kFirstIssueMax ago. For members that had one: it also came after the first of them was
  // due.
  bool first_issues_go_on(Now now) const;
  bool idle_issues_go_on(Now now) const;
  std::size_t waits() const { return waits_.size(); }
  const Removals& removals() const { return removals_; }
  const UnknownNames& unknown_names() const { return unknown_names_; }
  Journal::Time times(Now now) const { return {.circle = circle_now(now), .boot = now.boot}; }
  std::int64_t rows_set_aside() const { return rows_set_aside_; }
  // The fingerprint of the roster that is in force exactly as it was read (durable or about to be);
  // 0: none is.
  Fingerprint roster_on_record() const { return rosters_.fingerprint(); }

 private:
  struct DueCall {
    MemberId member{};
    PlannedCall call;
  };

  // engine.cc: the pass over what is due
  void pump(Now now, Commands& out);
  void send_due(Now now);
  bool may_send(Lane lane, Now now);
  bool lacks_quota_only(Lane lane, Now now);
  std::optional<BootTime> lane_wakes_at(Lane lane, Now now);
  std::optional<DueCall> first_due(Lane lane, Now now);
  void start_call(MemberSlot& slot, const PlannedCall& planned, Now now);
  void replan(MemberSlot& slot, Now now);

  // engine_clock.cc
  void look_at_clocks(Now now);
  bool has_asked_for_time() const;
  bool wants_time_probe() const;
  std::optional<DueCall> time_probe(Now now) const;
  void probe_time(Now now);
  void end_doubt(WallTime latest, Now now);
  void clock_moved(Duration by, Now now);

  // engine_commit.cc
  void flush(Now now, Commands& out);
  bool let_out(Outbox::Released released, Now now, Commands& out);
  bool wait_again(WaitId id, Now now);
  void send_held(Now now, Commands& out);
  void send_journaled(CallId call, Now now, Commands& out);
  bool take_opened(CallState& call, const Result<OpenedTokens>& opened, Now now);
  void set_aside(MemberSlot& slot, TokenId token);
  void give_up(const CallState& call, std::string why, Now now);
  void put_at_rest(MemberId member, TokenId token);

  // engine_records.cc
  void housekeep_due(Now now);
  void recount(MemberSlot& slot);
  void count_who_fits();
  void replan_moved(Now now);
  void note_use(MemberSlot& slot, Now now);
  void want_use_recorded(const MemberSlot& slot, Now now);
  void record_uses(Now now);
  void record_change(MemberSlot& slot, const RecordChange& change);
  void put_on_record(MemberSlot& slot, const RecordChange& change);
  void publish(const MemberSlot& slot);
  void settle_if_nothing_alive(MemberSlot& slot, Now now);
  void tell(Severity severity, std::string event, const MemberSlot* slot, std::string text);
  void note(AuditEvent event, const MemberSlot* slot, std::string detail = {},
            Fingerprint token = 0);
  bool leave_if_idle(MemberSlot& slot, Now now);
  bool forget_if_over(MemberSlot& slot, Now now);
  void forget(MemberSlot& slot);
  void take_out(MemberSlot& slot);
  void release_shared(MemberSlot& slot);

  // engine_upstream.cc
  void note_upstream(const CallState& call, const Reply& reply, Now now);
  void note_opened();
  void hear_date(const CallState& call, const Reply& reply, Now now);
  void tell_pause(const CallGate::Pause& pause, const Outcome& outcome);
  void put_pause(BootTime until);
  bool arrived_dead(MemberSlot& slot, const Outcome& outcome, Now now);

  // engine_replies.cc
  void close_row(const CallState& call, const Outcome& outcome, Now now);
  void take_rotation(MemberSlot& slot, const CallState& call, const Reply& reply, Now now);
  bool took_token(MemberSlot& slot, const CallState& call, const Reply& reply, Progress progress,
                  bool was_early, Now now);
  void count_rotation(CallKind kind);
  void note_received(const MemberSlot& slot, const CallState& call, const Outcome& outcome,
                     TokenId first_new, std::string_view how);
  void take_revocation(MemberSlot& slot, const CallState& call, const Reply& reply, Now now);

  // engine_facts.cc
  void count_failure(MemberSlot& slot, Now now);
  void forgive_all(Now now);
  void learn(const MemberSlot& slot, CallKind kind, Progress progress, bool was_early, Now now);

  // engine_identity.cc
  MemberSlot& merge_if_known(MemberSlot& slot, const CallState& call, const Reply& reply, Now now);
  MemberSlot& split_if_elsewhere(MemberSlot& slot, const CallState& call, const Reply& reply,
                                 Now now);
  bool give_to_owner(MemberSlot& slot, const CallState& call, const Reply& reply, Now now);
  static Use use_of(const MemberSlot& slot, const CallState& call);

  // engine_merge.cc
  void merge_into(MemberSlot& into, MemberSlot& slot, Now now);
  MemberSlot* find_shown(MemberId member);
  void unite_namesakes(Now now);

  // engine_roster.cc
  const MemberRecord* shown(const RosterJob::Look& look) const;
  void work_on_rosters(Now now, Commands& out);
  void judge_roster(Commands& out);
  void finish_roster();
  void make_change(const RosterChange& change, Now now, Commands& out);
  void carry_out(const RosterChange& change, Now now);
  void keep_tags(const MemberSlot& slot, const std::vector<std::string>& before, Commands& out);
  void apply_entry(const RosterEntry& entry, Now now);
  void apply_removal(const MemberKey& key, const SortedRoster& wanted, Now now);
  void forget_tags_left_behind(const MemberKey& key);
  void follow_wanted(MemberSlot& slot, Now now);

  // engine_enrolments.cc
  void enrol_or_wait(WaitId id, const WaitRequest& request, Now now, Commands& out);
  MemberSlot* find_for(const WaitRequest& request);
  bool may_ask_about(const MemberSlot* slot, const EnrolRequest& request, Now now) const;
  std::optional<WaitAnswer> refusal_of(const WaitRequest& request, Now now);
  void admit_enrolments(Now now, Commands& out);
  void admit(WaitId id, bool took_turn, Now now, Commands& out);
  void enrol_known(MemberSlot& slot, const EnrolRequest& request, Now now);
  MemberSlot& enrol_new(const EnrolRequest& request, Now now);
  bool has_room_for_enrolments(Now now);
  std::optional<BootTime> enrolments_wake_at(Now now);
  void drop_unknown(MemberSlot& slot, Now now);
  void note_enrolled(MemberSlot& slot, const EnrolRequest& request);
  void note_enrolments(MemberSlot& slot);
  void recall_enrolments(MemberSlot& slot);

  // engine_waits.cc
  void begin_wait(MemberSlot& slot, WaitId id, Now now, Commands& out);
  void end_wait(WaitId id, Now now, Commands& out);
  WaitAnswer worded(WaitId id, WaitAnswer best) const;
  void expire_waits(Now now, Commands& out);
  std::vector<WaitId> unanswered(const MemberSlot& slot) const;
  void answer_waiters(MemberSlot& slot, Now now);
  void on_identified(MemberSlot& slot, Now now);
  bool is_token_awaited(const MemberSlot& slot) const;
  void answer_everybody(Now now);
  bool answer_if_served(WaitId wait, const MemberSlot& slot, Now now);
  void answer(WaitId wait, WaitAnswer answer);
  void answer_at_once(WaitId wait, Now now, Commands& out);
  WaitAnswer best_answer(const MemberSlot& slot, const WaitRequest& request, Now now) const;

  // engine_operations.cc
  void block(MemberSlot& slot, Now now);
  void raise_handle(MemberSlot& slot, const std::string& holder);
  OperationEnd sign_out(MemberSlot& slot, Now now, Commands& out);
  bool revoke_token(MemberSlot& slot, Fingerprint fingerprint, Now now, Commands& out);
  void serve_no_more(const MemberSlot& slot, std::optional<Fingerprint> token, Commands& out);
  void hurry_revocations(MemberSlot& slot, std::size_t tokens, Now now);
  void end_sign_out(MemberSlot& slot);
  void end_token_revocations(MemberSlot& slot, Fingerprint token, OperationEnd end);
  bool may_bring_more(const MemberSlot& slot, CallId mark);
  void settle_sign_out(MemberSlot& slot);
  void settle_removal(MemberSlot& slot);
  LoginEpoch draw_login_epoch();
  OperationEnd end_enrolment(MemberSlot& slot, const std::string& client, Now now);
  void note_revocation(const MemberSlot& slot, const Token& token, const std::string& result,
                       bool alive);
  void complete_all(MemberSlot& slot, OperatorAction action, OperationEnd end);
  void complete(OperatorId op, MemberSlot& slot, OperationEnd end);
  void end_rotations(MemberSlot& slot);
  void end_refused_operations(Now now);
  void expire_operations(Now now, Commands& out);

  // Constant after construction.
  const Policy policy_;
  const std::uint64_t seed_;
  const BootId boot_;
  const std::string set_aside_;  // which rows the load set aside, for people

  // The parts.
  Outbox outbox_;
  Random random_;
  Random login_epochs_;
  Learned learned_;
  CallGate gate_;
  Journal journal_;
  TokenIds token_ids_;
  Members members_;
  Schedule schedule_;
  Waits waits_;
  Operations operations_;
  Rosters rosters_;
  EnrolmentTurns enrolment_turns_;
  UnknownNames unknown_names_;
  Removals removals_;
  Allowance urgent_sign_outs_;  // revocations of sign-outs that go before refreshes

  // State that belongs to no part.
  BootTime record_uses_at_{};          // when the last uses are stored, at the latest
  BootTime housekeep_at_{};            // when records are looked after again, at the earliest
  std::size_t replies_in_commit_ = 0;  // that came while the store had a batch
  BootTime pumped_at_{};
  BootTime issues_go_on_at_{};  // the last success of the issue lane, or the start
  bool stopping_ = false;
  CallCounts wanted_{};               // calls that lack nothing but a quota
  std::optional<std::size_t> share_;  // of a budget that is shared
  std::int64_t rows_set_aside_;
  Counts counts_;
};

}  // namespace rota

#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/commands.h"
#include "http/query.h"
#include "roster/roster.h"
#include "sim/circle_side.h"
#include "sim/durable.h"

namespace rota::sim {

class World;

// Rota's promises (P1 to P9, P12 and P13 of ARCHITECTURE.md), checked at every step against the
// truth: Circle's ledger, the contents of the disk, the true time. Each breach is reported with the
// promise's number.
//
// First come the methods by which the rest of the world reports, then the checks by promise.
class Promises {
 public:
  explicit Promises(World& world) : world_(world) {}

  // The machine.
  void begin();
  void before_start();
  void after_start();
  void before_crash();
  void on_wake() { ++wakes_; }
  void on_sleep(Duration length);
  void calm_down();
  void at_end();
  // The disk. on_commit(): a batch is handed out. It is applied between the next two.
  void on_commit();
  // The disk does not give this token now.
  void on_not_opened(const Token& token) { revocation_tried_.emplace(token.value->reveal()); }
  void on_commit_failed();
  void before_durable(std::span<const Mutation> batch);
  void on_durable(std::span<const Mutation> batch);
  void after_committed(std::span<const Mutation> batch);
  void on_publish(const Published& row) { published_.push_back(row.member); }
  void after_turn();
  // Calls.
  void on_send(const Flight& flight);
  void on_arrival(const Flight& flight);
  void on_throttled(const std::optional<std::string>& retry_after, Duration reply_age);
  void before_reply(const Flight& flight, const Reply& reply);
  void after_reply(const Flight& flight, const Reply& reply);
  void on_new_app_token();
  void on_tell(const Notice& notice);
  // People.
  void on_served(const TokenQuery& query, const Published& row);
  void before_roster(const Roster& file, const std::string& approve);
  void on_roster_refused();
  void on_revocation_reported(MemberId member);
  // Programs that enrol and sign out.
  void on_signed_out(MemberId member, const std::vector<std::string>& tokens);
  void on_token_revoked(const std::string& text);
  // Either of these took the token in force: its member needs another one before its time.
  void on_token_taken() { ++taken_; }
  void on_sign_out_reported(const std::vector<std::string>& tokens);
  void on_said_to_be_member(MemberId id, bool known);
  void on_confirmed(const MemberKey& key);
  void on_asked_for(const MemberKey& key);
  void on_removal(const std::string& client, std::size_t own, bool removed);
  void on_removals_limited(const std::string& client);
  void on_removals_lifted(const std::string& client);
  // An operator accepts the person to whom the member's selector leads now.
  void on_identity_accepted(MemberId member) { accepted_.insert(member); }

  // Whether nothing bad has happened for so long that every member must be fresh.
  bool settled() const;
  bool serves(const MemberKey& key) const;
  // Whether no call could be made for a client that waits from `since` to `deadline`: the window
  // was full all that time, but for calls that other waiting clients got.
  bool budget_had_nothing(Duration since, Duration deadline) const;
  // Calls that ended since then, or are under way.
  std::size_t calls_since(Duration time) const;

 private:
  struct Erased {
    MemberId member{};
    TokenStatus status{};
    std::string text;
  };
  struct Held {  // a token in the engine before a reply that settles nothing
    TokenId id{};
    TokenStatus status{};
    WallTime expires_at;
  };

  // promises_tokens.cc
  void p1_nothing_expired(const Published& row);
  bool p1_can_know() const;
  bool knows_time() const;
  void p2_shows_what_is_durable(MemberId member);
  void p10_is_at_rest(MemberId member, TokenId id);
  void p3_row_before_call(const Flight& flight);
  WallTime last_doubt(MemberId member, CallKind kind) const;
  void p3_every_token_is_accounted_for(CallId call, const CallRow* row);
  void p3_p4_p5_given_up_only_dead(const Erased& erased);
  void p4_nothing_served(const Published& row);
  void p4_refresh_token_first(const Flight& flight);
  void p4_note_leavers_calls();
  void p4_condemn_what_came_late(const Flight& flight, const Reply& reply);
  void p4_revocation_is_final(const PutToken& put);
  bool live_at_circle(std::string_view text) const;
  // promises_replies.cc
  void p5_unclear_is_no_verdict(const Flight& flight, const Reply& reply);
  void p5_unknown_by_circles_word(MemberId member);
  bool said_unknown(const SlimVector<Selector>& names) const;
  // promises_identity.cc
  void p13_pin_stays(MemberId member);
  void p13_forgets(const Durable::Member& member);
  void p13_forgets_lost_names();
  void p13_owns(const MemberKey& key, std::int64_t pin);
  void p13_leads_to(const MemberKey& key, std::int64_t pin);
  void p13_moved_address_is_found_out(const MemberKey& key, sandbox::MemberId served);
  void p13_is_who_it_was(const TokenQuery& query, const Published& row);
  // promises_sign_out.cc
  void sign_out_what_came_late(const Flight& flight, const Reply& reply);
  void sign_out_durable(const PutToken& put);
  void forget_sign_outs();
  void note_asked_again(MemberId member);
  bool was_asked_again_just_now(MemberId member) const;
  void signed_out_is_not_served(const Published& row);
  void sign_outs_end();
  // promises_enrolments.cc
  void forget_clients();
  void new_names_take_their_share(MemberId member);
  void note_split(MemberId member);
  void at_most_so_many_are_enrolled();
  void roster_ends_enrolments(MemberId member);
  void tags_are_of_one_name(MemberId member);
  std::vector<Duration> asked_for(const Durable::Member& member) const;
  Duration use_slack() const;
  void idle_one_was_idle(const std::string& key);
  void idle_ones_leave();
  // promises_calls.cc
  void p7_window();
  std::size_t calls_in_window() const;
  bool was_spent_just_now() const;
  Duration back_again() const;
  void p8_one_probe();
  void p8_note_alarm(const Flight& flight, const Reply& reply);
  void p9_one_call_each(const Flight& flight);
  // promises_roster.cc
  std::size_t gone_since_roster() const;
  void p6_follow_roster();
  void p6_roster_in_force();
  void p6_roster_on_record_is_whole();
  void p6_approval_on_record_was_given();
  void end_roster();
  // promises_distance.cc
  void forget_distances();
  void calls_keep_their_distance(const Flight& flight);
  struct Recent;
  void few_issues_that_fail(Recent& recent);
  void p12_refreshes_are_in_time(const Flight& flight);
  void note_arrival(const Flight& flight, const Reply& reply);
  void p8_probes_keep_their_distance();
  void note_probe_over(const Flight& flight, const Reply& reply);
  void few_calls_for_each();
  // promises_audit.cc
  void begin_next();
  void audit();
  void p3_nothing_lives_unexplained();
  void p4_revocations_end();
  void p8_p12_everybody_is_fresh();
  void no_storm();
  void note_stint(MemberId member);
  void count_need();
  void few_calls();
  Duration bound() const;
  std::string why_not_fresh(const MemberKey& key) const;
  const Durable& durable() const;

  World& world_;
  std::optional<Duration> settled_at_;
  // P1: Circle's clock minus this machine's wall clock, when Rota last knew it, and when the batch
  // was made that is being committed. Then the replies since an unseen pause of the machine.
  std::optional<Duration> known_skew_;
  std::optional<Duration> skew_at_commit_;
  std::optional<Duration> pause_counted_;
  std::size_t replies_since_pause_ = 0;
  // P2, P3, P4, P5
  std::vector<MemberId> published_;  // in this turn
  std::vector<Erased> erased_;
  std::map<MemberId, SmallOptional<std::int64_t>> pins_before_;
  std::map<MemberId, MemberState> states_before_;
  std::set<MemberId> signed_out_before_;
  // What Circle made in a call, and for whom.
  struct Minted {
    MemberId member{};
    CallKind kind = CallKind::kIssue;
    std::vector<sandbox::TokenId> tokens;
    bool dated_unsurely = false;
    bool unforeseen = false;  // a refresh that lost the first new refresh token ever
  };
  std::map<CallId, Minted> minted_;
  std::set<std::string, std::less<>> revocation_tried_;
  // Tokens that were on record as to be revoked, or that a call from before a retirement brought.
  std::set<std::string, std::less<>> condemned_;
  std::set<std::string, std::less<>> said_unknown_;  // names
  std::set<std::string, std::less<>> is_unknown_;    // by Circle's last word, which is on disk
  std::unordered_map<MemberId, bool> last_unclear_;
  std::vector<Held> held_;
  MemberState held_state_{};
  // Access tokens of before a sign-out, and since when that is on disk.
  std::map<std::string, std::optional<Duration>, std::less<>> signed_out_;
  // When a client first asked for a member again that had signed out.
  std::map<MemberId, Duration> asked_again_;
  // Enrolments
  std::map<MemberId, SlimVector<Selector>> names_before_;
  std::deque<Duration> new_names_;    // when they came on disk
  std::optional<Duration> spent_at_;  // when a call left background calls no other in its window
  Duration disturbed_at_{-std::chrono::minutes{1}};  // the disk did not work, or the machine slept
  std::size_t split_names_ = 0;
  std::size_t most_enrolled_ = 0;  // at once
  struct Removing {
    std::deque<BootTime> removed{};                      // within the last hour
    std::deque<std::pair<BootTime, std::size_t>> had{};  // members, as counted lately
    std::optional<BootTime> free_until{};                // lifted
    bool is_held = false;
  };
  std::map<std::string, Removing, std::less<>> removing_;  // by client
  // When clients asked for a member, by its name.
  std::map<std::string, std::vector<Duration>, std::less<>> asked_;
  // P6
  bool roster_comes_ = false;     // a roster is coming into force, slice by slice
  bool roster_foreseen_ = false;  // nothing else has disturbed it since before_roster()
  std::map<MemberId, MemberState> members_before_;
  std::size_t guard_allows_ = 0;
  bool must_be_held_ = false;
  bool approved_ = false;
  std::vector<MemberId> to_go_;
  std::set<Fingerprint> approvals_;  // of the files that operators approved
  // P7
  std::deque<Duration> completed_;
  std::deque<Duration> unasked_;  // when calls were sent for which no client waited
  Duration paused_until_{0};
  // P8
  std::set<std::size_t> alarm_reasons_;  // app token, community: one alarm for each
  std::optional<Duration> alarm_since_;
  std::set<CallId> old_token_flights_;
  std::size_t alarms_ = 0;       // alarms due in this life of the process
  std::size_t alarms_told_ = 0;  // alarms that Rota raised
  // P13
  struct Owner {
    std::int64_t pin = 0;    // Circle's member
    bool forgotten = false;  // the record is no more
  };
  std::map<std::string, Owner, std::less<>> owners_;  // by selector
  std::set<MemberId> accepted_;
  // Calls that bring tokens, by their member.
  struct Recent {
    std::deque<Duration> in_this_life;  // the last few in this life of the process
    std::deque<Duration> in_the_hour;
    std::deque<Duration> unasked_issues;  // in this life and the last hour
  };
  std::map<MemberId, Recent> recent_;
  std::map<MemberId, Duration> dead_at_;  // when their last tokens came, dead on arrival
  // How late a refresh was at most, in a world with a crowd: while it logs in, and afterwards.
  Duration latest_{0};
  Duration latest_after_logins_{0};
  std::optional<Duration> last_probe_;  // when the last probe ended
  int probes_ = 0;                      // probes since the refusal
  // Wake-ups and calls.
  std::size_t wakes_ = 0;
  std::size_t sends_ = 0;
  std::size_t rotations_ = 0;  // of these, calls that bring tokens
  std::size_t taken_ = 0;      // tokens in force that clients gave to revocation
  std::size_t stints_ = 0;     // how often a record came to be active: each needs a first call
  Duration needed_{0};         // for how long tokens were needed, of all members together
  Duration names_needed_{0};   // the same for names that may come to lead to somebody else
  std::size_t storm_base_ = 0;
};

}  // namespace rota::sim

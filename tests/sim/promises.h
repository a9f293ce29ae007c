#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/commands.h"
#include "http/query.h"
#include "roster/roster.h"
#include "sim/circle_side.h"
#include "sim/durable.h"

namespace rota::sim {

class World;

// What Rota promises (the design's P1 to P9, P12 and P13), checked at every step against the truth:
// Circle's ledger, the disk's contents, the true time. Each breach is reported under its number.
//
// Members stand in groups: what the rest of the world reports, then the checks by promise.
class Promises {
 public:
  explicit Promises(World& world) : world_(world) {}

  // The machine.
  void begin();
  void before_start();
  void after_start();
  void before_crash();
  void on_wake() { ++wakes_; }
  void calm_down();
  void at_end();
  // The disk. A batch is handed out, and applied between the next two.
  void on_commit();
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
  // An operator takes the member for whoever its selector leads to now.
  void on_identity_accepted(MemberId member) { accepted_.insert(member); }

  // Nothing bad happens, and has not for so long that every member must be fresh.
  bool settled() const;
  bool serves(const MemberKey& key) const;
  // Whether a client that waits from `since` to `deadline` could get no call: the window is full
  // for all of that time, and what it gave went to clients that wait.
  bool budget_had_nothing(Duration since, Duration deadline) const;

 private:
  struct Erased {
    MemberId member{};
    TokenStatus status{};
    std::string text;
  };
  struct Held {  // an engine's token before a reply that settles nothing
    TokenId id{};
    TokenStatus status{};
    WallTime expires_at;
  };

  // promises_tokens.cc
  void p1_nothing_expired(const Published& row);
  bool p1_can_know() const;
  bool knows_time() const;
  void p2_shows_what_is_durable(MemberId member);
  void p3_row_before_call(const Flight& flight);
  WallTime last_doubt(MemberId member, CallKind kind) const;
  void p3_every_token_is_accounted_for(CallId call, const CallRow* row);
  void p3_p4_p5_given_up_only_dead(const Erased& erased);
  void p4_nothing_served(const Published& row);
  void p4_refresh_token_first(const Flight& flight);
  void p4_note_leavers_calls();
  void p4_condemn_what_came_late(const Flight& flight, const Reply& reply);
  void p4_revocation_is_final(const PutToken& put);
  void p5_unclear_is_no_verdict(const Flight& flight, const Reply& reply);
  void p5_unknown_by_circles_word(MemberId member);
  bool said_unknown(const std::vector<Selector>& names) const;
  void p13_pin_stays(MemberId member);
  void p13_moved_address_is_found_out(const MemberKey& key, sandbox::MemberId served);
  void p13_is_who_it_was(const TokenQuery& query, const Published& row);
  bool live_at_circle(std::string_view text) const;
  // promises_calls.cc
  void p7_window();
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
  void few_calls();
  Duration bound() const;
  std::string why_not_fresh(const RosterEntry& entry) const;
  const Durable& durable() const;

  World& world_;
  std::optional<Duration> settled_at_;
  // P1: Circle's clock against this machine's wall clock, when Rota knew it last and when the batch
  // that is being committed was made; and the replies since the machine stood still unseen.
  std::optional<Duration> known_skew_;
  std::optional<Duration> skew_at_commit_;
  std::optional<Duration> pause_counted_;
  std::size_t replies_since_pause_ = 0;
  // P2, P3, P4, P5
  std::vector<MemberId> published_;  // in this turn
  std::vector<Erased> erased_;
  std::map<MemberId, std::optional<std::int64_t>> pins_before_;
  std::map<MemberId, MemberState> states_before_;
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
  // Tokens that were on record as to be revoked, or came by a call from before a retirement.
  std::set<std::string, std::less<>> condemned_;
  std::set<std::string, std::less<>> said_unknown_;  // names
  std::unordered_map<MemberId, bool> last_unclear_;
  std::vector<Held> held_;
  MemberState held_state_{};
  // P6
  bool roster_comes_ = false;     // into force, slice by slice
  bool roster_foreseen_ = false;  // what follows is the answer to that one roster
  std::map<MemberId, MemberState> members_before_;
  std::size_t guard_allows_ = 0;
  bool must_be_held_ = false;
  bool approved_ = false;
  std::vector<MemberId> to_go_;
  std::set<Fingerprint> approvals_;  // the files that operators wanted let through
  // P7
  std::deque<Duration> completed_;
  std::deque<Duration> unasked_;  // calls that no client waited for, by their sending
  Duration paused_until_{0};
  // P8
  std::set<std::size_t> alarm_reasons_;  // app token, community: an alarm each
  std::optional<Duration> alarm_since_;
  std::set<CallId> old_token_flights_;
  std::size_t alarms_ = 0;       // in this life of the process
  std::size_t alarms_told_ = 0;  // of these
  // P13
  std::map<std::string, std::int64_t, std::less<>> owners_;  // of selectors, since their pin
  std::set<MemberId> accepted_;
  // Calls that bring tokens, by their member.
  struct Recent {
    std::deque<Duration> in_this_life;  // of the process; the last few
    std::deque<Duration> in_the_hour;
    std::deque<Duration> unasked_issues;  // of this life and the last hour
    bool dead = false;                    // the last token that came had ended
    Duration dead_at{0};
  };
  std::map<MemberId, Recent> recent_;
  std::optional<Duration> last_probe_;  // its end
  int probes_ = 0;                      // since the refusal that was told
  // waking and calling
  std::size_t wakes_ = 0;
  std::size_t sends_ = 0;
  std::size_t rotations_ = 0;  // of these
  std::size_t storm_base_ = 0;
};

}  // namespace rota::sim

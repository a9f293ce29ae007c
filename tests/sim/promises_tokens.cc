#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "plan/freshness.h"
#include "plan/lifecycle.h"
#include "plan/next_action.h"
#include "sim/promises.h"
#include "sim/world.h"

// Which tokens are served, which are on record, and what happens to them.

namespace rota::sim {
namespace {

constexpr Duration kClockSlack{3'000};  // Rota's idea of Circle's clock is good to a second

bool is_gone(MemberState state) {
  return state == MemberState::kRetiring || state == MemberState::kRetired ||
         state == MemberState::kBlocked;
}

}  // namespace

const Durable& Promises::durable() const { return world_.store().durable(); }

bool Promises::live_at_circle(std::string_view text) const {
  const sandbox::Ledger& ledger = world_.circle().circle().ledger();
  const auto id = ledger.find(text);
  return id && ledger.at(*id).state(world_.circle_time()) == sandbox::TokenState::kLive;
}

void Promises::on_served(const TokenQuery& query, const Published& row) {
  p1_nothing_expired(row);
  p4_nothing_served(row);
  signed_out_is_not_served(row);
  p13_is_who_it_was(query, row);
  if (query.refused == row.fingerprint) {
    world_.breach("clients: the token that a client calls refused is given to it again");
  }
}

void Promises::p1_nothing_expired(const Published& row) {
  const sandbox::Ledger& ledger = world_.circle().circle().ledger();
  const auto id = ledger.find(row.access_token->reveal());
  const bool expired = !id || ledger.at(*id).expires_at <= world_.circle_time();
  if (!expired) return;
  const WallTime idea = world_.engine().serving_time(world_.now());
  const bool was_wrong = idea + kClockSlack < world_.circle_time();
  const bool goes_back =
      durable().meta().last_circle_time && idea < *durable().meta().last_circle_time;
  if (!was_wrong || goes_back || p1_can_know()) {
    world_.breach(fmt::format("P1: an expired token is served; Circle's clock is taken for {} ms",
                              (idea - world_.circle_time()).count()));
  } else {
    world_.note(knows_time() ? "p1.excused" : "p1.excused.pause");
  }
}

// After a pause of the machine, Rota cannot know of it until somebody sets the wall clock, or until
// Circle's reply to a later call of this process shows the time.
bool Promises::knows_time() const {
  constexpr std::size_t kRepliesNeeded = 1;
  const auto paused = world_.unseen_pause();
  return !paused || (pause_counted_ == paused && replies_since_pause_ >= kRepliesNeeded);
}

// After a reboot, and before the first reply, Rota knows the wall clock, how far that was from
// Circle's clock when it last knew, and the last Circle time on record. Only if the wall clock was
// set since then, Rota cannot know Circle's time.
bool Promises::p1_can_know() const {
  constexpr Duration kSlowReply = std::chrono::seconds{10};  // how far off Circle's time may be
  if (!knows_time()) return false;
  if (world_.engine().clock().confirmed()) return true;
  const WallTime idea = world_.engine().serving_time(world_.now());
  return known_skew_ && idea + kSlowReply < world_.now().wall + *known_skew_;
}

void Promises::on_commit() {
  const CircleClock& clock = world_.engine().clock();
  const bool knows = clock.confirmed() && !clock.doubted() && knows_time();
  skew_at_commit_ = knows ? std::optional(world_.circle_time() - world_.now().wall) : std::nullopt;
}

// Checked after the turn: nobody sees what a turn publishes and then replaces.
void Promises::after_turn() {
  p6_follow_roster();
  p4_note_leavers_calls();
  for (const MemberId member : published_) p2_shows_what_is_durable(member);
  published_.clear();
}

void Promises::p4_note_leavers_calls() {
  for (const auto& [id, flight] : world_.circle().flights()) {
    const MemberSlot* slot = world_.engine().find(flight->member);
    if (slot != nullptr && is_gone(slot->record.state)) flight->outlived_its_member = true;
  }
}

void Promises::p4_condemn_what_came_late(const Flight& flight, const Reply& reply) {
  if (!flight.outlived_its_member) return;
  const auto condemn = [this](const SecretPtr& token) {
    condemned_.emplace(token->reveal());
    world_.note("p4.came_late");
  };
  if (const auto* refreshed = std::get_if<Refreshed>(&reply.outcome)) {
    condemn(refreshed->access.value);
  } else if (const auto* issued = std::get_if<Issued>(&reply.outcome)) {
    const Durable::Member* member = durable().find(flight.member);
    const TokenPair& pair = issued->pair;
    // Tokens of another member belong to that member, who may be here.
    if (member == nullptr || !member->pin || *member->pin != pair.community_member_id) return;
    condemn(pair.access.value);
    condemn(pair.refresh);
  }
}

void Promises::p4_revocation_is_final(const PutToken& put) {
  const auto text = put.token.value->reveal();
  if (put.token.status == TokenStatus::kRevoking) {
    condemned_.emplace(text);
  } else if (put.token.status == TokenStatus::kCurrent && condemned_.contains(text) &&
             live_at_circle(text)) {
    world_.breach("P4: a token that is to be revoked is in use again");
  }
}

// Between turns the table shows exactly what is on disk.
void Promises::p2_shows_what_is_durable(MemberId member) {
  const Published* shown = world_.table().find(member);
  const Durable::Member* there = durable().find(member);
  if ((shown == nullptr) != (there == nullptr)) {
    world_.breach("P2: the table has a member that the disk has not, or the other way round");
  }
  if (shown == nullptr || there == nullptr) return;
  const auto to_be_revoked = [](const auto& held) {
    return held.second.status == TokenStatus::kRevoking ||
           held.second.status == TokenStatus::kMemberGone;
  };
  if (is_gone(there->state) && !std::ranges::all_of(there->tokens, to_be_revoked)) {
    world_.breach("P4: a token of a member that has left is not to be revoked");
  }
  if (there->state != MemberState::kActive && shown->access_token) {
    world_.breach(fmt::format("P4: a token of a member that is {} on disk can be served",
                              name_of(there->state)));
  }
  if (shown->state != there->state) {
    world_.breach(fmt::format("P2: a member is {} on disk and shown as {}", name_of(there->state),
                              name_of(shown->state)));
  }
  const Token* token = current(*there, rota::TokenKind::kAccess);
  const bool unresolved = std::ranges::any_of(there->selectors, [](const Selector& name) {
    return name.key.kind != SelectorKind::kCommunityMemberId && name.resolved_at == WallTime{};
  });
  const bool has = there->state == MemberState::kActive && token != nullptr && !unresolved;
  // A sign-out, or a client that gives the token back, takes it out of the table before that is on
  // disk. What replaced it need not be on disk either, and it may have ended meanwhile.
  const MemberSlot* slot = world_.up() ? world_.engine().find(member) : nullptr;
  const auto is_kept = [token](const Token& held) {
    return held.fingerprint == token->fingerprint && held.status != TokenStatus::kRevoking;
  };
  const bool is_taken = has && !shown->access_token && slot != nullptr &&
                        std::ranges::none_of(slot->record.tokens, is_kept);
  if (is_taken) return;
  if (has != (shown->access_token != nullptr) || (has && *shown->access_token != *token->value)) {
    world_.breach("P2: the table shows another token than the disk has as the current one");
  }
}

void Promises::p3_row_before_call(const Flight& flight) {
  const CallRow* row = durable().call(flight.id);
  if (row == nullptr || row->fate != CallFate::kOpen || row->kind != flight.kind ||
      row->member != flight.member) {
    world_.breach("P3: a call is sent without its open row on disk");
  }
}

// The end of the last doubt of a member and kind. A member that is no longer on record was merged
// into another one, which has its doubts.
WallTime Promises::last_doubt(MemberId member, CallKind kind) const {
  const bool merged = durable().find(member) == nullptr;
  WallTime last{};
  for (const auto& [id, row] : durable().calls()) {
    if (!row.doubt_until || row.kind != kind || (row.member != member && !merged)) continue;
    last = std::max(last, *row.doubt_until);
  }
  return last;
}

// Every token that Circle made in this call is on the ledger, or dead, or under a doubt that lasts
// as long as the token. One doubt may stand for several calls of one member and kind.
// `row`: the call's row as it is now; null if it is erased.
void Promises::p3_every_token_is_accounted_for(CallId call, const CallRow* row) {
  const auto made = minted_.find(call);
  if (made == minted_.end()) return;
  const sandbox::Ledger& ledger = world_.circle().circle().ledger();
  if (row != nullptr) made->second.member = row->member;
  const WallTime doubted_until = last_doubt(made->second.member, made->second.kind);
  if (row != nullptr && row->fate != CallFate::kOpen && !durable().meta().refresh_rotates) {
    made->second.unforeseen = made->second.kind == CallKind::kRefresh;
  }
  for (const sandbox::TokenId id : made->second.tokens) {
    const sandbox::Token& token = ledger.at(id);
    if (token.state(world_.circle_time()) != sandbox::TokenState::kLive) continue;
    if (durable().holds(token.text)) continue;
    if (made->second.unforeseen && token.kind == sandbox::TokenKind::kRefresh) continue;
    if (row != nullptr && row->fate == CallFate::kOpen) continue;
    if (doubted_until + kClockSlack >= token.expires_at) continue;
    // If the doubt was noted while our clock was behind, a later commit extends it, once Circle's
    // time is known. That may have become known while this batch was being committed.
    const CircleClock* const clock = world_.up() ? &world_.engine().clock() : nullptr;
    const bool sure = clock != nullptr && clock->confirmed() && !clock->doubted() && knows_time() &&
                      skew_at_commit_ && durable().meta().clock_boot == world_.boot_id();
    if (doubted_until > WallTime{} && !sure) made->second.dated_unsurely = true;
    if (made->second.dated_unsurely) continue;
    world_.breach(
        fmt::format("P3: a live {} token of a call that is over is neither on the ledger "
                    "nor a doubt{}",
                    sandbox::name_of(sandbox::kTokenKindNames, token.kind),
                    doubted_until > WallTime{} ? " of that length" : ""));
  }
}

void Promises::before_durable(std::span<const Mutation> batch) {
  erased_.clear();
  pins_before_.clear();
  states_before_.clear();
  names_before_.clear();
  signed_out_before_.clear();
  const auto note_erased = [this](MemberId member, const Token& token) {
    erased_.push_back(
        {.member = member, .status = token.status, .text = std::string(token.value->reveal())});
  };
  for (const Mutation& mutation : batch) {
    if (const auto* erase = std::get_if<EraseToken>(&mutation)) {
      const Token* token = durable().token(erase->token);
      if (token != nullptr) note_erased(*durable().owner_of(erase->token), *token);
    } else if (const auto* forget = std::get_if<ForgetMember>(&mutation)) {
      const Durable::Member* member = durable().find(forget->member);
      if (member == nullptr) continue;
      for (const auto& [id, token] : member->tokens) note_erased(forget->member, token);
      names_before_.emplace(forget->member, member->selectors);
      p13_forgets(*member);
    } else if (const auto* put = std::get_if<PutMember>(&mutation)) {
      const Durable::Member* member = durable().find(put->row.id);
      if (member == nullptr) continue;
      pins_before_.emplace(put->row.id, member->pin);
      names_before_.emplace(put->row.id, member->selectors);
      states_before_.emplace(put->row.id, member->state);
      if (member->signed_out_at != WallTime{}) signed_out_before_.insert(put->row.id);
    }
  }
}

void Promises::on_durable(std::span<const Mutation> batch) {
  if (skew_at_commit_) known_skew_ = skew_at_commit_;
  for (const Erased& erased : erased_) p3_p4_p5_given_up_only_dead(erased);
  p13_forgets_lost_names();
  std::set<MemberId> seen;  // checks each record once: a batch may change it several times
  for (const Mutation& mutation : batch) {
    if (const auto* put = std::get_if<PutCall>(&mutation)) {
      p3_every_token_is_accounted_for(put->row.id, durable().call(put->row.id));
    } else if (const auto* erase = std::get_if<EraseCall>(&mutation)) {
      p3_every_token_is_accounted_for(erase->call, nullptr);
    } else if (const auto* token = std::get_if<PutToken>(&mutation)) {
      p4_revocation_is_final(*token);
      sign_out_durable(*token);
    } else if (const auto* member = std::get_if<PutMember>(&mutation)) {
      if (!seen.insert(member->row.id).second) continue;
      p13_pin_stays(member->row.id);
      p5_unknown_by_circles_word(member->row.id);
      note_stint(member->row.id);
      note_asked_again(member->row.id);
      roster_ends_enrolments(member->row.id);
      note_split(member->row.id);
      new_names_take_their_share(member->row.id);
    } else if (const auto* meta = std::get_if<PutMeta>(&mutation)) {
      if (meta->key == MetaKey::kRosterFingerprint) p6_roster_on_record_is_whole();
      if (meta->key == MetaKey::kApprovedRoster) p6_approval_on_record_was_given();
    }
  }
  if (!seen.empty()) at_most_so_many_are_enrolled();
}

void Promises::after_committed(std::span<const Mutation> batch) {
  for (const Mutation& mutation : batch) {
    if (const auto* member = std::get_if<PutMember>(&mutation)) {
      p2_shows_what_is_durable(member->row.id);
      tags_are_of_one_name(member->row.id);
    } else if (const auto* token = std::get_if<PutToken>(&mutation)) {
      p2_shows_what_is_durable(token->member);
      p10_is_at_rest(token->member, token->token.id);
    } else if (const auto* gone = std::get_if<ForgetMember>(&mutation)) {
      p2_shows_what_is_durable(gone->member);
    }
  }
}

// What memory does not hold cannot leak from it.
void Promises::p10_is_at_rest(MemberId member, TokenId id) {
  const MemberSlot* slot = world_.engine().find(member);
  if (slot == nullptr) return;
  const auto held = std::ranges::find(slot->record.tokens, id, &Token::id);
  if (held == slot->record.tokens.end() || held->kind != rota::TokenKind::kRefresh) return;
  if (held->value != nullptr) world_.breach("P10: memory keeps a refresh token that is on disk");
}

void Promises::p3_p4_p5_given_up_only_dead(const Erased& erased) {
  if (durable().holds(erased.text) || !live_at_circle(erased.text)) return;
  const auto unclear = last_unclear_.find(erased.member);
  if (unclear != last_unclear_.end() && unclear->second) {
    world_.breach("P5: a live token is given up after a reply that said nothing clear");
  } else if (erased.status == TokenStatus::kRevoking) {
    world_.breach("P4: a live token that was to be revoked is given up");
  } else {
    world_.breach("P3: a live token leaves the ledger");
  }
}

void Promises::p4_nothing_served(const Published& row) {
  const Durable::Member* member = durable().find(row.member);
  if (member == nullptr || is_gone(member->state)) {
    world_.breach("P4: a member that has left is served");
  }
  const std::string text(row.access_token->reveal());
  const sandbox::Ledger& ledger = world_.circle().circle().ledger();
  const auto id = ledger.find(text);
  if (id && ledger.at(*id).revoked && !world_.circle().foreign_revoked(text)) {
    world_.breach(fmt::format("P4: a token that Rota itself revoked is served: {} of member {}",
                              format_fingerprint(row.fingerprint), ledger.at(*id).member));
  }
}

// While a refresh token lives, access tokens can be made from it. But if the disk does not give it,
// the access tokens do not wait.
void Promises::p4_refresh_token_first(const Flight& flight) {
  if (flight.kind == CallKind::kRevokeRefresh) {
    revocation_tried_.emplace(flight.request.token->reveal());
  }
  if (flight.kind != CallKind::kRevokeAccess) return;
  const Durable::Member* member = durable().find(flight.member);
  if (member == nullptr) return;
  for (const auto& [id, token] : member->tokens) {
    if (token.kind != rota::TokenKind::kRefresh || token.status != TokenStatus::kRevoking) continue;
    // A token that was replaced after the member came back is not a leaver's.
    if (member->state == MemberState::kActive && token.status_since > member->state_since) continue;
    if (!revocation_tried_.contains(token.value->reveal()) &&
        live_at_circle(token.value->reveal())) {
      world_.breach("P4: an access token is revoked before the refresh token");
    }
  }
}

void Promises::on_revocation_reported(MemberId member) {
  const Durable::Member* there = durable().find(member);
  if (there == nullptr) return;
  for (const auto& [id, token] : there->tokens) {
    if (token.status != TokenStatus::kMemberGone && live_at_circle(token.value->reveal())) {
      world_.breach("P4: a revocation is reported as done, and a token on record is alive");
    }
  }
}

}  // namespace rota::sim

#include <fmt/format.h>

#include <algorithm>

#include "sim/promises.h"
#include "sim/world.h"

// P5: what a reply may change, and that a reply that says nothing clear changes nothing.

namespace rota::sim {

void Promises::p5_unclear_is_no_verdict(const Flight& flight, const Reply& reply) {
  const bool verdict = std::holds_alternative<MemberUnknown>(reply.outcome) ||
                       std::holds_alternative<RefreshTokenDead>(reply.outcome) ||
                       std::holds_alternative<AlreadyDead>(reply.outcome) ||
                       std::holds_alternative<MemberGone>(reply.outcome) ||
                       std::holds_alternative<Revoked>(reply.outcome);
  if (verdict && !flight.clear) {
    world_.breach(fmt::format("P5: an unclear reply is taken for {}", name_of(reply.outcome)));
  }
}

void Promises::before_reply(const Flight& flight, const Reply& reply) {
  const auto* transient = std::get_if<Transient>(&reply.outcome);
  const bool reached = transient == nullptr || transient->reason != TransientReason::kNotSent;
  if (reached) completed_.push_back(world_.time().now());
  last_unclear_[flight.member] = !flight.clear;
  if (flight.clear && flight.exchange && flight.exchange->reply.status == 404 &&
      flight.kind == CallKind::kIssue) {
    said_unknown_.insert(flight.request.member.text());
  }
  if (const auto* issued = std::get_if<Issued>(&reply.outcome)) {
    is_unknown_.erase(flight.request.member.text());
    is_unknown_.erase(fmt::format("id:{}", issued->pair.community_member_id));
  }
  if (const auto paused = world_.unseen_pause()) {
    if (pause_counted_ != paused) replies_since_pause_ = 0;
    pause_counted_ = paused;
    if (transient == nullptr && flight.sent >= *paused) ++replies_since_pause_;
  }
  p5_unclear_is_no_verdict(flight, reply);
  p4_condemn_what_came_late(flight, reply);
  sign_out_what_came_late(flight, reply);
  p8_note_alarm(flight, reply);
  note_probe_over(flight, reply);
  note_arrival(flight, reply);
  held_.clear();
  const MemberSlot* slot = world_.engine().find(flight.member);
  if (transient == nullptr || slot == nullptr) return;
  held_state_ = slot->record.state;
  for (const Token& token : slot->record.tokens) {
    held_.push_back({.id = token.id, .status = token.status, .expires_at = token.expires_at});
  }
}

void Promises::after_reply(const Flight& flight, const Reply& reply) {
  const bool settles_nothing = std::holds_alternative<Transient>(reply.outcome);
  const MemberSlot* slot = world_.engine().find(flight.member);
  if (settles_nothing && slot != nullptr) {
    if (slot->record.state != held_state_ && held_state_ == MemberState::kActive) {
      world_.breach("P5: a reply that settles nothing changes a member's state");
    }
    for (const Held& held : held_) {
      const auto& tokens = slot->record.tokens;
      const auto now = std::ranges::find(tokens, held.id, &Token::id);
      const bool gone = now == tokens.end() && held.expires_at > world_.circle_time();
      const bool moved =
          now != tokens.end() && now->status != held.status && held.status == TokenStatus::kCurrent;
      if (gone || moved) world_.breach("P5: a reply that settles nothing costs a token");
    }
  }
  if (const auto* issued = std::get_if<Issued>(&reply.outcome)) {
    const Durable::Member* there = durable().find(flight.member);
    const std::int64_t now = issued->pair.community_member_id;
    const bool other = there != nullptr && there->pin && *there->pin != now;
    const MemberSlot* named = world_.engine().find(flight.request.member);
    if (other && named != nullptr && named->record.state == MemberState::kActive &&
        named->record.community_member_id != now) {
      world_.breach("P13: a selector leads to another member of Circle's, and is active still");
    }
  }
}

bool Promises::said_unknown(const SlimVector<Selector>& names) const {
  return std::ranges::any_of(
      names, [this](const Selector& name) { return said_unknown_.contains(name.key.text()); });
}

void Promises::p5_unknown_by_circles_word(MemberId member) {
  const Durable::Member* now = durable().find(member);
  const auto before = states_before_.find(member);
  const bool was = before != states_before_.end() && before->second == MemberState::kUnknown;
  if (now != nullptr && now->state == MemberState::kUnknown && !was) {
    for (const Selector& name : now->selectors) is_unknown_.insert(name.key.text());
  }
  if (now != nullptr && now->state == MemberState::kUnknown && !was &&
      !said_unknown(now->selectors)) {
    world_.breach("P5: a member is marked unknown, and Circle never said so");
  }
}

}  // namespace rota::sim

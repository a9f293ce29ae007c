#include <algorithm>

#include "plan/lifecycle.h"
#include "sim/promises.h"
#include "sim/world.h"

// Sign-outs: nothing of before is served, and all of it dies at Circle. Enrolments: what a client
// is told is on disk.

namespace rota::sim {

// `tokens`: the access tokens that were on record when the sign-out was asked for.
void Promises::on_signed_out(MemberId member, const std::vector<std::string>& tokens) {
  for (const std::string& text : tokens) {
    if (live_at_circle(text)) signed_out_.try_emplace(text);
  }
  for (const auto& [id, flight] : world_.circle().flights()) {
    if (flight->member == member) flight->signed_out = true;
  }
}

// A client gives this one back. What calls of before bring may be served, unless it is this one.
void Promises::on_token_revoked(const std::string& text) {
  if (live_at_circle(text)) signed_out_.try_emplace(text);
}

// A call of before the sign-out brings another token.
void Promises::sign_out_what_came_late(const Flight& flight, const Reply& reply) {
  if (!flight.signed_out) return;
  const auto* refreshed = std::get_if<Refreshed>(&reply.outcome);
  const auto* issued = std::get_if<Issued>(&reply.outcome);
  if (refreshed == nullptr && issued == nullptr) return;
  // Tokens of another member belong to that member.
  const Durable::Member* member = durable().find(flight.member);
  if (issued != nullptr &&
      (member == nullptr || !member->pin || *member->pin != issued->pair.community_member_id)) {
    return;
  }
  const SecretPtr& access =
      refreshed != nullptr ? refreshed->access.value : issued->pair.access.value;
  world_.note("sign_out.came_late");
  signed_out_.try_emplace(std::string(access->reveal()));
}

void Promises::sign_out_durable(const PutToken& put) {
  const auto known = signed_out_.find(put.token.value->reveal());
  if (known == signed_out_.end() || put.token.status != TokenStatus::kRevoking) return;
  if (!known->second) known->second = world_.time().now();
}

// What was not on disk never was.
void Promises::forget_sign_outs() {
  std::erase_if(signed_out_, [](const auto& token) { return !token.second; });
}

void Promises::note_asked_again(MemberId member) {
  const Durable::Member* now = durable().find(member);
  if (now == nullptr || now->signed_out_at != WallTime{}) return;
  if (signed_out_before_.contains(member)) asked_again_[member] = world_.time().now();
}

// Its next token comes when it is its turn: as soon as the calls of all members that may be due are
// made, or when the budget has something again.
bool Promises::was_asked_again_just_now(MemberId member) const {
  const auto asked = asked_again_.find(member);
  if (asked == asked_again_.end()) return false;
  const Policy& policy = world_.options().policy;
  const std::size_t reserve = std::max<std::size_t>(1, policy.requests_per_window / 10);
  const Duration turn = policy.window / static_cast<Duration::rep>(policy.requests_per_window);
  const auto turns = static_cast<Duration::rep>(world_.engine().members().upkeep().kept());
  const bool is_spent = calls_in_window() + reserve >= policy.requests_per_window;
  const Duration grace = is_spent ? bound() : std::chrono::seconds{10} + turns * turn;
  return world_.time().now() - asked->second < grace;
}

void Promises::signed_out_is_not_served(const Published& row) {
  if (signed_out_.contains(row.access_token->reveal())) {
    world_.breach("P4: a token of before a sign-out is served");
  }
}

void Promises::on_sign_out_reported(const std::vector<std::string>& tokens) {
  for (const std::string& text : tokens) {
    if (live_at_circle(text) && durable().holds(text)) {
      // Circle has removed its member, or it is another member's by now.
      const bool gone = std::ranges::any_of(durable().members(), [&text](const auto& member) {
        return std::ranges::any_of(member.second.tokens, [&text](const auto& held) {
          return held.second.value->reveal() == text &&
                 held.second.status == TokenStatus::kMemberGone;
        });
      });
      if (!gone) world_.breach("P4: a sign-out is reported as done, and a token is alive");
    }
  }
}

void Promises::sign_outs_end() {
  std::erase_if(signed_out_, [this](const auto& token) { return !live_at_circle(token.first); });
  for (const auto& [text, since] : signed_out_) {
    if (!since || world_.time().now() - *since < bound()) continue;
    if (durable().holds(text)) continue;  // p4_revocations_end() looks at those
    world_.breach("P4: a signed-out token lives, and nobody knows it any more");
  }
}

// P2: `known`: Circle has said who it is.
void Promises::on_said_to_be_member(MemberId id, bool known) {
  const Durable::Member* member = durable().find(id);
  if (member == nullptr) return world_.breach("P2: an enrolment is confirmed and not on disk");
  if (known && !member->pin) world_.breach("P2: an identity is confirmed and not on disk");
}

// A client is told who has this name (api/token_api.h, settle_enrolment).
void Promises::on_confirmed(const MemberKey& key) {
  world_.note("enrolled.confirmed");
  if (is_unknown_.contains(key.text())) {
    world_.breach(fmt::format("identity: {} is confirmed, and by Circle's last word it is nobody's",
                              key.text()));
  }
}

}  // namespace rota::sim

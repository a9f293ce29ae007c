#include <fmt/format.h>

#include "model/expiry.h"
#include "plan/lifecycle.h"
#include "plan/next_action.h"
#include "sim/world.h"

// The people of a world, clients and the operator, and what they have been promised.

namespace rota::sim {
namespace {

constexpr Duration kSettling = std::chrono::minutes{15};
constexpr Duration kPatience = std::chrono::seconds{5};
// Where an early refresh is of no use, a token is replaced at its end: nobody waits longer than
// this.
constexpr Duration kGapMax = std::chrono::seconds{5};

}  // namespace

void World::fetch() {
  ++tally_.fetches;
  const Roster all = roster();
  if (all.entries.empty()) return;
  const std::string key = all.entries[random_.below(all.entries.size())].key.text();
  const Published* row = table_.find(key);
  if (row == nullptr) return;
  const bool enough =
      row->body && row->expires_at - engine_->circle_now(now()) >
                       effective_min_ttl(std::nullopt, row->expires_at - row->issued_at);
  if (enough) {
    check_served(key, *row);
    return;
  }
  ++tally_.waits;
  const WaitId wait{next_wait_++};
  const WaitRequest request{.member = row->member,
                            .min_ttl = std::nullopt,
                            .strict = random_.below(4) == 0,
                            .refused = std::nullopt,
                            .wait = random_.up_to(std::chrono::seconds{20})};
  const bool settled = calm_since_ && time_ - *calm_since_ > kSettling;
  waits_.emplace(wait, Waiting{.key = key,
                               .must_be_served = settled && row->state == MemberState::kActive &&
                                                 !request.strict && request.wait > kPatience});
  turn([&](Commands& out) { engine_->on_wait(wait, request, now(), out); });
}

void World::take_answer(const command::Answer& reply) {
  const auto wait = waits_.find(reply.wait);
  if (wait == waits_.end()) return;
  const Waiting waiting = wait->second;
  waits_.erase(wait);
  const Published* row = table_.find(waiting.key);
  const bool serves = reply.answer.result == WaitResult::kServe && row != nullptr && row->body &&
                      alive(row->expires_at, engine_->circle_now(now()));
  if (serves) check_served(waiting.key, *row);
  if (!serves && waiting.must_be_served) {
    breach(fmt::format("P12: {} waited in calm weather and got nothing ({} of {} calls used)",
                       waiting.key, engine_->budget().used(now().boot), engine_->budget().limit()));
  }
}

// What a client gets now, held against Circle's own ledger.
void World::check_served(std::string_view key, const Published& row) {
  if (!row.access_token || !alive(row.expires_at, engine_->circle_now(now()))) return;  // a 503
  ++tally_.served;
  const auto id = circle_.ledger().find(row.access_token->reveal());
  if (!id) {
    breach(fmt::format("{} is served a token that Circle never issued", key));
    return;
  }
  const sandbox::Token& token = circle_.ledger().at(*id);
  const WallTime true_time = circle_.clock(true_now());
  if (token.state(true_time) == sandbox::TokenState::kExpired) {
    breach(fmt::format("P1: {} is served an expired token", key));
  }
  if (token.state(true_time) == sandbox::TokenState::kRevoked) {
    breach(fmt::format("P4: {} is served a revoked token", key));
  }
  const auto known = sandbox::numbered_member(token.member);
  if (key != fmt::format("id:{}", known.id) && key != "email:" + known.email &&
      key != "sso:" + known.sso_user_id) {
    breach(fmt::format("P13: {} is served the token of member {}", key, known.id));
  }
}

void World::edit_roster() {
  ++tally_.edits;
  note("edit");
  const auto place =
      std::next(members_.begin(), static_cast<std::ptrdiff_t>(random_.below(members_.size())));
  Member& member = place->second;
  switch (random_.below(3)) {
    case 0:
      member.retired = !member.retired;
      break;
    case 1:
      member.in_roster = !member.in_roster;
      break;
    default:
      member = {};
      break;
  }
  const Roster edited = roster();
  if (edited.entries.empty()) return;  // a file that parse_roster() would have refused
  turn([&](Commands& out) { engine_->on_roster(edited, {}, ReloadId{1}, now(), out); });
}

void World::check_end() {
  const WallTime true_time = circle_.clock(true_now());
  for (const auto& [id, member] : members_) {
    const bool wanted = member.in_roster && !member.retired;
    const auto known = sandbox::numbered_member(id);
    const std::string key = id % 3 == 0   ? fmt::format("id:{}", id)
                            : id % 3 == 1 ? "email:" + known.email
                                          : "sso:" + known.sso_user_id;
    const Published* row = table_.find(key);
    if (wanted) {
      const Duration gap = engine_->facts().early_refresh_useless ? kGapMax : Duration{0};
      const bool fresh = row != nullptr && row->body && alive(row->expires_at + gap, true_time);
      if (!fresh) breach(fmt::format("P12: {} has no fresh token long after the weather", key));
      continue;
    }
    if (row != nullptr && row->body) breach(fmt::format("P4: {} is gone and still served", key));
    ++tally_.retired;
    for (const sandbox::Token& token : circle_.ledger().tokens()) {
      if (token.member != id || token.state(true_time) != sandbox::TokenState::kLive) continue;
      // What was committed is on our ledger; what a reply lost can only end by itself (P3).
      if (durable_tokens_.contains(token.text)) {
        breach(fmt::format("P4: {} is gone and a token of it that is on record is alive", key));
      }
    }
  }
  if (circle_.stats().violations() > 0) breach("a call broke the contract");
  if (circle_.stats().overlaps() > 0) breach("P9: two calls in flight for one member");
  if (circle_.window().peak() > options_.policy.requests_per_window) {
    breach(fmt::format("P7: a window saw {} calls of {}", circle_.window().peak(),
                       options_.policy.requests_per_window));
  }
}

}  // namespace rota::sim

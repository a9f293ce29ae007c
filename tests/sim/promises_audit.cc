#include <fmt/format.h>

#include <algorithm>

#include "model/expiry.h"
#include "plan/backoff.h"
#include "plan/freshness.h"
#include "plan/lifecycle.h"
#include "sim/promises.h"
#include "sim/world.h"

// What must hold at all times and is checked every few minutes, and what must hold at the end.

namespace rota::sim {
namespace {

bool is_gone(MemberState state) {
  return state == MemberState::kRetiring || state == MemberState::kRetired ||
         state == MemberState::kBlocked;
}

}  // namespace

void Promises::begin() {
  if (is_peaceful(world_.options())) settled_at_ = bound();
  begin_next();
}

void Promises::begin_next() {
  world_.time().outside(world_.options().audit_every, [this] {
    audit();
    count_need();
    begin_next();
  });
}

void Promises::after_start() {
  for (const auto& [member, there] : durable().members()) p2_shows_what_is_durable(member);
}

void Promises::calm_down() {
  if (!settled_at_) settled_at_ = world_.time().now() + bound();
}

bool Promises::settled() const { return settled_at_ && world_.time().now() >= *settled_at_; }

bool Promises::serves(const MemberKey& key) const {
  return settled() && !world_.circle().nothing_works_for(key);
}

// How long after the last bad thing all must be well: as long as the budget needs for all calls
// that may be due at once, plus the longest pauses that the bad things left.
Duration Promises::bound() const {
  const WorldOptions& options = world_.options();
  constexpr std::size_t kRotations = 2;  // a refresh that finds its token dead, and an issue
  const std::size_t calls = std::max(kRotations * durable().members().size() + durable().tokens(),
                                     kRotations * options.listed);
  const Policy& policy = options.policy;
  const std::size_t reserve = std::max<std::size_t>(1, policy.requests_per_window / 10);
  const std::size_t share = policy.requests_per_window - reserve;
  const auto windows = static_cast<std::int64_t>(2 + calls / share);
  const Duration pauses = policy.window + backoff_cap(options.circle.access_ttl);
  return windows * policy.window + pauses + std::chrono::minutes{2};
}

void Promises::audit() {
  world_.circle().prune();
  const WallTime circle = world_.circle_time();
  const sandbox::Ledger& ledger = world_.circle().circle().ledger();
  std::erase_if(minted_, [&](const auto& call) {
    return durable().call(call.first) == nullptr &&
           std::ranges::none_of(call.second.tokens, [&](sandbox::TokenId id) {
             return ledger.at(id).state(circle) == sandbox::TokenState::kLive;
           });
  });
  std::erase_if(revocation_tried_, [&](const auto& text) { return !durable().holds(text); });
  std::erase_if(condemned_,
                [&](const auto& text) { return !durable().holds(text) && !live_at_circle(text); });
  if (!world_.up() || world_.time().suspended()) return;
  p3_nothing_lives_unexplained();
  no_storm();
  for (const auto& [member, there] : durable().members()) {
    p2_shows_what_is_durable(member);
    tags_are_of_one_name(member);
  }
  if (!settled()) return;
  idle_ones_leave();
  p4_revocations_end();
  sign_outs_end();
  p8_p12_everybody_is_fresh();
}

// Every live token that Circle made for Rota is on the ledger or under a doubt, also long after its
// call.
void Promises::p3_nothing_lives_unexplained() {
  for (const auto& [call, made] : minted_) {
    p3_every_token_is_accounted_for(call, durable().call(call));
  }
}

void Promises::p4_revocations_end() {
  sandbox::Circle& circle = world_.circle().circle();
  for (const auto& [member, there] : durable().members()) {
    for (const auto& [id, token] : there.tokens) {
      const bool left = is_gone(there.state);
      if (token.status != TokenStatus::kRevoking && !left) continue;
      const WallTime since =
          left ? std::max(there.state_since, token.issued_at) : token.status_since;
      const auto known = circle.ledger().find(token.value->reveal());
      if (!known) continue;
      if (token.status == TokenStatus::kMemberGone) {
        // Circle has answered, and Rota asks again after a while, since the member may be back.
        const Duration gap =
            std::clamp(token.status_since - token.issued_at, kGoneRetryMin, kGoneRetryMax);
        if (world_.circle_time() - token.status_since < gap + bound()) continue;
        world_.breach("P4: a removed member's token is not asked about again");
      } else if (world_.circle_time() - since >= bound()) {
        world_.breach("P4: a token is to be revoked for longer than the budget needs");
      }
    }
    const MemberSlot* slot = world_.engine().find(member);
    const bool nothing_left = std::ranges::all_of(there.tokens, [](const auto& held) {
      return held.second.status == TokenStatus::kMemberGone;
    });
    if (there.state == MemberState::kRetiring && nothing_left && slot != nullptr &&
        !slot->in_flight && !world_.store().committing()) {
      world_.breach("P4: nothing of a leaver is left, and it is not retired");
    }
  }
}

void Promises::p8_p12_everybody_is_fresh() {
  std::vector<MemberKey> wanted;
  for (const RosterEntry& entry : world_.operators().file().entries) {
    if (!entry.retired) wanted.push_back(entry.key);
  }
  for (const auto& [member, slot] : world_.engine().members().all()) {
    if (only_enrolled(slot.record)) wanted.push_back(primary_key(slot.record));
  }
  for (const MemberKey& key : wanted) {
    if (world_.circle().nothing_works_for(key)) continue;
    const std::string why = why_not_fresh(key);
    if (why.empty()) continue;
    world_.breach(
        fmt::format("{}: {} {}", world_.options().cursed > 0 ? "P8" : "P12", key.text(), why));
  }
}

// How long one that came back waits for its first token at most. The revocations of leavers go
// before it, and those of several rosters in a row may take all calls of a window.
Duration Promises::back_again() const {
  constexpr Duration kAtOnce = std::chrono::minutes{1};
  return was_spent_just_now() ? bound() : kAtOnce;
}

// Empty if the member is fresh, or need not be.
std::string Promises::why_not_fresh(const MemberKey& key) const {
  const MemberSlot* slot = world_.engine().find(key);
  if (slot == nullptr) return "is in the roster and on no record";
  const MemberRecord& record = slot->record;
  if (!is_wanted(record)) return {};  // another entry retires it
  if (world_.options().mean_between_leavers > Duration{0} &&
      world_.circle_time() - record.state_since < back_again()) {
    return {};  // it left, and has just come back
  }
  // Nobody has asked for it since it signed out, or since it was enrolled just now.
  if (record.signed_out_at != WallTime{}) return {};
  if (was_asked_again_just_now(record.id)) return {};
  const Durable::Member* there = durable().find(record.id);
  const bool is_new = only_enrolled(record) && (there == nullptr || !there->pin);
  if (is_new && world_.circle_time() - record.state_since < bound()) return {};
  switch (record.state) {
    case MemberState::kActive:
      break;
    case MemberState::kBlocked:
      return world_.operators().has_blocked_any() ? "" : "is blocked, and nobody ordered it";
    case MemberState::kUnknown:
      return said_unknown(record.selectors) ? "" : "is unknown, and Circle did not say so";
    case MemberState::kMismatched:
      return world_.chronicle().count("circle.email_moved") > 0
                 ? ""
                 : "is mismatched, and nothing was moved at Circle";
    case MemberState::kRetiring:
    case MemberState::kRetired:
      return "is retired, and the roster wants it";
  }
  if (!world_.engine().members().keeps(*slot))
    return {};  // the budget is short: it is issued on demand
  if (!slot->waiters.empty())
    return {};  // it may be kept only since now; another check is about the wait
  // It signed out, and somebody has asked for it since: its next call waits for its turn.
  if (slot->signed_out_at && world_.now().boot - *slot->signed_out_at < bound()) return {};
  if (!world_.circle().knows(key)) return {};  // its next issue call will show that
  // If an early refresh is of no use, a token is replaced just after its end.
  const bool sticky = world_.options().circle.refresh_mode == sandbox::RefreshMode::kSticky;
  // Members whose tokens end together wait for their turns, since calls are spread over the window.
  const Policy& policy = world_.options().policy;
  const Duration turn = policy.window / static_cast<Duration::rep>(policy.requests_per_window);
  const auto turns = static_cast<Duration::rep>(world_.engine().members().upkeep().kept());
  const Duration gap = sticky ? Duration{std::chrono::seconds{10}} + turns * turn : Duration{0};
  const Published* row = world_.table().find(key.text());
  if (row == nullptr || !row->access_token) return "has no token long after the weather";
  if (!alive(row->expires_at + gap, world_.circle_time())) return "has an expired token";
  return {};
}

// At most one wake-up a second, and some for each thing that happens.
void Promises::no_storm() {
  const Chronicle& chronicle = world_.chronicle();
  constexpr std::size_t kEach = 6;
  const std::size_t done = sends_ + chronicle.count("wait") + chronicle.count("commit") +
                           chronicle.count("commit.failed");
  const std::size_t allowed =
      static_cast<std::size_t>(world_.options().audit_every / std::chrono::seconds{1}) +
      kEach * (done - storm_base_);
  if (wakes_ > allowed) {
    world_.breach(fmt::format("wake-ups: {} since the last audit, and {} things happened", wakes_,
                              done - storm_base_));
  }
  wakes_ = 0;
  storm_base_ = done;
}

void Promises::at_end() {
  if (!world_.up()) {
    world_.breach("P12: the process is down at the end");
    return;
  }
  audit();
  if (world_.circle().malformed() > 0) {
    world_.breach("calls: one broke Circle's contract");
  }
  few_calls_for_each();
  const WorldOptions& options = world_.options();
  if (options.crowd > 0) {
    world_.note("refresh.latest", fmt::format("{} ms, and {} ms once nobody logs in",
                                              latest_.count(), latest_after_logins_.count()));
  }
  if (is_peaceful(options) && options.gentle_clients && options.cursed == 0 &&
      options.mean_between_leavers == Duration{0}) {
    few_calls();
  }
}

// A name that is a member from now on, or is one again.
void Promises::note_stint(MemberId member) {
  const Durable::Member* now = durable().find(member);
  const auto before = states_before_.find(member);
  const bool was = before != states_before_.end() && before->second == MemberState::kActive;
  if (now != nullptr && now->state == MemberState::kActive && !was) ++stints_;
}

// Called at each audit: members come and go, and nobody needs a token of one that signed out.
void Promises::count_need() {
  if (!world_.up()) return;
  const Duration meanwhile = world_.options().audit_every;
  for (const auto& [member, slot] : world_.engine().members().all()) {
    const MemberRecord& record = slot.record;
    if (record.state != MemberState::kActive || record.signed_out_at != WallTime{}) continue;
    needed_ += meanwhile;
    names_needed_ += meanwhile * static_cast<Duration::rep>(names_to_renew(record.selectors));
  }
}

// At most a tenth more calls than the configured lead makes necessary, and the clients: each name
// that they enrol costs a first call, and each token in force that they give to revocation has to
// be replaced.
void Promises::few_calls() {
  const WorldOptions& options = world_.options();
  if (options.circle.refresh_mode == sandbox::RefreshMode::kSticky) return;
  const auto per = [](Duration need, Duration life, Duration ahead) {
    return static_cast<double>(need.count()) /
           static_cast<double>((life - effective_ahead(ahead, life)).count());
  };
  const double refreshes = per(needed_, options.circle.access_ttl, options.policy.refresh_ahead);
  const double renewals =
      per(names_needed_, options.circle.refresh_ttl, options.policy.renew_pair_ahead);
  const double least = static_cast<double>(stints_ + taken_) + refreshes + renewals;
  constexpr double kTenthMore = 1.10;
  world_.note("few_calls", fmt::format("{} of {:.0f}", rotations_, least));
  if (static_cast<double>(rotations_) > kTenthMore * least) {
    world_.breach(fmt::format("calls: {} where {:.0f} would do", rotations_, least));
  }
}

}  // namespace rota::sim

#include <fmt/format.h>

#include "sim/circle_side.h"
#include "sim/world.h"

// What goes wrong at Circle as a whole, and what changes there without Rota's knowledge.

namespace rota::sim {

void CircleSide::begin() {
  const WorldOptions& options = world_.options();
  world_.repeat(options.mean_between_outages, [this] { outage(); });
  world_.repeat(options.mean_between_slow_times, [this] {
    world_.note("slow_time");
    slow_until_ = world_.time().now() + random_.up_to(std::chrono::minutes{10});
  });
  world_.repeat(options.mean_between_refusals, [this] { refuse(); });
  world_.repeat(options.mean_between_dead_arrivals, [this] { skew_issuer(); });
  world_.repeat(options.mean_between_member_changes, [this] { change_member(); });
  world_.repeat(options.mean_between_foreign_revocations, [this] { revoke_something(); });
}

void CircleSide::calm_down() {
  down_until_ = slow_until_ = Duration{0};
  circle_.faults().replace({});
  circle_.options().access_ttl = world_.options().circle.access_ttl;
  circle_.options().rate_limit = 0;  // others who shared the limit with Rota are quiet
  accept();
}

void CircleSide::outage() {
  constexpr std::uint64_t kLongOneIn = 5;
  reach_ = random_.below(2) == 0 ? Reach::kRefused : Reach::kSilent;
  world_.note(reach_ == Reach::kRefused ? "outage.refused" : "outage.silent");
  const Duration most =
      random_.below(kLongOneIn) == 0 ? Duration{std::chrono::hours{2}} : std::chrono::minutes{10};
  down_until_ = world_.time().now() + random_.up_to(most);
}

void CircleSide::refuse() {
  if (random_.below(2) == 0) {
    world_.note("refusal.app_token");
    circle_.options().app_token = fmt::format("app-token-{}", ++app_tokens_);
  } else {
    world_.note("refusal.community");
    circle_.options().eligible = false;
  }
  world_.time().machine(random_.up_to(std::chrono::minutes{15}), [this] { accept(); });
}

// The clock of Circle's issuer falls behind by more than an access token lives.
void CircleSide::skew_issuer() {
  world_.note("issuer_skewed");
  circle_.options().access_ttl = -std::chrono::minutes{2};
  world_.time().outside(random_.up_to(std::chrono::minutes{15}), [this] {
    circle_.options().access_ttl = world_.options().circle.access_ttl;
  });
}

// The operator puts the new app token into its file, and the community is eligible again.
void CircleSide::accept() {
  circle_.options().eligible = true;
  if (app_token_file_ == circle_.options().app_token) return;
  app_token_file_ = circle_.options().app_token;
  if (!world_.up()) return;  // it reads the file when it starts
  read_app_token();
  world_.note("new_app_token");
  world_.promises().on_new_app_token();
  world_.turn([this](Commands& out) { world_.engine().on_new_app_token(world_.now(), out); });
}

void CircleSide::change_member() {
  const auto id = static_cast<sandbox::MemberId>(1 + random_.below(world_.options().members));
  const sandbox::Member* member = circle_.members().find(id);
  if (member == nullptr) {
    world_.note("circle.member_back");
    sandbox::Member back = sandbox::numbered_member(id);
    moved_at_.insert_or_assign(back.email, world_.time().now());
    circle_.members().put(std::move(back));
    return;
  }
  if (random_.below(2) == 0) {
    world_.note("circle.member_removed");
    moved_at_.insert_or_assign(member->email, world_.time().now());
    circle_.erase_member(id);
    return;
  }
  const auto other = static_cast<sandbox::MemberId>(1 + random_.below(world_.options().members));
  if (other == id || circle_.members().find(other) == nullptr) return;
  world_.note("circle.email_moved");
  const std::string email = member->email;
  sandbox::Member loser = *member;
  loser.email.clear();
  sandbox::Member winner = *circle_.members().find(other);
  moved_at_.insert_or_assign(winner.email, world_.time().now());
  winner.email = email;
  moved_at_.insert_or_assign(email, world_.time().now());
  circle_.members().put(loser);
  circle_.members().put(winner);
}

void CircleSide::revoke_something() {
  const auto& tokens = circle_.ledger().tokens();
  if (tokens.empty()) return;
  // One of the newest, since old ones are dead already.
  const std::size_t recent = std::min<std::size_t>(tokens.size(), 2 * world_.options().members);
  const auto id = tokens.size() - 1 - random_.below(recent);
  if (circle_.ledger().at(id).state(world_.circle_time()) != sandbox::TokenState::kLive) return;
  world_.note("circle.foreign_revocation");
  foreign_.insert(circle_.ledger().at(id).text);
  circle_.ledger().revoke(id);
}

}  // namespace rota::sim

#include "sim/enrollers.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <ranges>
#include <utility>

#include "api/token_api.h"
#include "plan/lifecycle.h"
#include "plan/next_action.h"
#include "sandbox/members.h"
#include "sim/world.h"

namespace rota::sim {
namespace {

constexpr Duration kSlack = Engine::kDurableMax + std::chrono::milliseconds{150};
constexpr std::uint64_t kNobodyOneIn = 8;

}  // namespace

Enrollers::Enrollers(World& world)
    : world_(world),
      random_(world.options().seed ^ 0xe27011U),
      tokens_(world.options().seed ^ 0x707e4aU) {}

void Enrollers::begin() {
  const WorldOptions& options = world_.options();
  world_.repeat(options.mean_between_enrolments, [this] { enrol_any(); });
  world_.repeat(options.mean_between_sign_outs, [this] { sign_out_any(); });
  // Each costs two calls, and the budgets of these worlds have no room for many.
  world_.repeat(4 * options.mean_between_sign_outs, [this] { revoke_any_token(); });
  world_.repeat(options.mean_between_removals, [this] { remove_any(); });
  if (options.crowd > 0) {
    world_.time().outside(options.crowd_comes_at, [this] { crowd_comes(); });
    world_.time().outside(options.weather / 2, [this] { crowd_signs_out(); });
  }
}

MemberKey Enrollers::draw_key() {
  if (random_.below(kNobodyOneIn) == 0) {
    return *MemberKey::from_email(fmt::format("nobody{}@example.com", random_.below(5)));
  }
  const sandbox::Member member = sandbox::numbered_member(
      static_cast<sandbox::MemberId>(random_.below(world_.options().members) + 1));
  switch (random_.below(3)) {
    case 0:
      return *MemberKey::from_id(member.id);
    case 1:
      return *MemberKey::from_email(member.email);
    default:
      return *MemberKey::from_sso(member.sso_user_id);
  }
}

void Enrollers::enrol_any() {
  if (!world_.up()) return;
  const MemberKey key = draw_key();
  world_.operators().may_be_asked_for(key);
  enrol(key, fmt::format("user:{}", random_.below(3)),
        random_.below(4) == 0 ? Duration{0} : random_.up_to(std::chrono::seconds{20}));
}

void Enrollers::enrol(const MemberKey& key, const std::string& client, Duration longest) {
  world_.note("enrol");
  const bool anyway = random_.below(3) == 0;
  const WaitId id{next_id_++};
  WaitRequest request;
  request.enrol =
      std::make_shared<const EnrolRequest>(EnrolRequest{.key = key,
                                                        .name = {},
                                                        .client = client,
                                                        .tags = {client + "/" + key.text()},
                                                        .ask_anyway = anyway});
  request.wait = longest;
  request.wait_for = random_.below(2) == 0 ? WaitFor::kIdentity : WaitFor::kToken;
  waits_.emplace(id, Wait{.key = key, .deadline = world_.time().now() + longest});
  ++waiting_[key];
  world_.turn([&](Commands& out) { world_.engine().on_wait(id, request, world_.now(), out); });
  world_.in_process(longest + kSlack, [this, id] { check_answered(id, 1); });
}

// If the machine slept, the engine comes to know of the deadline as late as this does.
void Enrollers::check_answered(WaitId id, int tries) {
  if (!waits_.contains(id)) return;
  if (tries > 0) {
    return world_.in_process(kSlack, [this, id, tries] { check_answered(id, tries - 1); });
  }
  end_wait(id);
  world_.breach("waits: an enrolment got no answer in time");
}

std::optional<Enrollers::Wait> Enrollers::end_wait(WaitId id) {
  const auto it = waits_.find(id);
  if (it == waits_.end()) return std::nullopt;
  Wait wait = it->second;
  waits_.erase(it);
  last_wait_over_ = world_.time().now();
  const auto others = waiting_.find(wait.key);
  if (--others->second == 0) waiting_.erase(others);
  return wait;
}

bool Enrollers::waits_for(MemberId member) const {
  const MemberSlot* const slot = world_.engine().find(member);
  if (slot == nullptr) return false;
  const auto is_its = [&](const MemberKey& key) {
    return waiting_.contains(key) && world_.engine().find(key) == slot;
  };
  const auto id = slot->record.community_member_id;
  return std::ranges::any_of(slot->record.selectors, is_its, &Selector::key) ||
         (id && is_its(MemberKey::from_id(*id).value()));
}

void Enrollers::on_answer(const command::Answer& reply) {
  const auto ended = end_wait(reply.wait);
  if (!ended) return;
  const Wait& wait = *ended;
  switch (reply.answer.result) {
    case WaitResult::kEnrolled:
    case WaitResult::kWasEnrolled:
      world_.note("enrolled");
      world_.promises().on_asked_for(wait.key);
      if (const Published* row = world_.table().find(wait.key);
          row != nullptr && !refusal_of(row) && row->community_member_id != 0) {
        world_.promises().on_confirmed(wait.key);
      }
      return world_.promises().on_said_to_be_member(reply.answer.member, true);
    case WaitResult::kPending:
      world_.note("enrolled.pending");
      world_.promises().on_asked_for(wait.key);
      return world_.promises().on_said_to_be_member(reply.answer.member, false);
    case WaitResult::kLimited:
      return world_.note("enrol.limited");
    case WaitResult::kUnknown:
      return world_.note("enrol.unknown");
    case WaitResult::kServe:
      world_.promises().on_asked_for(wait.key);
      return world_.note("enrol.served");
    case WaitResult::kUnavailable:
    case WaitResult::kRetired:
    case WaitResult::kBlocked:
    case WaitResult::kMismatched:
      return world_.note("enrol.refused");
  }
}

void Enrollers::sign_out_any() {
  if (world_.up()) give(draw_key(), OperatorAction::kSignOut, {});
}

// Any access token of any member that was ever active: in force, replaced, or being revoked.
void Enrollers::revoke_any_token() {
  if (!world_.up()) return;
  const auto& members = world_.engine().members().all();
  std::vector<std::pair<MemberId, const Token*>> held;
  for (const auto& [member, slot] : members) {
    for (const Token& token : slot.record.tokens) {
      if (token.kind == rota::TokenKind::kAccess) held.emplace_back(member, &token);
    }
  }
  if (held.empty()) return;
  const auto [member, token] = held.at(tokens_.below(held.size()));
  const Fingerprint fingerprint = token->fingerprint;
  const bool in_force = token->status == rota::TokenStatus::kCurrent;
  const Order order{.member = member,
                    .action = OperatorAction::kRevokeToken,
                    .tokens = {std::string(token->value->reveal())}};
  const OperatorId id{next_id_++};
  orders_.emplace(id, order);
  world_.clients().note_forced(member);
  world_.note("revoke_token");
  world_.turn([&](Commands& out) {
    world_.engine().on_operator(id,
                                {.member = member,
                                 .action = OperatorAction::kRevokeToken,
                                 .called = "?",
                                 .token = fingerprint},
                                world_.now(), out);
    const MemberSlot* const after = world_.engine().find(member);
    const bool taken =
        after != nullptr && std::ranges::any_of(after->record.tokens, [&](auto& t) {
          return t.fingerprint == fingerprint && t.status == rota::TokenStatus::kRevoking;
        });
    if (taken && keeps_tokens(after->record.state)) {
      world_.promises().on_token_revoked(order.tokens.front());
      if (in_force) {
        world_.note("revoke_token.in_force");
        world_.promises().on_token_taken();
      }
    }
  });
}

void Enrollers::remove_any() {
  if (!world_.up()) return;
  const std::string client = fmt::format("user:{}", random_.below(3));
  std::vector<MemberKey> own;
  for (const auto& [member, slot] : world_.engine().members().all()) {
    if (only_enrolled(slot.record) && is_enrolled(slot.record, client)) {
      own.push_back(primary_key(slot.record));
    }
  }
  const bool any = own.empty() || random_.below(2) == 0;
  remove(any ? draw_key() : own[random_.below(own.size())], client);
}

void Enrollers::remove(const MemberKey& key, const std::string& client) {
  const Engine& engine = world_.engine();
  const MemberSlot* const slot = engine.find(key);
  if (slot == nullptr || !only_enrolled(slot->record) || !is_enrolled(slot->record, client)) {
    return give(key, OperatorAction::kEndEnrolment, client);
  }
  const MemberId member = slot->record.id;
  const auto own = std::ranges::count_if(engine.members().all(), [&client](const auto& each) {
    return is_enrolled(each.second.record, client);
  });
  give(key, OperatorAction::kEndEnrolment, client);
  const MemberSlot* const after = engine.find(member);
  const bool removed = after == nullptr || !is_enrolled(after->record, client);
  world_.promises().on_removal(client, static_cast<std::size_t>(own), removed);
}

// An operator hears of it, and lets the client go on.
void Enrollers::on_limited(const Order& order) {
  world_.note("removals.limited");
  if (order.lifts != lifts_[order.client]) return;  // the answer is older than that
  world_.promises().on_removals_limited(order.client);
  constexpr Duration kSoon = std::chrono::hours{2};
  world_.time().outside(random_.up_to(kSoon), [this, client = order.client, lifts = order.lifts] {
    if (world_.up() && lifts_[client] == lifts) lift(client);
  });
}

void Enrollers::lift(const std::string& client) {
  world_.note("removals.lifted");
  ++lifts_[client];
  world_.promises().on_removals_lifted(client);
  world_.operators().lift_removals(client);
}

void Enrollers::give(const MemberKey& key, OperatorAction action, const std::string& client) {
  const MemberSlot* slot = world_.engine().find(key);
  if (slot == nullptr) return;
  Order order{.member = slot->record.id,
              .action = action,
              .client = client,
              .lifts = client.empty() ? 0 : lifts_[client],
              .tokens = {}};
  for (const Token& token : slot->record.tokens) {
    if (token.kind == rota::TokenKind::kAccess) order.tokens.emplace_back(token.value->reveal());
  }
  if (const Published* shown = world_.table().find(order.member)) order.epoch = shown->login_epoch;
  const bool is_sign_out = action == OperatorAction::kSignOut;
  if (is_sign_out) world_.clients().note_forced(order.member);
  const SmallOptional<BootTime> before = slot->signed_out_at;
  const bool in_force = current(slot->record, rota::TokenKind::kAccess) != nullptr;
  const OperatorId id{next_id_++};
  orders_.emplace(id, order);
  world_.note(is_sign_out ? "sign_out" : "remove");
  world_.turn([&](Commands& out) {
    world_.engine().on_operator(
        id, {.member = order.member, .action = action, .called = key.text(), .client = client},
        world_.now(), out);
    const MemberSlot* const after = world_.engine().find(order.member);
    if (is_sign_out && after != nullptr && after->signed_out_at != before) {
      world_.promises().on_signed_out(order.member, order.tokens);
      if (in_force) world_.promises().on_token_taken();
    }
  });
}

void Enrollers::on_report(const command::Report& report) {
  const auto it = orders_.find(report.op);
  if (it == orders_.end()) return;
  const Order order = std::move(it->second);
  orders_.erase(it);
  if (!report.report) return;
  world_.note(fmt::format("report.{}", static_cast<int>(report.report->end)));
  const OperationEnd end = report.report->end;
  if (end == OperationEnd::kRemovalsLimited) on_limited(order);
  if (end == OperationEnd::kTokenRevoked) world_.note("revoke_token.done");
  if (end == OperationEnd::kSignedOut || end == OperationEnd::kTokenRevoked) {
    world_.promises().on_sign_out_reported(order.tokens);
  }
  const Published* shown = world_.table().find(order.member);
  if (end == OperationEnd::kSignedOut && shown != nullptr && shown->login_epoch == order.epoch) {
    world_.breach("P4: a sign-out is reported as done, and the logins of before go on");
  }
}

void Enrollers::cut_off() {
  waits_.clear();
  waiting_.clear();
  orders_.clear();
}

// Everybody logs in at once, and tries again for as long as it takes.
void Enrollers::crowd_comes() {
  for (std::size_t i = 0; i < world_.options().crowd; ++i) {
    const auto id = static_cast<sandbox::MemberId>(world_.options().members - i);
    crowd_.emplace_back(*MemberKey::from_email(sandbox::numbered_member(id).email),
                        fmt::format("user:{}", i % 3));
  }
  crowd_tries(crowd_.size());
}

void Enrollers::crowd_tries(std::size_t at_once) {
  std::erase_if(crowd_,
                [this](const auto& each) { return world_.engine().find(each.first) != nullptr; });
  const WorldOptions& options = world_.options();
  for (const auto& [key, client] : crowd_ | std::views::take(at_once)) {
    enrol(key, client, options.crowd_waits);
  }
  if (world_.calm() || crowd_.empty()) return;
  world_.time().outside(options.crowd_tries_every,
                        [this] { crowd_tries(world_.options().crowd_in_line); });
}

void Enrollers::crowd_signs_out() {
  world_.note("crowd.signs_out");
  crowd_out_at_ = world_.time().now();
  std::vector<MemberKey> keys;
  for (const auto& [member, slot] : world_.engine().members().all()) {
    if (only_enrolled(slot.record)) keys.push_back(primary_key(slot.record));
  }
  for (const MemberKey& key : keys) give(key, OperatorAction::kSignOut, {});
}

}  // namespace rota::sim

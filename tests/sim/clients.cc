#include "sim/clients.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/world.h"

namespace rota::sim {
namespace {

constexpr Duration kSlack{150};                           // how late an answer may be
constexpr Duration kPatience = std::chrono::seconds{10};  // a refresh comes well within this
constexpr Duration kTellUse = std::chrono::seconds{1};

}  // namespace

Clients::Clients(World& world) : world_(world), random_(world.options().seed ^ 0xc11e27U) {}

void Clients::begin() { fetch_forever(); }

void Clients::fetch_forever() {
  world_.time().machine(random_.up_to(2 * world_.options().mean_between_fetches), [this] {
    if (world_.up() && admitted_) fetch();
    fetch_forever();
  });
}

void Clients::admit_soon() {
  constexpr Duration kAtMost = std::chrono::seconds{2};
  world_.in_process(kAtMost, [this] { admit(); });
}

void Clients::cut_off() {
  admitted_ = false;
  waits_.clear();
  used_.clear();
}

void Clients::stand_still(Duration length) {
  for (auto& [id, waiting] : waits_) waiting.deadline += length;
}

TokenQuery Clients::draw_query() {
  // The r-th most popular of n members is asked for in proportion to 1/r.
  const auto& keys = world_.operators().keys();
  const double last = std::log(static_cast<double>(keys.size()) + 1);
  const auto rank = static_cast<std::size_t>(std::exp(random_.fraction() * last)) - 1;
  TokenQuery query{.member = {.key = keys[std::min(rank, keys.size() - 1)]},
                   .min_ttl = std::nullopt,
                   .wait = std::chrono::seconds{10},
                   .strict = false,
                   .refused = std::nullopt};
  if (world_.options().gentle_clients) return query;
  if (random_.below(4) == 0) query.wait = random_.up_to(std::chrono::seconds{25});
  if (random_.below(10) == 0) query.wait = Duration{0};
  if (random_.below(6) == 0) query.min_ttl = random_.up_to(world_.options().circle.access_ttl * 2);
  query.strict = random_.below(8) == 0;
  return query;
}

void Clients::fetch() {
  world_.note("fetch");
  TokenQuery query = draw_query();
  const Published* row = world_.table().find(query.member.key.text());
  if (row != nullptr && row->access_token) {
    // It uses the token that it has, and Circle may refuse that.
    const std::string text(row->access_token->reveal());
    const bool dead = world_.circle().foreign_revoked(text);
    const bool fussy = !world_.options().gentle_clients && random_.below(400) == 0;
    if (dead ? random_.below(2) == 0 : fussy) query.refused = row->fingerprint;
  }
  if (query.refused) world_.note("fetch.refused");
  const Answer answer = decide_token(query, peer_, access_, world_.table(),
                                     world_.engine().serving_time(world_.now()));
  if (const auto* token = std::get_if<TokenReply>(&answer)) {
    served(query, *token);
  } else if (const auto* later = std::get_if<WaitReply>(&answer)) {
    wait(query, later->request);
  } else if (std::get<ErrorReply>(answer).code == ErrorCode::kTokenUnavailable) {
    // As api/frontend.cc does: the engine hears of clients that do not wait, too.
    world_.promises().on_asked_for(query.member.key);
    note_use(row->member);
    if (!query.refused) return;
    world_.note("fetch.refused_without_wait");
    forced_[row->member] = world_.time().now();
    world_.turn([&](Commands& out) {
      world_.engine().on_refused(row->member, *query.refused, world_.now(), out);
    });
  }
}

void Clients::wait(const TokenQuery& query, const WaitRequest& request) {
  world_.note("wait");
  world_.promises().on_asked_for(query.member.key);
  if (query.min_ttl || query.strict || query.refused) {
    forced_[request.member] = world_.time().now();
  }
  const WaitId id{next_wait_++};
  const Duration deadline = world_.time().now() + request.wait;
  const bool must = world_.promises().serves(query.member.key) && !query.strict && !query.refused &&
                    request.wait >= kPatience;
  waits_.emplace(id, Waiting{.member = request.member,
                             .query = query,
                             .since = world_.time().now(),
                             .deadline = deadline,
                             .must_be_served = must});
  world_.turn([&](Commands& out) { world_.engine().on_wait(id, request, world_.now(), out); });
  if (random_.below(10) == 0) {
    world_.in_process(random_.up_to(request.wait), [this, id] {
      if (waits_.erase(id) == 0) return;
      last_wait_over_ = world_.time().now();
      world_.note("wait.cancelled");
      world_.engine().on_wait_cancelled(id);
    });
  }
  world_.in_process(request.wait + kSlack, [this, id] {
    if (waits_.erase(id) == 0) return;
    last_wait_over_ = world_.time().now();
    world_.breach("waits: a client got no answer by its deadline");
  });
}

bool Clients::waits_for(MemberId member) const {
  return std::ranges::any_of(waits_,
                             [&](const auto& wait) { return wait.second.member == member; });
}

bool Clients::forced_since(MemberId member, Duration since) const {
  const auto it = forced_.find(member);
  return it != forced_.end() && it->second >= since;
}

void Clients::note_forced(MemberId member) { forced_[member] = world_.time().now(); }

void Clients::on_answer(const command::Answer& reply) {
  const auto it = waits_.find(reply.wait);
  if (it == waits_.end()) return;  // it was cancelled while the answer was on its way
  const Waiting waiting = it->second;
  waits_.erase(it);
  last_wait_over_ = world_.time().now();
  const TokenOutcome outcome = settle_token({.key = waiting.query.member.key,
                                             .strict = waiting.query.strict,
                                             .min_ttl = waiting.query.min_ttl},
                                            reply.answer, peer_, access_, world_.table(),
                                            world_.engine().serving_time(world_.now()));
  if (const auto* token = std::get_if<TokenReply>(&outcome)) {
    served(waiting.query, *token);
    return;
  }
  const auto& error = std::get<ErrorReply>(outcome);
  world_.note("wait.refused", row_of(error.code).code);
  if (waiting.must_be_served && error.code == ErrorCode::kTokenUnavailable &&
      !world_.promises().budget_had_nothing(waiting.since, waiting.deadline)) {
    world_.breach(fmt::format("P12: {} waited in calm weather and got nothing",
                              waiting.query.member.key.text()));
  }
}

void Clients::served(const TokenQuery& query, const TokenReply& reply) {
  world_.note("served");
  world_.promises().on_served(query, *reply.row);
  world_.promises().on_asked_for(query.member.key);
  note_use(reply.row->member);
}

void Clients::note_use(MemberId member) {
  if (used_.empty()) {
    world_.in_process(kTellUse, [this] {
      const std::vector<MemberId> used(used_.begin(), used_.end());
      used_.clear();
      world_.turn([&](Commands& out) { world_.engine().on_used(used, world_.now(), out); });
    });
  }
  used_.insert(member);
}

}  // namespace rota::sim

#include "sim/circle_side.h"

#include <fmt/format.h>

#include <algorithm>

#include "circle/classify.h"
#include "circle/encode.h"
#include "sandbox/wire.h"
#include "sim/world.h"

namespace rota::sim {
namespace {

constexpr Duration kRequestTimeout = std::chrono::seconds{15};

Reply transient(TransientReason reason) {
  return {.outcome = Transient{.reason = reason, .why = "simulated"}, .server_date = std::nullopt};
}

bool spoils_nothing(sandbox::FaultKind kind) {
  using enum sandbox::FaultKind;
  return kind == kChunked || kind == kNoContentType || kind == kNoMillis;
}

}  // namespace

CircleSide::CircleSide(World& world)
    : world_(world),
      random_(world.options().seed ^ 0xc12c1eU),
      circle_(world.options().circle),
      app_token_(world.options().circle.app_token),
      app_token_file_(app_token_) {
  circle_.faults().replace(world.options().faults);
  for (std::size_t i = 1; i <= world.options().members; ++i) {
    circle_.members().put(sandbox::numbered_member(static_cast<sandbox::MemberId>(i)));
  }
  for (std::size_t i = 1; i <= world.options().cursed; ++i) {
    cursed_.insert(static_cast<sandbox::MemberId>(i));
  }
}

// Sends one call on its way, and draws here what the network does to it.
void CircleSide::send(const command::Call& call) {
  auto flight = std::make_shared<Flight>();
  flight->id = call.call;
  flight->kind = call.request.kind;
  const CallRow* row = world_.store().durable().call(call.call);
  if (row != nullptr) flight->member = row->member;  // if there is no row, a promise reports that
  flight->request = call.request;
  flight->sent = world_.time().now();
  world_.promises().on_send(*flight);
  world_.note(name_of(flight->kind),
              flight->request.token
                  ? format_fingerprint(fingerprint_of(flight->request.token->reveal()))
                  : flight->request.member.text());
  flights_.emplace(flight->id, flight);

  const bool down = world_.time().now() < down_until_;
  if (down && reach_ == Reach::kRefused) {
    world_.in_process(Duration{1} + random_.up_to(Duration{50}), [this, flight] {
      world_.note("reply.refused");
      finish(flight, transient(TransientReason::kNotSent));
    });
    return;
  }
  world_.in_process(kRequestTimeout, [this, flight] {
    if (flights_.contains(flight->id)) no_reply(flight);
  });
  if (down && random_.below(2) == 0) return;  // lost on the way to Circle, or on the way back
  world_.time().outside(travel(), [this, flight] {
    if (flights_.contains(flight->id)) arrive(flight);
  });
}

Duration CircleSide::travel() {
  const bool slow = world_.time().now() < slow_until_;
  return Duration{1} + random_.up_to(slow ? Duration{9'000} : Duration{80});
}

std::optional<sandbox::MemberId> CircleSide::find(const MemberKey& key) {
  const sandbox::Subject subject =
      key.kind == SelectorKind::kCommunityMemberId ? sandbox::Subject{sandbox::ById{key.id()}}
      : key.kind == SelectorKind::kEmail           ? sandbox::Subject{sandbox::ByEmail{key.value}}
                                                   : sandbox::Subject{sandbox::BySso{key.value}};
  const sandbox::Member* member =
      circle_.members().find(subject, world_.options().circle.email_case);
  return member == nullptr ? std::nullopt : std::optional(member->id);
}

std::optional<Duration> CircleSide::moved_at(const MemberKey& key) const {
  const auto moved = moved_at_.find(key.value);
  if (key.kind != SelectorKind::kEmail || moved == moved_at_.end()) return std::nullopt;
  return moved->second;
}

bool CircleSide::nothing_works_for(const MemberKey& key) {
  const auto member = find(key);
  return member && cursed_.contains(*member);
}

std::optional<sandbox::MemberId> CircleSide::about(const Flight& flight) {
  if (flight.kind == CallKind::kIssue) return find(flight.request.member);
  const auto token = circle_.ledger().find(flight.request.token->reveal());
  return token ? std::optional(circle_.ledger().at(*token).member) : std::nullopt;
}

void CircleSide::carry_out(Flight& flight) {
  const HttpRequest request = encode(flight.request);
  const auto member = about(flight);
  if (app_token_ != circle_.options().app_token) ++refused_;
  const std::string bearer = "Bearer " + app_token_;
  flight.exchange = circle_.begin({.method = request.method,
                                   .target = request.path,
                                   .authorization = bearer,
                                   .content_type = "application/json",
                                   .body = request.body.reveal()},
                                  world_.true_now());
  const auto& fault = flight.exchange->fault;
  flight.clear = !fault || spoils_nothing(*fault);
  const bool spared = member && world_.options().cursed_later &&
                      (flight.kind != CallKind::kIssue || issued_.insert(*member).second);
  if (member && cursed_.contains(*member) && !spared) {
    // It fails on the way back, so that its effect at Circle stays unseen.
    flight.exchange->complete = false;
    flight.exchange->reply = sandbox::html_reply(502, "502 Bad Gateway");
    flight.clear = false;
  }
  if (fault) world_.note(fmt::format("fault.{}", name_of(sandbox::kFaultNames, *fault)));
  world_.promises().on_arrival(flight);
}

void CircleSide::arrive(const std::shared_ptr<Flight>& flight) {
  carry_out(*flight);
  const sandbox::Reply& reply = flight->exchange->reply;
  const bool lost = world_.time().now() < down_until_;  // it arrived, but the reply is lost
  const bool answers = !lost && (reply.delivery == sandbox::Delivery::kPlain ||
                                 reply.delivery == sandbox::Delivery::kChunked);
  if (reply.delivery == sandbox::Delivery::kHang || lost) return;  // the time limit ends it
  const Duration takes = travel() + random_.up_to(Duration{300});
  world_.in_process(takes, [this, flight, answers, takes] {
    if (!flights_.contains(flight->id)) return;
    // If the machine slept through the time limit, it may find the reply or a dead connection.
    const bool late = world_.time().now() - flight->sent > kRequestTimeout;
    if (!answers || (late && random_.below(2) == 0)) {
      no_reply(flight);
    } else {
      deliver(flight, late ? world_.time().now() - flight->sent : takes);
    }
  });
}

void CircleSide::leave(const std::shared_ptr<Flight>& flight, bool written) {
  if (!flight->exchange || flight->ended) return;
  flight->ended = true;
  circle_.end(*flight->exchange, written);
}

void CircleSide::no_reply(const std::shared_ptr<Flight>& flight) {
  world_.note("reply.none");
  flight->clear = false;
  leave(flight, false);
  finish(flight, transient(TransientReason::kNoReply));
}

void CircleSide::deliver(const std::shared_ptr<Flight>& flight, Duration date_age) {
  leave(flight, true);
  const sandbox::Reply& reply = flight->exchange->reply;
  // The time at which Circle wrote the reply. A proxy's page may have any date.
  WallTime date = time(world_.true_now()) - date_age;
  if (reply.content_type == sandbox::kHtmlType && random_.below(2) == 0) {
    date += random_.up_to(std::chrono::hours{10}) - std::chrono::hours{5};
  }
  HttpReply http{.status = reply.status,
                 .content_type = reply.content_type,
                 .retry_after = std::nullopt,
                 .date = sandbox::format_http_date(date),
                 .body = Secret(reply.body),
                 .bearer = nullptr};
  for (const auto& [name, value] : reply.headers) {
    if (name == "Retry-After") http.retry_after = value;
  }
  const Reply meaning = classify(flight->kind, http, world_.now().wall);
  world_.note(fmt::format("reply.{}", name_of(meaning.outcome)));
  const bool asks_for_pause = reply.status == 429 || (reply.status == 503 && http.retry_after);
  if (asks_for_pause) world_.promises().on_throttled(http.retry_after, date_age);
  finish(flight, meaning);
}

void CircleSide::finish(const std::shared_ptr<Flight>& flight, const Reply& reply) {
  flights_.erase(flight->id);
  world_.promises().before_reply(*flight, reply);
  world_.turn(
      [&](Commands& out) { world_.engine().on_reply(flight->id, reply, world_.now(), out); });
  world_.promises().after_reply(*flight, reply);
}

void CircleSide::cut_off() {
  for (const auto& [id, flight] : flights_) {
    // A call that had not arrived may still do so, though nobody hears the answer.
    if (!flight->exchange && random_.below(2) == 0) carry_out(*flight);
    leave(flight, false);
  }
  flights_.clear();
}

void CircleSide::prune() {
  constexpr Duration kKept = std::chrono::hours{1};
  std::erase_if(foreign_, [this](const auto& text) { return !circle_.ledger().find(text); });
  circle_.ledger().forget_ended_before(time(world_.true_now()) - kKept);
}

}  // namespace rota::sim

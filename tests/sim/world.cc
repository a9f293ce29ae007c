#include "sim/world.h"

#include <fmt/format.h>

#include <algorithm>

#include "auth/classify.h"
#include "auth/encode.h"
#include "sandbox/wire.h"

namespace rota::sim {
namespace {

constexpr WallTime kBeginning{std::chrono::days{20'000}};
constexpr Duration kRequestTimeout = std::chrono::seconds{15};
constexpr std::size_t kEventsMax = 5'000'000;

}  // namespace

World::World(const WorldOptions& options)
    : options_(options), random_(options.seed), circle_(options.circle) {
  circle_.faults().replace(options.faults);
  for (std::size_t i = 1; i <= options.members; ++i) {
    const auto id = static_cast<sandbox::MemberId>(i);
    circle_.members().put(sandbox::numbered_member(id));
    members_.emplace(id, Member{});
  }
}

Now World::now() const {
  return {.wall = kBeginning + time_ + options_.wall_clock_error, .boot = BootTime{time_}};
}

Now World::true_now() const { return {.wall = kBeginning + time_, .boot = BootTime{time_}}; }

void World::at(Duration delay, Action action) {
  events_.emplace(time_ + std::max(delay, Duration{0}), std::move(action));
}

void World::in_process(Duration delay, Action action) {
  at(delay, [this, life = process_, action = std::move(action)] {
    if (life == process_) action();
  });
}

Duration World::around(Duration mean) { return random_.up_to(2 * mean); }

void World::note(std::string_view event) {
  constexpr std::uint64_t kFnvPrime = 0x100000001b3U;
  const auto mix = [this](std::uint64_t value) { hash_ = (hash_ ^ value) * kFnvPrime; };
  for (const char c : event) mix(static_cast<unsigned char>(c));
  mix(static_cast<std::uint64_t>(time_.count()));
}

void World::breach(std::string what) {
  constexpr std::size_t kBreachesMax = 20;
  if (breaches_.size() < kBreachesMax) {
    breaches_.push_back(fmt::format("seed {} at {} ms: {}", options_.seed, time_.count(), what));
  }
}

void World::run() {
  boot();
  const auto repeat = [this](Duration mean, auto self, auto action) -> void {
    if (mean == Duration{0}) return;
    at(around(mean), [this, mean, self, action] {
      if (calm_since_) return;
      action();
      self(mean, self, action);
    });
  };
  repeat(options_.mean_between_crashes, repeat, [this] { crash(); });
  repeat(options_.mean_between_roster_edits, repeat, [this] { edit_roster(); });
  const Duration end = options_.weather + options_.calm;
  std::function<void()> keep_fetching = [&] {
    fetch();
    at(around(options_.mean_between_fetches), keep_fetching);
  };
  at(Duration{0}, keep_fetching);
  at(options_.weather, [this] {
    calm_since_ = time_;
    circle_.faults().replace({});
  });

  std::size_t count = 0;
  while (!events_.empty() && events_.begin()->first <= end && ++count < kEventsMax) {
    const auto next = events_.begin();
    time_ = next->first;
    const Action action = std::move(next->second);
    events_.erase(next);
    action();
  }
  if (count >= kEventsMax) breach("the world does not come to rest: something spins");
  check_end();
}

void World::boot() {
  ++process_;
  table_ = Table{};
  waits_.clear();
  tick_at_.reset();
  auto snapshot = store_.load();
  if (!snapshot) {  // a store that fails at the start: the service manager tries again
    at(std::chrono::seconds{1}, [this] { boot(); });
    return;
  }
  engine_ = std::make_unique<Engine>(options_.policy, *std::move(snapshot), random_.next(), now());
  turn([this](Commands& out) { engine_->start(now(), out); });
  turn([this](Commands& out) { engine_->on_roster(roster(), {}, ReloadId{1}, now(), out); });
}

// kill -9: whatever was on its way to the disk is there or is not, and replies reach nobody.
void World::crash() {
  ++tally_.crashes;
  note("crash");
  if (committing_ && random_.below(2) == 0) apply_durably(*committing_);
  committing_.reset();
  const auto cut_off = std::move(at_circle_);
  at_circle_.clear();
  for (const auto& [id, end] : cut_off) end(false);
  boot();
}

void World::turn(const std::function<void(Commands&)>& event) {
  Commands commands;
  event(commands);
  carry_out(std::move(commands));
  const auto wake = engine_->next_wake(now());
  if (!wake) return;
  const Duration when = std::max(wake->time_since_epoch(), time_);
  if (tick_at_ && *tick_at_ <= when && *tick_at_ > time_) return;
  tick_at_ = when;
  in_process(when - time_, [this, when] {
    if (tick_at_ == when) tick_at_.reset();
    turn([this](Commands& out) { engine_->on_tick(now(), out); });
  });
}

void World::carry_out(Commands commands) {
  for (Command& each : commands) {
    if (auto* batch = std::get_if<command::Commit>(&each)) {
      commit(std::move(batch->mutations));
    } else if (const auto* sent = std::get_if<command::Call>(&each)) {
      call(*sent);
    } else if (auto* shown = std::get_if<command::Publish>(&each)) {
      check_published(shown->row);
      table_.publish(std::move(shown->row));
    } else if (const auto* gone = std::get_if<command::Withdraw>(&each)) {
      table_.forget(gone->member);
    } else if (const auto* reply = std::get_if<command::Answer>(&each)) {
      take_answer(*reply);
    } else if (const auto* told = std::get_if<command::Tell>(&each)) {
      note(told->notice.event);
    }
  }
}

void World::commit(std::vector<Mutation> mutations) {
  if (committing_) breach("two batches at once");
  committing_ = std::move(mutations);
  const bool fails = !calm_since_ && random_.fraction() < options_.commit_failure_rate;
  in_process(Duration{1} + random_.up_to(Duration{20}), [this, fails] {
    const auto batch = *std::move(committing_);
    committing_.reset();
    if (fails) {
      ++tally_.failed_commits;
      turn([this](Commands& out) {
        engine_->on_commit_failed({.kind = ErrorKind::kFull, .message = "disk full"}, now(), out);
      });
      return;
    }
    apply_durably(batch);
    turn([this](Commands& out) { engine_->on_committed(now(), out); });
  });
}

void World::apply_durably(const std::vector<Mutation>& mutations) {
  ++tally_.commits;
  const auto done = store_.commit(mutations);
  if (!done) breach(fmt::format("the store refuses a batch: {}", done.error().message));
  for (const Mutation& mutation : mutations) {
    if (const auto* token = std::get_if<PutToken>(&mutation)) {
      durable_tokens_.emplace(token->token.value->reveal());
    } else if (const auto* row = std::get_if<PutCall>(&mutation)) {
      durable_calls_.insert(row->row.id);
    }
  }
}

void World::call(const command::Call& sent) {
  ++tally_.calls;
  note(name_of(sent.request.kind));
  if (!durable_calls_.contains(sent.call)) breach("P3: a call without a durable journal row");
  auto request = std::make_shared<HttpRequest>(encode(sent.request));
  in_process(
      Duration{1} + random_.up_to(Duration{150}),
      [this, id = sent.call, kind = sent.request.kind, request] { arrive(id, kind, request); });
}

void World::arrive(CallId id, CallKind kind, const std::shared_ptr<HttpRequest>& request) {
  const std::string bearer = "Bearer " + options_.circle.app_token;
  const auto exchange =
      std::make_shared<sandbox::Exchange>(circle_.begin({.method = request->method,
                                                         .target = request->path,
                                                         .authorization = bearer,
                                                         .content_type = "application/json",
                                                         .body = request->body.reveal()},
                                                        true_now()));
  at_circle_.emplace(id, [this, exchange](bool written) { circle_.end(*exchange, written); });

  const sandbox::Reply& reply = exchange->reply;
  const bool answers =
      reply.delivery == sandbox::Delivery::kPlain || reply.delivery == sandbox::Delivery::kChunked;
  const Duration takes = reply.delivery == sandbox::Delivery::kHang
                             ? kRequestTimeout
                             : Duration{1} + random_.up_to(Duration{400});
  in_process(takes, [this, id, kind, exchange, answers] {
    circle_.end(*exchange, answers);
    at_circle_.erase(id);
    Reply meaning{.outcome = Transient{.reason = TransientReason::kNoReply, .why = "no reply"},
                  .server_date = std::nullopt};
    if (answers) {
      const sandbox::Reply& r = exchange->reply;
      HttpReply http{.status = r.status,
                     .content_type = r.content_type,
                     .retry_after = std::nullopt,
                     .date = sandbox::format_http_date(circle_.clock(true_now())),
                     .body = Secret(r.body)};
      for (const auto& [name, value] : r.headers) {
        if (name == "Retry-After") http.retry_after = value;
      }
      meaning = classify(kind, http, now().wall);
    }
    note(name_of(meaning.outcome));
    if (std::holds_alternative<Refreshed>(meaning.outcome)) ++tally_.rotated;
    turn([&](Commands& out) { engine_->on_reply(id, meaning, now(), out); });
  });
}

void World::check_published(const Published& row) {
  if (row.access_token && !durable_tokens_.contains(row.access_token->reveal())) {
    breach("P2: a token is published before it is durable");
  }
}

Roster World::roster() const {
  Roster roster;
  for (const auto& [id, member] : members_) {
    if (!member.in_roster) continue;
    const auto known = sandbox::numbered_member(id);
    // A third of the members by each selector.
    const auto key = id % 3 == 0   ? MemberKey::from_id(id)
                     : id % 3 == 1 ? MemberKey::from_email(known.email)
                                   : MemberKey::from_sso(known.sso_user_id);
    roster.entries.push_back({.key = *key, .name = {}, .tags = {}, .retired = member.retired});
  }
  return roster;
}

}  // namespace rota::sim

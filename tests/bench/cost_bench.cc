// The work whose instructions scripts/cost counts:
//
//   cost_bench fetch|login|refresh|plan COUNT
//
//   fetch    COUNT requests from their bytes to those of the reply, without sockets
//   login    COUNT requests in Circle's own words, POST auth_token, likewise
//   refresh  COUNT refreshes through the engine, whose commits a store in memory takes
//   plan     a start with COUNT members: each is loaded, counted, published and planned
//
// It does the same at each run. The cost of one is the difference between the runs of two counts,
// divided by the difference of the counts: what is done once drops out.

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "api/circle_logins.h"
#include "api/frontend.h"
#include "api/handle.h"
#include "audit/audit_buffer.h"
#include "base/check.h"
#include "base/secret.h"
#include "engine/engine.h"
#include "http/buffer.h"
#include "http/http_head.h"
#include "http/response.h"
#include "table/table.h"

namespace rota::bench {
namespace {

constexpr Now kBeginning{.wall = WallTime{std::chrono::days{20'000}},
                         .boot = BootTime{std::chrono::hours{1}}};
constexpr Duration kAccessLife = std::chrono::hours{1};
constexpr Duration kRefreshLife = std::chrono::days{31};
constexpr std::size_t kTokenBytes = 560;  // as long as Circle's
constexpr std::int64_t kMembers = 1'000;  // of fetch and refresh
constexpr std::uint32_t kUser = 1'000;

std::string token_text(std::int64_t number) {
  std::string text = fmt::format("{}.", number);
  text.resize(kTokenBytes, 'x');
  return text;
}

Token token(std::int64_t id, TokenKind kind, WallTime issued, Duration life) {
  const std::string text = token_text(id);
  return {.id = TokenId{id},
          .kind = kind,
          .status = TokenStatus::kCurrent,
          .value = make_secret(text),
          .fingerprint = static_cast<Fingerprint>(id),
          .issued_at = issued,
          .expires_at = issued + life,
          .status_since = issued};
}

// Members whose tokens end evenly spread over the next hour.
Snapshot snapshot_of(std::int64_t members) {
  Snapshot snapshot;
  for (std::int64_t id = 1; id <= members; ++id) {
    const WallTime issued = kBeginning.wall - kAccessLife * id / (members + 1);
    MemberRecord& record = snapshot.members.emplace_back();
    record.id = MemberId{id};
    record.state_since = record.last_used = issued;
    record.selectors = {{.key = MemberKey::from_email(fmt::format("m{}@example.com", id)).value(),
                         .in_roster = true,
                         .name = fmt::format("Member {}", id),
                         .tags = {"staff", "web"},
                         .resolved_at = issued}};
    record.community_member_id = id;
    record.community_id = 1;
    record.tokens = {token(2 * id, TokenKind::kAccess, issued, kAccessLife),
                     token(2 * id + 1, TokenKind::kRefresh, issued, kRefreshLife)};
  }
  snapshot.next_member = MemberId{members + 1};
  snapshot.next_token = TokenId{2 * members + 2};
  return snapshot;
}

// The engine on a clock that goes where something is due, a store in memory and a Circle that
// answers at once.
class Rotation {
 public:
  explicit Rotation(std::int64_t members)
      : policy_(policy_for(members)), engine_(policy_, snapshot_of(members), 1, now_) {
    Commands commands;
    engine_.start(now_, commands);
    carry_out(std::move(commands));
  }

  const Table& table() const { return table_; }
  Subscriptions& subscriptions() { return table_.subscriptions(); }
  WallTime circle_now() const { return engine_.serving_time(now_); }

  void refresh(std::int64_t count) {
    for (const std::int64_t end = replies_ + count; replies_ < end;) {
      const auto wake = engine_.next_wake(now_);
      ROTA_CHECK(wake.has_value());
      const Duration step = std::max(Duration{1}, *wake - now_.boot);
      now_ = {.wall = now_.wall + step, .boot = now_.boot + step};
      Commands commands;
      engine_.on_tick(now_, commands);
      carry_out(std::move(commands));
    }
  }

 private:
  // A budget with enough room for all of them.
  static Policy policy_for(std::int64_t members) {
    Policy policy;
    policy.requests_per_window = static_cast<std::size_t>(members);
    return policy;
  }

  void carry_out(Commands commands) {
    while (!commands.empty()) {
      Commands next;
      for (Command& command : commands) {
        if (auto* commit = std::get_if<command::Commit>(&command)) {
          on_record_ = std::move(commit->mutations);
          OpenedTokens opened;
          for (const TokenId id : commit->to_open) {
            opened.emplace(id, make_secret(token_text(std::to_underlying(id))));
          }
          engine_.on_committed(now_, next, opened);
        } else if (auto* publish = std::get_if<command::Publish>(&command)) {
          table_.publish(std::move(publish->row));
        } else if (const auto* call = std::get_if<command::Call>(&command)) {
          engine_.on_reply(call->call, reply_to(call->request.kind), now_, next);
        }
      }
      commands = std::move(next);
    }
  }

  Reply reply_to(CallKind kind) {
    ROTA_CHECK(kind == CallKind::kRefresh);
    const std::int64_t number = kBeginning.wall.time_since_epoch().count() + ++replies_;
    return {.outcome = Refreshed{{.value = make_secret(token_text(number)),
                                  .expires_at = engine_.circle_now(now_) + kAccessLife}},
            .server_date = now_.wall};
  }

  Now now_ = kBeginning;
  const Policy policy_;
  Engine engine_;
  Table table_;
  std::vector<Mutation> on_record_;  // the last batch
  std::int64_t replies_ = 0;
};

class Tokens final : public TokenService {
 public:
  Tokens() : rotation_(kMembers), fetches_(4 * kMembers) {}

  const Table& table() const override { return rotation_.table(); }
  Subscriptions& subscriptions() override { return rotation_.subscriptions(); }
  WallTime circle_now() const override { return rotation_.circle_now(); }
  WaitId wait_for_token(const WaitRequest&, std::move_only_function<void(WaitAnswer)>) override {
    ROTA_CHECK(false);
  }
  void cancel_wait(WaitId) override { ROTA_CHECK(false); }
  void note_use(const Published& row) override { row.use_noted = true; }
  void note_fetch(const Published& row, const AuditCaller& caller) override {
    AuditNote& note = fetches_.add({.event = AuditEvent::kTokenFetched,
                                    .member = row.member,
                                    .token = row.fingerprint,
                                    .caller = caller},
                                   kBeginning);
    if (note.member.empty()) note.member = row.keys.front().text();
  }
  void note_asked(AuditOrder) override { ROTA_CHECK(false); }
  void note_refused(MemberId, Fingerprint) override { ROTA_CHECK(false); }
  bool budget_is_short() const override { return false; }
  bool community_is_refused() const override { return false; }
  void operate(const OperatorRequest&,
               std::move_only_function<void(Result<OperatorReport>)>) override {
    ROTA_CHECK(false);
  }
  void raise_handle(MemberId, std::string, std::move_only_function<void(Result<void>)>) override {
    ROTA_CHECK(false);
  }

 private:
  Rotation rotation_;
  AuditBuffer fetches_;
};

class NoHealth final : public HealthService {
 public:
  Health health() const override { return {}; }
};

void fetch(std::int64_t count) {
  Tokens tokens;
  const NoHealth health;
  const AccessPolicy policy(
      kUser + 1, {{.holder = Grant::Holder::kUser, .id = kUser, .tags = {"staff"}, .members = {}}});
  const auto frontend = Frontend::token_socket(tokens, policy, health);
  const PeerIdentity peer{.uid = kUser, .gid = kUser, .pid = 1, .groups = {kUser}};
  std::vector<std::string> requests;
  for (std::int64_t id = 1; id <= kMembers; ++id) {
    const std::string name = id % 2 == 0 ? fmt::format("community_member_id={}", id)
                                         : fmt::format("email=m{}@example.com", id);
    requests.push_back(
        fmt::format("GET /v1/token?{} HTTP/1.1\r\nHost: rota\r\nAccept: */*\r\n\r\n", name));
  }
  Buffer out;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto parsed = parse_head(requests[static_cast<std::size_t>(i % kMembers)]);
    const Answer answer = frontend.answer(std::get<RequestHead>(parsed), {}, peer);
    const auto& token = std::get<TokenReply>(answer);
    append_token(out, *token.row, token.circle_now, {});
    tokens.note_fetch(*token.row, caller_of(peer));
    ROTA_CHECK(out.size() > kTokenBytes);
    out.consume(out.size());
  }
}

// One that asks for a member again and again within a minute gets a fresh token.
class SlowClock final : public Clock {
 public:
  Now now() const override { return now_; }
  void go_on() {
    now_.wall += std::chrono::minutes{1};
    now_.boot += std::chrono::minutes{1};
  }

 private:
  Now now_ = kBeginning;
};

void login(std::int64_t count) {
  Tokens tokens;
  const NoHealth health;
  const AccessPolicy policy(
      kUser + 1, {{.holder = Grant::Holder::kUser, .id = kUser, .tags = {"staff"}, .members = {}}});
  SlowClock clock;
  CircleLogins logins(clock, Secret(std::string(kHandleKeyBytes, 'k')));
  const auto frontend = Frontend::token_socket(tokens, policy, health, &logins);
  const PeerIdentity peer{.uid = kUser, .gid = kUser, .pid = 1, .groups = {kUser}};
  std::vector<std::string> requests;
  for (std::int64_t id = 1; id <= kMembers; ++id) {
    const std::string body = id % 2 == 0 ? fmt::format("{{\"community_member_id\":{}}}", id)
                                         : fmt::format("{{\"email\":\"m{}@example.com\"}}", id);
    requests.push_back(
        fmt::format("POST /api/v1/headless/auth_token HTTP/1.1\r\nHost: rota\r\nContent-Type: "
                    "application/json\r\nContent-Length: {}\r\n\r\n{}",
                    body.size(), body));
  }
  Buffer out;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string& request = requests[static_cast<std::size_t>(i % kMembers)];
    if (i % kMembers == 0) clock.go_on();
    const auto parsed = parse_head(request);
    const auto& head = std::get<RequestHead>(parsed);
    const Answer answer =
        frontend.answer(head, std::string_view(request).substr(head.head_bytes), peer);
    frontend.give(std::get<TokenReply>(answer), peer, {}, out);
    ROTA_CHECK(out.size() > kTokenBytes);
    out.consume(out.size());
  }
}

int run(std::string_view what, std::int64_t count) {
  if (what == "fetch") {
    fetch(count);
  } else if (what == "login") {
    login(count);
  } else if (what == "refresh") {
    Rotation(kMembers).refresh(count);
  } else if (what == "plan") {
    const Rotation rotation(count);
    ROTA_CHECK(rotation.table().size() == static_cast<std::size_t>(count));
  } else {
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace rota::bench

int main(int argc, char** argv) {
  // The daemon does it, too: without it, libsodium takes its code for any processor.
  if (sodium_init() < 0) return 1;
  const std::int64_t count = argc == 3 ? std::strtoll(argv[2], nullptr, 10) : 0;
  if (count > 0) {
    if (const int code = rota::bench::run(argv[1], count); code == 0) return 0;
  }
  fmt::print(stderr, "usage: cost_bench fetch|login|refresh|plan COUNT\n");
  return 2;
}

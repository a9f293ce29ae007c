// How planning scales: the engine with ever more members, on a virtual clock, its calls answered at
// once. Each member costs about one event in 50 minutes; what an event costs must not grow with the
// number of members, but for the logarithm.

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace rota {
namespace {

constexpr WallTime kBeginning{std::chrono::days{20'000}};
constexpr Duration kLife = std::chrono::hours{1};
constexpr std::size_t kAccessBytes = 600;  // a JWT of Circle's
constexpr std::size_t kRefreshBytes = 64;
constexpr std::size_t kEvents = 200'000;

double seconds_of(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

Token token(std::int64_t id, TokenKind kind, std::size_t bytes, WallTime issued, Duration life) {
  std::string text = fmt::format("{}-", id);
  text.resize(bytes, 'x');
  return {.id = TokenId{id},
          .kind = kind,
          .status = TokenStatus::kCurrent,
          .value = make_secret(text),
          .fingerprint = fingerprint_of(text),
          .issued_at = issued,
          .expires_at = issued + life,
          .status_since = issued};
}

// Members whose tokens end evenly spread over the next hour.
Snapshot snapshot_of(std::int64_t members) {
  Snapshot snapshot;
  snapshot.members.reserve(static_cast<std::size_t>(members));
  for (std::int64_t id = 1; id <= members; ++id) {
    const WallTime issued = kBeginning - kLife * id / members;
    MemberRecord& record = snapshot.members.emplace_back();
    record.id = MemberId{id};
    record.state_since = issued;
    record.selectors.push_back({.key = *MemberKey::from_id(id),
                                .in_roster = true,
                                .retired = false,
                                .name = {},
                                .tags = {}});
    record.community_member_id = id;
    record.community_id = 1;
    record.last_used = issued;
    record.tokens.push_back(token(2 * id, TokenKind::kAccess, kAccessBytes, issued, kLife));
    record.tokens.push_back(
        token(2 * id + 1, TokenKind::kRefresh, kRefreshBytes, issued, std::chrono::days{31}));
  }
  snapshot.next_member = MemberId{members + 1};
  snapshot.next_token = TokenId{2 * members + 2};
  return snapshot;
}

struct Figures {
  double start_seconds = 0;
  double bytes_per_member = 0;
  double event_microseconds = 0;
  double status_microseconds = 0;
};

Figures run(std::int64_t members) {
  Policy policy;
  policy.requests_per_window = static_cast<std::size_t>(members);  // enough for all of them
  Now now{.wall = kBeginning, .boot = BootTime{std::chrono::hours{1}}};
  const std::size_t before = resident_bytes();
  Snapshot snapshot = snapshot_of(members);
  auto since = std::chrono::steady_clock::now();
  Engine engine(policy, std::move(snapshot), 1, now);
  Commands commands;
  engine.start(now, commands);
  Figures figures;
  figures.start_seconds = seconds_of(since);
  std::size_t answered = 0;
  std::string text(kAccessBytes, 'y');
  const auto carry_out = [&] {
    while (!commands.empty()) {
      Commands next;
      for (Command& command : commands) {
        if (const auto* commit = std::get_if<command::Commit>(&command)) {
          OpenedTokens opened;
          for (const TokenId id : commit->to_open) opened.emplace(id, make_secret(text));
          engine.on_committed(now, next, opened);
        }
        if (const auto* call = std::get_if<command::Call>(&command)) {
          ++answered;
          const std::string digits = std::to_string(answered);
          std::ranges::copy(digits, text.begin());
          Refreshed reply{
              {.value = make_secret(text), .expires_at = engine.circle_now(now) + kLife}};
          engine.on_reply(call->call, {.outcome = std::move(reply), .server_date = now.wall}, now,
                          next);
        }
      }
      commands = std::move(next);
    }
  };
  carry_out();
  figures.bytes_per_member =
      static_cast<double>(resident_bytes() - before) / static_cast<double>(members);

  const std::size_t first = answered;
  since = std::chrono::steady_clock::now();
  while (answered - first < kEvents) {
    const auto wake = engine.next_wake(now);
    if (!wake) std::abort();
    const Duration step = std::max(Duration{1}, *wake - now.boot);
    now = {.wall = now.wall + step, .boot = now.boot + step};
    engine.on_tick(now, commands);
    carry_out();
  }
  figures.event_microseconds = seconds_of(since) * 1e6 / static_cast<double>(answered - first);

  constexpr int kStatuses = 1'000;
  since = std::chrono::steady_clock::now();
  std::size_t fresh = 0;
  for (int i = 0; i < kStatuses; ++i) {
    fresh += engine.census().fresh(engine.circle_now(now));
    fresh += engine.census().overdue_in_use(engine.circle_now(now));
  }
  if (fresh == 0) std::abort();
  figures.status_microseconds = seconds_of(since) * 1e6 / kStatuses;
  return figures;
}

}  // namespace
}  // namespace rota

int main() {
  constexpr std::int64_t kSizes[] = {10'000, 100'000, 1'000'000};
  fmt::print("{:>9}  {:>8}  {:>12}  {:>9}  {:>6}  {:>10}\n", "members", "start s", "bytes/member",
             "us/event", "ratio", "us/status");
  double smallest = 0;
  for (const std::int64_t members : kSizes) {
    const rota::Figures f = rota::run(members);
    if (smallest == 0) smallest = f.event_microseconds;
    fmt::print("{:>9}  {:>8.2f}  {:>12.0f}  {:>9.1f}  {:>6.2f}  {:>10.2f}\n", members,
               f.start_seconds, f.bytes_per_member, f.event_microseconds,
               f.event_microseconds / smallest, f.status_microseconds);
  }
  return 0;
}

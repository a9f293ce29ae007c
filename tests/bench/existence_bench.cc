// How well a local user without a grant can tell by time who is a member (P11). For each of many
// pairs, one name of a member and one that leads to nobody, it asks 6,000 times in random order and
// takes the name that took longer, or less long, for the member's: which of the two it has learned
// from the first half of the pairs. Right in half of the others is chance. First it calls the
// decision itself, which no attacker can, then it fetches over a socket, as one does.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/check.h"
#include "unit/serve/harness.h"

namespace rota::bench {
namespace {

constexpr std::int64_t kMembers = 2'000;
constexpr std::size_t kAsksPerPair = 6'000;
constexpr int kPairs = 40;
constexpr uid_t kNobody = 65'534;

// Asks once, and returns how long that took.
using Ask = std::function<double(const std::string& query)>;

Published member(std::int64_t id) {
  Published row;
  row.member = MemberId{id};
  row.keys = {MemberKey::from_id(id).value(),
              MemberKey::from_email(fmt::format("member{}@example.com", id)).value(),
              MemberKey::from_sso(fmt::format("auth0|{}", id)).value()};
  row.tags = {"beta", id == 1 ? "staff" : "web"};
  return row;
}

// The mean of the faster half: what disturbs a measurement makes it longer.
double typical(std::vector<double> times) {
  std::ranges::sort(times);
  times.resize(times.size() / 2);
  double sum = 0;
  for (const double each : times) sum += each;
  return sum / static_cast<double>(times.size());
}

// By how much longer the member took.
double difference(const Ask& ask, std::int64_t pair, std::mt19937_64& random) {
  const std::string queries[] = {fmt::format("email=member{}@example.com", kMembers - pair),
                                 fmt::format("email=member{}@example.com", kMembers + 1 + pair)};
  std::vector<double> times[2];
  for (std::size_t i = 0; i < kAsksPerPair; ++i) {
    const std::size_t which = random() % 2;
    times[which].push_back(ask(queries[which]));
  }
  return typical(times[0]) - typical(times[1]);
}

void attack(const std::string& how, const Ask& ask) {
  std::mt19937_64 random(7);
  std::vector<double> differences;
  for (int pair = 0; pair < kPairs; ++pair) differences.push_back(difference(ask, pair, random));
  const auto half = differences.begin() + kPairs / 2;
  const bool longer =
      std::count_if(differences.begin(), half, [](double d) { return d > 0; }) > kPairs / 4;
  const auto right =
      std::count_if(half, differences.end(), [longer](double d) { return (d > 0) == longer; });
  std::ranges::sort(differences);
  fmt::print(
      "{:<12} right in {} of {} pairs; a member takes {:+.0f} ns (median; 80 % within {:+.0f} "
      "to {:+.0f})\n",
      how, right, kPairs - kPairs / 2, differences[kPairs / 2], differences[kPairs / 10],
      differences[kPairs - 1 - kPairs / 10]);
  std::fflush(stdout);
}

double nanoseconds(std::chrono::steady_clock::duration time) {
  return std::chrono::duration<double, std::nano>(time).count();
}

double fetch(int fd, const std::string& query) {
  const std::string request = "GET /v1/token?" + query + " HTTP/1.1\r\nHost: x\r\n\r\n";
  char reply[1'024];
  const auto start = std::chrono::steady_clock::now();
  ROTA_CHECK(::send(fd, request.data(), request.size(), 0) > 0);
  ROTA_CHECK(::recv(fd, reply, sizeof reply, 0) > 0);
  const auto time = std::chrono::steady_clock::now() - start;
  ROTA_CHECK(std::string_view(reply).starts_with("HTTP/1.1 403 "));
  return nanoseconds(time);
}

int run() {
  FakeClock clock;
  FakeTokenService tokens(clock);
  for (std::int64_t id = 1; id <= kMembers; ++id) tokens.publish(member(id));
  const uid_t attacker = ::geteuid() == 0 ? kNobody : ::geteuid();
  const AccessPolicy policy(kNobody - 1, {{.holder = Grant::Holder::kUser,
                                           .id = attacker,
                                           .tags = {"staff"},
                                           .members = {MemberKey::from_id(1).value()}}});
  FakeHealthService health;
  const auto frontend = Frontend::token_socket(tokens, policy, health);

  const PeerIdentity peer{.uid = attacker, .gid = attacker, .pid = 1};
  attack("the decision", [&](const std::string& query) {
    RequestHead head;
    head.method = "GET";
    head.path = "/v1/token";
    head.query = query;
    const auto start = std::chrono::steady_clock::now();
    const Answer answer = frontend.answer(head, {}, peer);
    const auto time = std::chrono::steady_clock::now() - start;
    ROTA_CHECK(std::get<ErrorReply>(answer).code == ErrorCode::kForbidden);
    return nanoseconds(time);
  });

  const TempDir folder;
  boost::asio::io_context loop;
  RecordingObserver observer;
  const std::string path = folder / "token.sock";
  auto listen = ListenSocket::bind(path, 0666, std::nullopt);
  ROTA_CHECK(listen.has_value());
  auto server = Server::create(loop, *std::move(listen), frontend, clock, observer, {});
  ROTA_CHECK(server.has_value());
  (*server)->start();
  const pid_t child = ::fork();
  if (child == 0) {
    if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(1);
    const int fd = connect_to(path, 0);
    ROTA_CHECK(fd >= 0);
    attack("a socket", [fd](const std::string& query) { return fetch(fd, query); });
    ::_exit(0);
  }
  int status = -1;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    loop.run_one_for(std::chrono::milliseconds{100});
    loop.restart();
  }
  return status == 0 ? 0 : 1;
}

}  // namespace
}  // namespace rota::bench

int main() { return rota::bench::run(); }

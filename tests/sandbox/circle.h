#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "sandbox/circle_options.h"
#include "sandbox/fault.h"
#include "sandbox/ledger.h"
#include "sandbox/members.h"
#include "sandbox/mint.h"
#include "sandbox/rate_window.h"
#include "sandbox/reply.h"
#include "sandbox/request.h"
#include "sandbox/stats.h"

namespace rota::sandbox {

// One call between its arrival and the end of its reply.
struct Exchange {
  Endpoint endpoint = Endpoint::kOther;
  std::optional<MemberId> member;    // whom it is about, where that is known
  std::optional<TokenId> presented;  // the token that it sent, where it is one of ours
  std::optional<FaultKind> fault;
  std::vector<TokenId> tokens;  // what the reply hands out
  bool complete = true;         // false: a fault keeps the tokens from the client
  Reply reply;
};

// Circle's Headless Auth API as its OpenAPI description has it, without I/O: calls and the time
// go in, replies come out. Not thread-safe. Options, members and faults may be changed between
// any two calls; the rate window's length is fixed by the options given at construction.
class Circle {
 public:
  explicit Circle(CircleOptions options);

  // Carries out one call. The caller sends the reply after options().latency and must hand the
  // exchange back to end() once.
  Exchange begin(const Request& request, Now now);
  // `written`: the whole reply went into the socket. Only then are its tokens "delivered".
  void end(const Exchange& exchange, bool written);

  // A request that never became a call, such as one that is not HTTP.
  void breach(std::string_view method, std::string_view target, std::string_view reason) {
    stats_.violation(method, target, reason);
  }

  // Removes a member with its refresh tokens; its access tokens live on.
  bool erase_member(MemberId id);

  CircleOptions& options() { return options_; }
  Members& members() { return members_; }
  Ledger& ledger() { return ledger_; }
  Faults& faults() { return faults_; }
  RateWindow& window() { return window_; }
  const Stats& stats() const { return stats_; }
  WallTime clock(Now now) const { return now.wall + options_.clock_offset; }

 private:
  void identify(const Subject& subject, Exchange& exchange) const;
  Reply carry_out(const Subject& subject, WallTime now, Exchange& exchange);
  Reply issue(const Subject& subject, WallTime now, Exchange& exchange);
  Reply refresh(WallTime now, Exchange& exchange);
  Reply revoke_refresh(WallTime now, const Exchange& exchange);
  Reply revoke_access(WallTime now, const Exchange& exchange);

  TokenId new_access_token(const Member& member, WallTime now);
  TokenId new_refresh_token(const Member& member, WallTime now);
  // The end of a token as Circle writes it, or as the exchange's fault has it.
  std::string end_of(TokenId id, const Exchange& exchange) const;
  Reply throttled_reply(Duration wait, Now now) const;

  CircleOptions options_;
  Members members_;
  Ledger ledger_;
  Faults faults_;
  Mint mint_;
  RateWindow window_;
  Stats stats_;
};

// "POST /path member=42 200 access=0123456789abcdef fault=chunked": fingerprints, no token.
std::string describe(const Request& request, const Exchange& exchange, const Ledger& ledger);

}  // namespace rota::sandbox

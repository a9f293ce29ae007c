#include "sandbox/report.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <iterator>

namespace rota::sandbox {
namespace {

// Tokens are base64url and dots, so nothing needs to be escaped.
void add_token(std::string& out, const Token& token, WallTime now) {
  fmt::format_to(std::back_inserter(out),
                 R"({{"kind":"{}","token":"{}","community_member_id":{},"issued_at":"{}",)"
                 R"("expires_at":"{}","state":"{}","delivered":{}}})",
                 name_of(kTokenKindNames, token.kind), token.text, token.member,
                 format_iso8601(token.issued_at), format_iso8601(token.expires_at),
                 name_of(kTokenStateNames, token.state(now)), token.delivered);
}

bool passes(const LedgerFilter& filter, const Token& token, WallTime now) {
  return (!filter.member || *filter.member == token.member) &&
         (!filter.kind || *filter.kind == token.kind) &&
         (!filter.state || *filter.state == token.state(now));
}

}  // namespace

std::string ledger_report(const Ledger& ledger, const LedgerFilter& filter, WallTime now) {
  std::string out = fmt::format(R"({{"now":"{}","tokens":[)", format_iso8601(now));
  bool first = true;
  for (const Token& token : ledger.tokens()) {
    if (!passes(filter, token, now)) continue;
    if (!first) out += ',';
    first = false;
    add_token(out, token, now);
  }
  return out += "]}";
}

std::string token_report(const Ledger& ledger, std::string_view text, WallTime now) {
  const auto id = ledger.find(text);
  if (!id) return R"({"state":"unknown"})";
  std::string out;
  add_token(out, ledger.at(*id), now);
  return out;
}

std::string stats_report(Circle& circle, Now now) {
  boost::json::object out;
  out["now"] = format_iso8601(circle.clock(now));
  circle.stats().write(out);
  out["rate"] = {{"limit", circle.options().rate_limit},
                 {"window_ms", circle.window().window().count()},
                 {"in_window", circle.window().count(now.boot)},
                 {"peak", circle.window().peak()},
                 {"throttled", circle.stats().throttled()}};
  out["members"] = circle.members().size();
  out["tokens"] = circle.ledger().tokens().size();
  return boost::json::serialize(out);
}

}  // namespace rota::sandbox

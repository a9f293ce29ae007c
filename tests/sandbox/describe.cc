#include <fmt/format.h>

#include <iterator>

#include "base/fingerprint.h"
#include "sandbox/circle.h"

namespace rota::sandbox {
namespace {

void add_token(std::string& line, std::string_view prefix, const Token& token) {
  fmt::format_to(std::back_inserter(line), " {}{}={}", prefix, name_of(kTokenKindNames, token.kind),
                 format_fingerprint(fingerprint_of(token.text)));
}

}  // namespace

std::string describe(const Request& request, const Exchange& exchange, const Ledger& ledger) {
  const std::string_view path = request.target.substr(0, request.target.find('?'));
  std::string line = fmt::format("{} {}", request.method, path);
  auto to = std::back_inserter(line);
  if (exchange.member) fmt::format_to(to, " member={}", *exchange.member);
  if (exchange.presented) add_token(line, "sent_", ledger.at(*exchange.presented));
  switch (exchange.reply.delivery) {
    case Delivery::kPlain:
    case Delivery::kChunked:
    case Delivery::kHuge:
      fmt::format_to(to, " {}", exchange.reply.status);
      break;
    case Delivery::kHang:
    case Delivery::kDrop:
      line += " no reply";
      break;
  }
  for (const TokenId id : exchange.tokens) add_token(line, "", ledger.at(id));
  if (exchange.fault) fmt::format_to(to, " fault={}", name_of(kFaultNames, *exchange.fault));
  return line;
}

}  // namespace rota::sandbox

#include "sandbox/control_query.h"

#include <fmt/format.h>

#include <charconv>

namespace rota::sandbox {
namespace {

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(&text[i + 1], &text[i + 1] + 2, byte, 16).ptr == &text[i + 1] + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

template <class E, std::size_t N>
Result<void> read_choice(std::string_view query, std::string_view key,
                         const std::array<Name<E>, N>& table, std::optional<E>& target) {
  const auto text = query_value(query, key);
  if (!text) return {};
  target = value_of(table, *text);
  if (!target) return fail(ErrorKind::kInvalid, fmt::format("{} must be {}", key, choices(table)));
  return {};
}

}  // namespace

std::optional<std::string> query_value(std::string_view query, std::string_view key) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    const std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == key) {
      return percent_decoded(pair.substr(equals + 1));
    }
    query = end == std::string_view::npos ? std::string_view() : query.substr(end + 1);
  }
  return std::nullopt;
}

Result<LedgerFilter> parse_ledger_filter(std::string_view query) {
  LedgerFilter filter;
  ROTA_TRY(read_choice(query, "kind", kTokenKindNames, filter.kind));
  ROTA_TRY(read_choice(query, "state", kTokenStateNames, filter.state));
  if (const auto text = query_value(query, "community_member_id")) {
    MemberId id = 0;
    const char* end = text->data() + text->size();
    const auto [stop, status] = std::from_chars(text->data(), end, id);
    if (status != std::errc{} || stop != end) {
      return fail(ErrorKind::kInvalid, "community_member_id must be an integer");
    }
    filter.member = id;
  }
  return filter;
}

}  // namespace rota::sandbox

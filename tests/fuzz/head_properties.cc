#include "fuzz/head_properties.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "engine/requests.h"
#include "http/limits.h"
#include "http/query.h"

namespace rota::fuzz {
namespace {

constexpr std::size_t kCuts = 16;

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return result;
}

// Every line ends in CR LF, and neither stands anywhere else.
std::vector<std::string> lines_of(std::string_view head) {
  std::vector<std::string> lines(1);
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '\r') {
      ROTA_CHECK(i + 1 < head.size() && head[i + 1] == '\n');
      lines.emplace_back();
      ++i;
      continue;
    }
    const auto byte = static_cast<unsigned char>(head[i]);
    ROTA_CHECK(byte == '\t' || (byte >= 0x20 && byte != 0x7f));
    lines.back() += head[i];
  }
  ROTA_CHECK(lines.size() >= 3 && lines.back().empty() && lines[lines.size() - 2].empty());
  lines.resize(lines.size() - 2);
  // Empty lines before the request are no part of it.
  lines.erase(lines.begin(), std::ranges::find_if_not(lines, &std::string::empty));
  ROTA_CHECK(std::ranges::none_of(lines, &std::string::empty));
  return lines;
}

void check_request_line(const std::string& line, const RequestHead& head) {
  ROTA_CHECK(std::ranges::count(line, ' ') == 2);
  ROTA_CHECK(line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0"));
  const std::string method = head.head_only ? "HEAD" : std::string(head.method);
  ROTA_CHECK(head.method != "HEAD" && (!head.head_only || head.method == "GET"));
  ROTA_CHECK(!method.empty() && line.starts_with(method + " "));
  ROTA_CHECK(head.path.starts_with('/') && !head.path.contains('?'));
  const std::string given = line.substr(method.size() + 1);
  const bool absolute = lower(given).starts_with("http://");
  ROTA_CHECK(absolute || given.starts_with('/'));
  const std::string target =
      std::string(head.path) + (head.query.empty() ? "" : "?") + std::string(head.query);
  const bool no_path = absolute && head.path == "/";
  ROTA_CHECK(line.contains(no_path ? target.substr(1) : target) && !target.contains('#'));
  ROTA_CHECK(is_utf8(line) && !has_control(line.substr(0, line.find_last_of(' '))));
}

void check_fields(const std::vector<std::string>& lines, const RequestHead& head) {
  std::size_t hosts = 0;
  std::size_t lengths = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    ROTA_CHECK(colon != std::string::npos && colon > 0);
    const std::string name = lower(lines[i].substr(0, colon));
    ROTA_CHECK(std::ranges::all_of(name, [](char c) { return c > 0x20 && c <= 0x7e; }));
    ROTA_CHECK(!std::ranges::any_of(
        name, [](char c) { return std::string_view("\"(),/:;<=>?@[\\]{}").contains(c); }));
    ROTA_CHECK(name != "transfer-encoding");
    ROTA_CHECK(name != "expect" || !head.expects_continue ||
               lower(lines[i]).contains("100-continue"));
    hosts += name == "host" ? 1 : 0;
    if (name != "content-length") continue;
    ++lengths;
    const auto first = lines[i].find_first_not_of(" \t", colon + 1);
    ROTA_CHECK(first != std::string::npos);
    const auto last = lines[i].find_last_not_of(" \t");
    const std::string digits = lines[i].substr(first, last - first + 1);
    ROTA_CHECK(digits.find_first_not_of("0123456789") == std::string::npos);
    ROTA_CHECK(std::stoull(digits) == head.body_bytes);
  }
  const bool is_1_1 = lines.front().ends_with("HTTP/1.1");
  ROTA_CHECK(hosts == 1 || (hosts == 0 && !is_1_1));
  ROTA_CHECK(lengths <= 1 && (lengths == 1 || head.body_bytes == 0));
  ROTA_CHECK(is_1_1 || head.close);
}

void check_query(std::string_view text) {
  const auto query = parse_token_query(text);
  if (!query) {
    ROTA_CHECK(query.error().kind == ErrorKind::kInvalid);
    return;
  }
  ROTA_CHECK(query->wait >= Duration{0} && query->wait <= kWaitMax);
  ROTA_CHECK(!query->min_ttl || (*query->min_ttl >= Duration{0} && *query->min_ttl <= kMinTtlMax));
  const NamedMember& member = query->member;
  const auto key = MemberKey::parse(member.key.text());
  ROTA_CHECK(key && key->same_spelling(member.key));
  ROTA_CHECK(same_key_text(key->text(), member.key.text()));
  ROTA_CHECK(!member.as_form || (key->value.contains('+') && *member.as_form != *key));
}

// Nothing is accepted before its last byte is there, and an error that is known stays.
void check_pieces(std::string_view bytes, std::size_t whole_bytes, bool accepted) {
  bool refused = false;
  for (std::size_t cut = 0; cut <= kCuts; ++cut) {
    const auto part = parse_head(bytes.substr(
        0, cut == kCuts && accepted ? whole_bytes - 1 : whole_bytes * cut / (kCuts + 1)));
    ROTA_CHECK(!std::holds_alternative<RequestHead>(part));
    const bool error = std::holds_alternative<HeadError>(part);
    ROTA_CHECK(!error || !accepted);
    ROTA_CHECK(error || !refused);
    refused = refused || error;
  }
}

}  // namespace

void check_head(std::string_view bytes) {
  const auto result = parse_head(bytes);
  if (const auto* error = std::get_if<HeadError>(&result)) {
    ROTA_CHECK(!error->why.empty());
    ROTA_CHECK(error->code == ErrorCode::kBadRequest ||
               error->code == ErrorCode::kRequestTooLarge ||
               error->code == ErrorCode::kExpectationFailed);
    return check_pieces(bytes, bytes.size(), false);
  }
  const auto* head = std::get_if<RequestHead>(&result);
  if (head == nullptr) {
    ROTA_CHECK(bytes.size() < kRequestHeadBytesMax);
    return check_pieces(bytes, bytes.size(), false);
  }
  ROTA_CHECK(head->head_bytes <= bytes.size() && head->head_bytes <= kRequestHeadBytesMax);
  ROTA_CHECK(head->body_bytes <= kRequestBodyBytesMax);
  const std::string_view whole = bytes.substr(0, head->head_bytes);
  const auto lines = lines_of(whole);
  check_request_line(lines.front(), *head);
  check_fields(lines, *head);
  check_pieces(bytes, head->head_bytes, true);
  const auto alone = parse_head(whole);
  const auto* same = std::get_if<RequestHead>(&alone);
  ROTA_CHECK(same != nullptr && same->head_bytes == head->head_bytes &&
             same->body_bytes == head->body_bytes && same->close == head->close &&
             same->path == head->path && same->query == head->query &&
             same->head_only == head->head_only &&
             same->expects_continue == head->expects_continue);
  check_query(head->query);
}

}  // namespace rota::fuzz

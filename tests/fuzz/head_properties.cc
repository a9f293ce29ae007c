#include "fuzz/head_properties.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "engine/requests.h"
#include "http/limits.h"
#include "http/query.h"
#include "http/request_body.h"

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
  std::size_t codings = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const auto colon = lines[i].find(':');
    ROTA_CHECK(colon != std::string::npos && colon > 0);
    const std::string name = lower(lines[i].substr(0, colon));
    ROTA_CHECK(std::ranges::all_of(name, [](char c) { return c > 0x20 && c <= 0x7e; }));
    ROTA_CHECK(!std::ranges::any_of(
        name, [](char c) { return std::string_view("\"(),/:;<=>?@[\\]{}").contains(c); }));
    codings += name == "transfer-encoding" ? 1 : 0;
    ROTA_CHECK(name != "transfer-encoding" || lower(lines[i]).contains("chunked"));
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
  ROTA_CHECK(codings + lengths <= 1 && (codings == 1) == head.chunked);
  ROTA_CHECK(is_1_1 || (head.close && !head.chunked));
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

// The data of a whole chunked body that starts `rest`, read in the plainest way.
std::string chunks_of(std::string_view rest, std::size_t& bytes) {
  std::string data;
  std::size_t at = 0;
  for (;;) {
    const std::size_t size = std::stoull(std::string(rest.substr(at)), nullptr, 16);
    at = rest.find("\r\n", at) + 2;
    if (size == 0) break;
    data += rest.substr(at, size);
    at += size + 2;
    ROTA_CHECK(rest.substr(at - 2, 2) == "\r\n");
  }
  for (std::size_t end = rest.find("\r\n", at); end != at; end = rest.find("\r\n", at)) {
    ROTA_CHECK(end != std::string_view::npos);
    at = end + 2;
  }
  bytes = at + 2;
  return data;
}

}  // namespace

void check_body(const RequestHead& head, std::string_view rest) {
  const auto result = find_body(head, rest);
  const auto* found = std::get_if<FoundBody>(&result);
  if (const auto* error = std::get_if<HeadError>(&result)) {
    ROTA_CHECK(head.chunked && !error->why.empty() && error->head_only == head.head_only);
    ROTA_CHECK(error->code == ErrorCode::kBadRequest || error->code == ErrorCode::kRequestTooLarge);
  } else if (found == nullptr) {
    ROTA_CHECK(rest.size() < kRequestBodyBytesMax + (head.chunked ? kChunkFramingBytesMax : 0));
  } else {
    ROTA_CHECK(found->bytes <= kRequestBodyBytesMax && found->sent_bytes <= rest.size());
    ROTA_CHECK(found->sent_bytes <= found->bytes + (head.chunked ? kChunkFramingBytesMax : 0));
    if (head.chunked) {
      std::size_t sent_bytes = 0;
      const std::string data = chunks_of(rest, sent_bytes);
      ROTA_CHECK(sent_bytes == found->sent_bytes && data.size() == found->bytes);
      ROTA_CHECK(join_chunks(rest.substr(0, sent_bytes), data.size()).reveal() == data);
    }
  }
  bool refused = false;
  const std::size_t whole = found == nullptr ? rest.size() : found->sent_bytes;
  for (std::size_t cut = 0; cut <= kCuts && whole > 0; ++cut) {
    const auto part = find_body(head, rest.substr(0, (whole - 1) * cut / kCuts));
    ROTA_CHECK(!std::holds_alternative<FoundBody>(part));
    const bool error = std::holds_alternative<HeadError>(part);
    ROTA_CHECK((!error || found == nullptr) && (error || !refused));
    refused = refused || error;
  }
}

void check_head(std::string_view bytes) {
  const auto result = parse_head(bytes);
  if (const auto* error = std::get_if<HeadError>(&result)) {
    ROTA_CHECK(!error->why.empty());
    ROTA_CHECK(
        error->code == ErrorCode::kBadRequest || error->code == ErrorCode::kRequestTooLarge ||
        error->code == ErrorCode::kExpectationFailed || error->code == ErrorCode::kNotImplemented);
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
             same->body_bytes == head->body_bytes && same->chunked == head->chunked &&
             same->close == head->close && same->path == head->path && same->query == head->query &&
             same->head_only == head->head_only &&
             same->expects_continue == head->expects_continue);
  check_query(head->query);
}

}  // namespace rota::fuzz

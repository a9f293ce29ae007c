#include "circle/reply_collector.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace rota {
namespace {

bool same_name(std::string_view a, std::string_view lower) {
  return std::ranges::equal(a, lower, [](char x, char y) {
    return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
  });
}

// Appends. If the string needs new memory, the old memory is wiped.
void append_wiped(std::string& text, std::span<const char> piece) {
  const std::size_t needed = text.size() + piece.size();
  if (needed > text.capacity()) {
    std::string larger;
    larger.reserve(std::max(needed, 2 * text.capacity()));
    larger.append(text);
    std::swap(text, larger);
    wipe(larger);
  }
  text.append(piece.data(), piece.size());
}

}  // namespace

ReplyCollector::~ReplyCollector() { wipe(body_); }

bool ReplyCollector::add_header_line(std::string_view line) {
  head_bytes_ += line.size();
  ++header_lines_;
  if (head_bytes_ > kReplyHeadBytesMax || header_lines_ > kReplyHeaderLinesMax) {
    broken_limit_ = "the reply's head is too large";
    return false;
  }
  if (body_began_) return true;
  head_is_whole_ = trim(line).empty();
  if (line.starts_with("HTTP/")) {
    head_ = HttpReply{};
  } else {
    read_field(line);
  }
  return true;
}

void ReplyCollector::read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string_view name = line.substr(0, colon);
  const std::string_view value = trim(line.substr(colon + 1));
  if (same_name(name, "content-type")) head_.content_type = value;
  if (same_name(name, "retry-after")) head_.retry_after = value;
  if (same_name(name, "date")) head_.date = value;
}

bool ReplyCollector::add_body(std::span<const char> piece) {
  body_began_ = true;
  if (piece.size() > kReplyBodyBytesMax - body_.size()) {
    broken_limit_ = "the reply's body is too large";
    return false;
  }
  append_wiped(body_, piece);
  return true;
}

HttpReply ReplyCollector::take(int status) {
  HttpReply reply = std::exchange(head_, HttpReply{});
  reply.status = status;
  reply.body = Secret::take(std::exchange(body_, std::string()));
  return reply;
}

}  // namespace rota

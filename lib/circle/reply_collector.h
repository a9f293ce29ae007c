#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "circle/http.h"

namespace rota {

inline constexpr std::size_t kReplyBodyBytesMax = 1024 * 1024;  // after decompression
inline constexpr std::size_t kReplyHeadBytesMax = 64 * 1024;
inline constexpr std::size_t kReplyHeaderLinesMax = 256;

// Gathers one reply as it comes in, line by line and piece by piece, within its limits. The body is
// wiped wherever it has been. Pure; owned by one call.
class ReplyCollector {
 public:
  ReplyCollector() = default;
  ReplyCollector(const ReplyCollector&) = delete;
  ReplyCollector& operator=(const ReplyCollector&) = delete;
  ~ReplyCollector();

  // Takes a header line with or without its line end. A status line begins the head anew, so that
  // what an interim reply (1xx) said is forgotten; trailers after the body are not listened to.
  // False when a limit is passed: the reply is to be given up.
  [[nodiscard]] bool add_header_line(std::string_view line);
  // Takes a piece of the decoded body. False as above.
  [[nodiscard]] bool add_body(std::span<const char> piece);

  // Whether the blank line that ends the head of a final or interim reply came last.
  bool head_is_whole() const { return head_is_whole_; }
  // Which limit was passed; empty when none was.
  std::string_view broken_limit() const { return broken_limit_; }
  // Hands over what was gathered; the collector is empty afterwards.
  HttpReply take(int status);

 private:
  void read_field(std::string_view line);

  HttpReply head_;  // its body stays empty until take()
  std::string body_;
  std::size_t head_bytes_ = 0;
  std::size_t header_lines_ = 0;
  bool head_is_whole_ = false;
  bool body_began_ = false;
  std::string_view broken_limit_;
};

}  // namespace rota

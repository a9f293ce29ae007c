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

// Gathers one reply as it comes in, line by line and piece by piece, within the limits above. It
// wipes all memory that the body was in. One call owns it and uses it for one reply.
class ReplyCollector {
 public:
  ReplyCollector() = default;
  ReplyCollector(const ReplyCollector&) = delete;
  ReplyCollector& operator=(const ReplyCollector&) = delete;
  ~ReplyCollector();

  // Takes a header line, with or without its line end. A status line begins a new head, so the
  // headers of an interim reply (1xx) do not count. Neither do trailers after the body. False if a
  // limit is passed: then the caller gives the reply up.
  [[nodiscard]] bool add_header_line(std::string_view line);
  // Takes a piece of the decoded body. False as above.
  [[nodiscard]] bool add_body(std::span<const char> piece);

  // Whether the head's last line was the blank one that ends it. An interim reply's head counts
  // too.
  bool head_is_whole() const { return head_is_whole_; }
  // Which limit was passed, as one line for people; empty if none was.
  std::string_view broken_limit() const { return broken_limit_; }
  // Hands over what was gathered. Call it once, at the end.
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

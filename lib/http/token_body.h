#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "http/buffer.h"
#include "table/table.h"

namespace rota {

// The JSON of a row's token, written anew for each reply: kept ready made, it would hold each token
// a second time. Its fields in the documented order:
//
//   {"access_token":"…","access_token_expires_at":"2024-03-20T16:54:47.274Z",
//    "community_member_id":42,"community_id":1}
//
// Allocates nothing.
class TokenBody {
 public:
  // The row must outlive this. Aborts unless it has a token.
  explicit TokenBody(const Published& row);

  // Of all of it, including the braces.
  std::size_t size() const;
  // All of it but the opening brace, for a caller that has fields of its own in front.
  void append_fields(Buffer& out) const;

 private:
  static constexpr std::size_t kTailBytesMax = 160;

  std::string_view token_;
  std::array<char, kTailBytesMax> tail_;  // what follows the token; its first tail_bytes_
  std::size_t tail_bytes_ = 0;
};

}  // namespace rota

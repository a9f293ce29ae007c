#include "http/circle_reply.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <numeric>
#include <span>
#include <string_view>

#include "base/check.h"

namespace rota {
namespace {

using Pieces = std::span<const std::string_view>;

// A number in decimal, in place.
class Digits {
 public:
  explicit Digits(std::int64_t value)
      : end_(std::to_chars(text_.data(), text_.data() + text_.size(), value).ptr) {}
  Digits(const Digits&) = delete;
  Digits& operator=(const Digits&) = delete;
  std::string_view text() const { return {text_.data(), end_}; }

 private:
  std::array<char, 20> text_;
  char* end_;
};

std::string_view token_of(const Published& row) {
  ROTA_CHECK(row.access_token != nullptr);
  return (row.escaped_token ? *row.escaped_token : *row.access_token).reveal();
}

void append_reply(Buffer& out, const Published& row, WallTime circle_now, Pieces body,
                  ReplyForm form) {
  append_token_head(out, row, circle_now);
  const std::size_t bytes =
      std::accumulate(body.begin(), body.end(), std::size_t{0},
                      [](std::size_t sum, std::string_view piece) { return sum + piece.size(); });
  append_length(out, bytes, form);
  if (form.head_only) return;
  for (const std::string_view piece : body) out.append(piece);
}

}  // namespace

void append_pair(Buffer& out, const Published& row, WallTime circle_now,
                 const Secret& refresh_token, WallTime refresh_expires_at, ReplyForm form) {
  const auto expires = iso8601(row.expires_at);
  const auto refresh_expires = iso8601(refresh_expires_at);
  const Digits member(row.community_member_id);
  const Digits community(row.community_id);
  const std::array<std::string_view, 13> body{
      R"({"access_token":")",
      token_of(row),
      R"(","refresh_token":")",
      refresh_token.reveal(),
      R"(","access_token_expires_at":")",
      {expires.data(), expires.size()},
      R"(","refresh_token_expires_at":")",
      {refresh_expires.data(), refresh_expires.size()},
      R"(","community_member_id":)",
      member.text(),
      R"(,"community_id":)",
      community.text(),
      "}",
  };
  append_reply(out, row, circle_now, body, form);
}

void append_refreshed(Buffer& out, const Published& row, WallTime circle_now, ReplyForm form) {
  const auto expires = iso8601(row.expires_at);
  const std::array<std::string_view, 5> body{
      R"({"access_token":")",           token_of(row), R"(","access_token_expires_at":")",
      {expires.data(), expires.size()}, R"("})",
  };
  append_reply(out, row, circle_now, body, form);
}

}  // namespace rota

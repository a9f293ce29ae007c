#include "http/token_body.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/time.h"

namespace rota {
namespace {

constexpr std::string_view kBrace = "{";
constexpr std::string_view kToken = R"("access_token":")";
constexpr std::string_view kExpires = R"(","access_token_expires_at":")";
constexpr std::string_view kMember = R"(","community_member_id":)";
constexpr std::string_view kCommunity = R"(,"community_id":)";
constexpr std::string_view kEnd = "}";

}  // namespace

TokenBody::TokenBody(const Published& row) {
  ROTA_CHECK(row.access_token != nullptr);
  token_ = (row.escaped_token ? *row.escaped_token : *row.access_token).reveal();
  char* out = tail_.data();
  char* const end = out + tail_.size();
  const auto text = [&out](std::string_view part) { out = std::ranges::copy(part, out).out; };
  const auto number = [&](std::int64_t value) { out = std::to_chars(out, end, value).ptr; };
  text(kExpires);
  const auto expires = iso8601(row.expires_at);
  text({expires.data(), expires.size()});
  text(kMember);
  number(row.community_member_id);
  text(kCommunity);
  number(row.community_id);
  text(kEnd);
  tail_bytes_ = static_cast<std::size_t>(out - tail_.data());
  // 20 is the longest number.
  static_assert(kExpires.size() + kIso8601Bytes + kMember.size() + 20 + kCommunity.size() + 20 +
                    kEnd.size() <=
                kTailBytesMax);
}

std::size_t TokenBody::size() const {
  return kBrace.size() + kToken.size() + token_.size() + tail_bytes_;
}

void TokenBody::append_fields(Buffer& out) const {
  out.append(kToken);
  out.append(token_);
  out.append({tail_.data(), tail_bytes_});
}

}  // namespace rota

#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace rota {

// The three ways to name a member towards Circle.
enum class SelectorKind {
  kCommunityMemberId,  // "id:42"
  kEmail,              // "email:grace@example.com"
  kSsoUserId,          // "sso:google-oauth2|1062…"
};

// One name of a member, as roster, grants, admin calls and fetches write it. Compared byte by byte:
// whether Circle folds the case of an address is its own affair.
struct MemberKey {
  SelectorKind kind = SelectorKind::kCommunityMemberId;
  std::string value;  // the id in decimal without leading zeros, the address, or the SSO id

  // Reads the prefixed form. kInvalid says which rule the text breaks.
  static Result<MemberKey> parse(std::string_view text);
  // Each checks its rule: an id from 1 to 2^53, an address with one @ inside, an SSO id that is not
  // empty; none has control characters or more than key_bytes_max bytes.
  static Result<MemberKey> from_id(std::int64_t id);
  static Result<MemberKey> from_id_text(std::string_view decimal);
  static Result<MemberKey> from_email(std::string_view address);
  static Result<MemberKey> from_sso(std::string_view sso_user_id);

  std::string text() const;
  // The id as a number; only for kCommunityMemberId.
  std::int64_t id() const;

  // Sorted as a person would: 2 before 10.
  std::strong_ordering operator<=>(const MemberKey& other) const;
  bool operator==(const MemberKey&) const = default;
};

// "id:", "email:" or "sso:".
std::string_view prefix_of(SelectorKind kind);

inline constexpr std::size_t kMemberKeyBytesMax = 512;
// Integers past this cannot be read by every JSON reader (RFC 8259, 6).
inline constexpr std::int64_t kCommunityMemberIdMax = std::int64_t{1} << 53;

}  // namespace rota

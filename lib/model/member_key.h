#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
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

// One name of a member, as roster, grants, admin calls and fetches write it. The spelling is kept:
// the roster's is what Circle is sent and what is shown.
//
// Two keys are equal if they name one member. Of addresses that is without regard to the case of
// ASCII letters, in the whole address: no provider in use tells mailboxes apart by it, and people
// write it as they like. Everything else is compared as it is. To fold other scripts takes tables
// and a language (a Turkish dotless i), and a wrong match would give one member's token for
// another's name, where a missed one is a 404.
struct MemberKey {
  SelectorKind kind = SelectorKind::kCommunityMemberId;
  std::string value;  // the id in decimal without leading zeros, the address, or the SSO id

  // Reads the prefixed form. kInvalid says which rule the text breaks.
  static Result<MemberKey> parse(std::string_view text);
  // Each checks its rule: an id from 1 to 2^53, an address with one @ inside, an SSO id that is not
  // empty; all are UTF-8 without control characters, of no more than key_bytes_max bytes.
  static Result<MemberKey> from_id(std::int64_t id);
  static Result<MemberKey> from_id_text(std::string_view decimal);
  static Result<MemberKey> from_email(std::string_view address);
  static Result<MemberKey> from_sso(std::string_view sso_user_id);

  std::string text() const;
  // The same text for equal keys, and for no others.
  std::string canonical_text() const;
  bool same_spelling(const MemberKey& other) const {
    return kind == other.kind && value == other.value;
  }
  // The id as a number; only for kCommunityMemberId.
  std::int64_t id() const;

  // Sorted as a person would: 2 before 10.
  friend std::weak_ordering operator<=>(const MemberKey& a, const MemberKey& b);
  friend bool operator==(const MemberKey& a, const MemberKey& b);
};

// The canonical_text() of a key that is there in its prefixed form.
std::string canonical_key_text(std::string_view key);
// Whether that is the same of both.
bool same_key_text(std::string_view a, std::string_view b);

// "id:", "email:" or "sso:".
std::string_view prefix_of(SelectorKind kind);

inline constexpr std::size_t kMemberKeyBytesMax = 512;
// Integers past this cannot be read by every JSON reader (RFC 8259, 6).
inline constexpr std::int64_t kCommunityMemberIdMax = std::int64_t{1} << 53;

}  // namespace rota

// Equal keys have one hash, whatever their spelling.
template <>
struct std::hash<rota::MemberKey> {
  std::size_t operator()(const rota::MemberKey& key) const;
};

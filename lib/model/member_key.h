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

// One name of a member, as roster, grants, admin calls and fetches write it. Make keys by parse()
// or from_…(): fields that are set by hand are not checked. A key keeps its spelling, and Rota
// sends Circle and shows people the spelling of the roster.
//
// Two keys are equal if they name the same member. Addresses are equal if they differ only in the
// case of ASCII letters, before the @ too: no provider in use tells mailboxes apart by case, and
// people write it as they like. Everything else is compared byte by byte. To fold the case of other
// scripts takes tables and a language (a Turkish dotless i). A wrong match would give out another
// member's token, while a missed match is only a 404.
struct MemberKey {
  SelectorKind kind = SelectorKind::kCommunityMemberId;
  std::string value;  // the id in decimal without leading zeros, the address, or the SSO id

  // Reads the prefixed form. kInvalid says which rule the text breaks.
  static Result<MemberKey> parse(std::string_view text);
  // Each fails with kInvalid if the value breaks its rule: an id from 1 to 2^53, in decimal without
  // leading zeros; an address NAME@DOMAIN without spaces; an SSO id that is not empty. Addresses
  // and SSO ids are UTF-8 without control characters, of at most kMemberKeyBytesMax bytes.
  static Result<MemberKey> from_id(std::int64_t id);
  static Result<MemberKey> from_id_text(std::string_view decimal);
  static Result<MemberKey> from_email(std::string_view address);
  static Result<MemberKey> from_sso(std::string_view sso_user_id);

  // The prefixed form, in this key's spelling.
  std::string text() const;
  bool same_spelling(const MemberKey& other) const {
    return kind == other.kind && value == other.value;
  }
  // The id as a number. Only for kCommunityMemberId: aborts for other kinds.
  std::int64_t id() const;

  // By kind, then as a person sorts: 2 before 10.
  friend std::weak_ordering operator<=>(const MemberKey& a, const MemberKey& b);
  friend bool operator==(const MemberKey& a, const MemberKey& b);
};

// Whether two keys in their prefixed form are equal keys. Does not check them.
bool same_key_text(std::string_view a, std::string_view b);

// "id:", "email:" or "sso:".
std::string_view prefix_of(SelectorKind kind);

inline constexpr std::size_t kMemberKeyBytesMax = 512;
// Not every JSON reader can read larger integers (RFC 8259, 6).
inline constexpr std::int64_t kCommunityMemberIdMax = std::int64_t{1} << 53;

}  // namespace rota

// Equal keys have the same hash, whatever their spelling.
template <>
struct std::hash<rota::MemberKey> {
  std::size_t operator()(const rota::MemberKey& key) const;
};

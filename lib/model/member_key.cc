#include "model/member_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace rota {
namespace {

Result<void> check_text(std::string_view value, std::string_view what) {
  if (value.empty()) return fail(ErrorKind::kInvalid, fmt::format("{} is empty", what));
  if (value.size() > kMemberKeyBytesMax) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{} is longer than {} bytes", what, kMemberKeyBytesMax));
  }
  if (!is_utf8(value)) return fail(ErrorKind::kInvalid, fmt::format("{} is not UTF-8", what));
  if (has_control(value)) {
    return fail(ErrorKind::kInvalid, fmt::format("{} has a control character", what));
  }
  return {};
}

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
char lower(char c) { return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string folded(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(), lower);
  return result;
}

bool is_address(std::string_view key) { return key.starts_with(prefix_of(SelectorKind::kEmail)); }

}  // namespace

Result<MemberKey> MemberKey::parse(std::string_view text) {
  for (const auto kind :
       {SelectorKind::kCommunityMemberId, SelectorKind::kEmail, SelectorKind::kSsoUserId}) {
    const std::string_view prefix = prefix_of(kind);
    if (!text.starts_with(prefix)) continue;
    const std::string_view value = text.substr(prefix.size());
    switch (kind) {
      case SelectorKind::kCommunityMemberId:
        return from_id_text(value);
      case SelectorKind::kEmail:
        return from_email(value);
      case SelectorKind::kSsoUserId:
        return from_sso(value);
    }
  }
  return fail(ErrorKind::kInvalid,
              "a member key is id:NUMBER, email:ADDRESS or sso:SSO_USER_ID, such as id:42");
}

Result<MemberKey> MemberKey::from_id(std::int64_t id) {
  if (id < 1 || id > kCommunityMemberIdMax) {
    return fail(ErrorKind::kInvalid,
                fmt::format("community_member_id {} is not between 1 and 2^53", id));
  }
  return MemberKey{SelectorKind::kCommunityMemberId, fmt::to_string(id)};
}

Result<MemberKey> MemberKey::from_id_text(std::string_view decimal) {
  std::int64_t id = 0;
  const char* end = decimal.data() + decimal.size();
  const auto [stop, status] = std::from_chars(decimal.data(), end, id);
  if (status != std::errc{} || stop != end || decimal.starts_with('0')) {
    return fail(ErrorKind::kInvalid, "community_member_id is not a whole number from 1 to 2^53");
  }
  return from_id(id);
}

Result<MemberKey> MemberKey::from_email(std::string_view address) {
  ROTA_TRY(check_text(address, "email"));
  const auto at = address.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size() ||
      address.find('@', at + 1) != std::string_view::npos || address.contains(' ')) {
    return fail(ErrorKind::kInvalid,
                fmt::format("email {} is not NAME@DOMAIN", in_quotes_unless_secret(address)));
  }
  return MemberKey{SelectorKind::kEmail, std::string(address)};
}

Result<MemberKey> MemberKey::from_sso(std::string_view sso_user_id) {
  ROTA_TRY(check_text(sso_user_id, "sso_user_id"));
  return MemberKey{SelectorKind::kSsoUserId, std::string(sso_user_id)};
}

std::string MemberKey::text() const { return fmt::format("{}{}", prefix_of(kind), value); }

std::weak_ordering operator<=>(const MemberKey& a, const MemberKey& b) {
  if (a.kind != b.kind) return a.kind <=> b.kind;
  // Most addresses are in lower case already, and a roster sorts many.
  const bool folds = a.kind == SelectorKind::kEmail && (std::ranges::any_of(a.value, is_upper) ||
                                                        std::ranges::any_of(b.value, is_upper));
  return folds ? natural_order(folded(a.value), folded(b.value)) : natural_order(a.value, b.value);
}

bool operator==(const MemberKey& a, const MemberKey& b) {
  if (a.kind != b.kind || a.value.size() != b.value.size()) return false;
  if (a.kind != SelectorKind::kEmail) return a.value == b.value;
  return std::ranges::equal(a.value, b.value, {}, lower, lower);
}

bool same_key_text(std::string_view a, std::string_view b) {
  return is_address(a) && is_address(b) ? std::ranges::equal(a, b, {}, lower, lower) : a == b;
}

std::int64_t MemberKey::id() const {
  ROTA_CHECK(kind == SelectorKind::kCommunityMemberId);
  std::int64_t id = 0;
  std::from_chars(value.data(), value.data() + value.size(), id);
  return id;
}

std::string_view prefix_of(SelectorKind kind) {
  switch (kind) {
    case SelectorKind::kCommunityMemberId:
      return "id:";
    case SelectorKind::kEmail:
      return "email:";
    case SelectorKind::kSsoUserId:
      return "sso:";
  }
  ROTA_CHECK(false);
}

namespace {

std::size_t hash_of(const MemberKey& key) {
  const auto kind = static_cast<std::size_t>(std::to_underlying(key.kind));
  constexpr std::hash<std::string_view> kHash;
  if (key.kind != SelectorKind::kEmail) return kHash(key.value) + kind;
  // Folded on the stack, without an allocation: every fetch by address comes here.
  std::array<char, kMemberKeyBytesMax> bytes;
  if (key.value.size() > bytes.size()) return kHash(folded(key.value)) + kind;
  std::ranges::transform(key.value, bytes.begin(), lower);
  return kHash({bytes.data(), key.value.size()}) + kind;
}

}  // namespace

}  // namespace rota

std::size_t std::hash<rota::MemberKey>::operator()(const rota::MemberKey& key) const {
  return rota::hash_of(key);
}

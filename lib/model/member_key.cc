#include "model/member_key.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

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
  const bool has_control = std::ranges::any_of(
      value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (has_control) {
    return fail(ErrorKind::kInvalid, fmt::format("{} has a control character", what));
  }
  return {};
}

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
    return fail(ErrorKind::kInvalid, fmt::format("email \"{}\" is not NAME@DOMAIN", address));
  }
  return MemberKey{SelectorKind::kEmail, std::string(address)};
}

Result<MemberKey> MemberKey::from_sso(std::string_view sso_user_id) {
  ROTA_TRY(check_text(sso_user_id, "sso_user_id"));
  return MemberKey{SelectorKind::kSsoUserId, std::string(sso_user_id)};
}

std::strong_ordering MemberKey::operator<=>(const MemberKey& other) const {
  if (const auto order = kind <=> other.kind; order != 0) return order;
  return natural_order(value, other.value);
}

std::string MemberKey::text() const { return fmt::format("{}{}", prefix_of(kind), value); }

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

}  // namespace rota

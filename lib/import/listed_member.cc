#include "import/listed_member.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "roster/roster_limits.h"

namespace rota {
namespace {

constexpr std::string_view kTagPrefix = "circle:";
constexpr std::string_view kEllipsis = "…";

// How many bytes of a control character `text` begins with: 0: none.
std::size_t control_bytes(std::string_view text) {
  const std::size_t bytes = text.starts_with('\xc2') ? 2 : 1;  // C1 is U+0080 to U+009F
  return has_control(text.substr(0, bytes)) && (bytes == 2 || !(text.front() & '\x80')) ? bytes : 0;
}

std::string_view rule_of(SelectorKind kind) {
  switch (kind) {
    case SelectorKind::kCommunityMemberId:
      return "is no whole number from 1 to 2^53";
    case SelectorKind::kEmail:
      return "is no address NAME@DOMAIN";
    case SelectorKind::kSsoUserId:
      return "is too long, or has a character that no SSO id has";
  }
  ROTA_CHECK(false);
}

Result<MemberKey> make_key(SelectorKind kind, std::string_view value) {
  switch (kind) {
    case SelectorKind::kCommunityMemberId:
      return MemberKey::from_id_text(value);
    case SelectorKind::kEmail:
      return MemberKey::from_email(value);
    case SelectorKind::kSsoUserId:
      return MemberKey::from_sso(value);
  }
  ROTA_CHECK(false);
}

}  // namespace

Result<MemberKey> key_from_list(SelectorKind kind, std::string_view value) {
  if (value.empty()) return fail(ErrorKind::kInvalid, "is empty");
  Result<MemberKey> key = make_key(kind, value);
  if (!key) return fail(ErrorKind::kInvalid, std::string(rule_of(kind)));
  return key;
}

std::string name_from_list(std::string_view name) {
  std::string fits;
  while (!name.empty()) {
    const std::size_t control = control_bytes(name);
    if (control > 0 || name.front() == ' ') {
      if (!fits.empty() && fits.back() != ' ') fits += ' ';
    } else {
      fits += name.front();
    }
    name.remove_prefix(std::max<std::size_t>(control, 1));
  }
  if (fits.ends_with(' ')) fits.pop_back();
  if (fits.size() <= kMemberNameBytesMax) return fits;
  return shortened(std::move(fits), kMemberNameBytesMax - kEllipsis.size());
}

Result<std::vector<std::string>> tags_from_list(std::span<const std::string_view> names) {
  std::vector<std::string> tags;
  for (const std::string_view name : names) {
    std::string tag = fmt::format("{}{}", kTagPrefix, name);
    if (name.empty()) return fail(ErrorKind::kInvalid, "has a tag without a name");
    if (has_control(name)) return fail(ErrorKind::kInvalid, "has a tag with a control character");
    if (tag.size() > kTagBytesMax) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("has a tag of more than {} bytes", kTagBytesMax - kTagPrefix.size()));
    }
    tags.push_back(std::move(tag));
  }
  std::ranges::sort(tags);
  tags.erase(std::ranges::unique(tags).begin(), tags.end());
  if (tags.size() > kMemberTagsMax) {
    return fail(ErrorKind::kInvalid, fmt::format("has more than {} tags", kMemberTagsMax));
  }
  return tags;
}

}  // namespace rota

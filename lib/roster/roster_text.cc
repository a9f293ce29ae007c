#include "roster/roster_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

#include "base/check.h"
#include "base/text.h"

namespace rota {
namespace {

constexpr std::size_t kListWidth = 96;  // a longer list of tags has a line for each

// The first character of a UTF-8 text, and its bytes.
std::string_view first_character(std::string_view text) {
  std::size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80U) ++bytes;
  return text.substr(0, bytes);
}

std::uint32_t code_point(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first;
  std::uint32_t code = first & (0x7fU >> character.size());
  for (const char c : character.substr(1)) {
    code = (code << 6U) | (static_cast<unsigned char>(c) & 0x3fU);
  }
  return code;
}

std::string selector_line(const MemberKey& key) {
  switch (key.kind) {
    case SelectorKind::kCommunityMemberId:
      return fmt::format("community_member_id = {}\n", key.value);
    case SelectorKind::kEmail:
      return fmt::format("email = {}\n", toml_string(key.value));
    case SelectorKind::kSsoUserId:
      return fmt::format("sso_user_id = {}\n", toml_string(key.value));
  }
  ROTA_CHECK(false);
}

std::string tags_line(const std::vector<std::string>& tags) {
  std::string in_one;
  std::string in_many;
  for (const std::string& tag : tags) {
    const std::string quoted = toml_string(tag);
    fmt::format_to(std::back_inserter(in_one), "{}{}", in_one.empty() ? "" : ", ", quoted);
    fmt::format_to(std::back_inserter(in_many), "  {},\n", quoted);
  }
  return in_one.size() <= kListWidth ? fmt::format("tags = [{}]\n", in_one)
                                     : fmt::format("tags = [\n{}]\n", in_many);
}

}  // namespace

std::string toml_string(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const std::string_view character = first_character(text);
    const char first = character.front();
    if (first == '"' || first == '\\') {
      quoted += '\\';
      quoted += first;
    } else if (visible(character) != character || (first == '\'' && quoted.ends_with('\''))) {
      // ''' would be taken for the start of a string of several lines, and the roster read slowly.
      fmt::format_to(std::back_inserter(quoted), "\\U{:08x}", code_point(character));
    } else {
      quoted += character;
    }
    text.remove_prefix(character.size());
  }
  return quoted + '"';
}

std::string roster_text(std::span<const RosterEntry> entries) {
  std::string text;
  for (const RosterEntry& entry : entries) {
    text += "\n[[member]]\n";
    text += selector_line(entry.key);
    if (!entry.name.empty()) text += fmt::format("name = {}\n", toml_string(entry.name));
    if (!entry.tags.empty()) text += tags_line(entry.tags);
    if (entry.retired) text += "retired = true\n";
  }
  return text;
}

}  // namespace rota

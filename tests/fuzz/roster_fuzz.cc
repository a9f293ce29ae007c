// A roster is untrusted text (P6): whatever stands in it, the answer is one roster or one error
// that names the place. A form feed, which TOML does not know, parts one file from the next.

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "base/fingerprint.h"
#include "fuzz/target.h"
#include "fuzz/toml_text.h"
#include "roster/roster_limits.h"
#include "settings/roster_file.h"

namespace rota::fuzz {
namespace {

constexpr std::size_t kInputBytesMax = 64 * 1024;
constexpr std::size_t kFilesMax = 8;
// So many that a parser that cuts its text into pieces has to.
constexpr std::size_t kMembersBefore = 65;

std::vector<RosterFile> files_of(std::string_view text) {
  std::vector<RosterFile> files;
  for (;;) {
    const auto end = files.size() + 1 < kFilesMax ? text.find('\f') : std::string_view::npos;
    files.push_back({fmt::format("file{}.toml", files.size()), std::string(text.substr(0, end))});
    if (end == std::string_view::npos) return files;
    text.remove_prefix(end + 1);
  }
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  return text;
}

std::string selector_of(const MemberKey& key) {
  switch (key.kind) {
    case SelectorKind::kCommunityMemberId:
      return "community_member_id = " + key.value;
    case SelectorKind::kEmail:
      return "email = " + toml_string(key.value);
    case SelectorKind::kSsoUserId:
      return "sso_user_id = " + toml_string(key.value);
  }
  ROTA_CHECK(false);
}

std::string written(const Roster& roster) {
  std::string text;
  for (const RosterEntry& entry : roster.entries) {
    text += fmt::format("[[member]]\n{}\nname = {}\nretired = {}\ntags = [\n",
                        selector_of(entry.key), toml_string(entry.name), entry.retired);
    for (const std::string& tag : entry.tags) text += toml_string(tag) + ",\n";
    text += "]\n";
  }
  return text;
}

void check_entry(const RosterEntry& entry) {
  const auto key = MemberKey::parse(entry.key.text());
  ROTA_CHECK(key && *key == entry.key);
  ROTA_CHECK(!entry.key.value.empty() && entry.key.value.size() <= kMemberKeyBytesMax);
  ROTA_CHECK(entry.name.size() <= kMemberNameBytesMax);
  ROTA_CHECK(entry.tags.size() <= kMemberTagsMax && std::ranges::is_sorted(entry.tags));
  ROTA_CHECK(std::ranges::adjacent_find(entry.tags) == entry.tags.end());
  for (const std::string& tag : entry.tags) ROTA_CHECK(!tag.empty() && tag.size() <= kTagBytesMax);
}

void check_roster(const Roster& roster) {
  ROTA_CHECK(!roster.entries.empty());
  std::set<std::string> keys;
  for (const RosterEntry& entry : roster.entries) {
    check_entry(entry);
    std::string key = entry.key.text();
    if (entry.key.kind == SelectorKind::kEmail) key = lower(std::move(key));
    ROTA_CHECK(keys.insert(std::move(key)).second);
  }
}

// The pieces that a long text is cut into read as the whole does, which a text that may hold a
// string of several lines is never cut into.
void check_pieces(const std::string& text) {
  if (text.contains("\"\"\"") || text.contains("'''")) return;
  std::string before;
  for (std::size_t i = 0; i < kMembersBefore; ++i) {
    before += fmt::format("[[member]]\nsso_user_id = \"before {}\"\n", i);
  }
  const std::vector<RosterFile> cut{{"cut.toml", before + text + "\n"}};
  const std::vector<RosterFile> whole{{"cut.toml", before + text + "\n# \"\"\"\n"}};
  const auto a = parse_roster(cut);
  const auto b = parse_roster(whole);
  ROTA_CHECK(a.has_value() == b.has_value());
  if (a) ROTA_CHECK(a->entries == b->entries);
}

void check(std::string_view input) {
  const std::vector<RosterFile> files = files_of(input);
  const auto roster = parse_roster(files);
  const auto again = parse_roster(files);
  ROTA_CHECK(roster.has_value() == again.has_value());
  // Slow: for what is no roster, only now and then.
  if (roster || fingerprint_of(input) % 8 == 0) check_pieces(files.front().text);
  if (!roster) {
    ROTA_CHECK(roster.error().message == again.error().message);
    const auto named = std::ranges::find_if(files, [&](const RosterFile& file) {
      return roster.error().message.starts_with(file.name);
    });
    ROTA_CHECK(named != files.end());
    return check_file_error(roster.error(), named->name);
  }
  ROTA_CHECK(roster->entries == again->entries);
  check_roster(*roster);
  const std::vector<RosterFile> own{{"own.toml", written(*roster)}};
  const auto reread = parse_roster(own);
  ROTA_CHECK(reread && reread->entries == roster->entries);
}

}  // namespace
}  // namespace rota::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size <= rota::fuzz::kInputBytesMax) {
    rota::fuzz::check({reinterpret_cast<const char*>(data), size});
  }
  return 0;
}

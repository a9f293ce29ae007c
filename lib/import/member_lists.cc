#include "import/member_lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "import/circle_csv.h"
#include "import/circle_pages.h"
#include "roster/roster_limits.h"

namespace rota {
namespace {

struct Found {
  ListedMember member;
  std::uint32_t file = 0;  // its index
};

// By key; equal keys stay in the order of the files, so that the second one is reported.
bool is_before(const Found& a, const Found& b) {
  const auto order = a.member.entry.key <=> b.member.entry.key;
  if (order != 0) return order < 0;
  return std::pair(a.file, a.member.place) < std::pair(b.file, b.member.place);
}

bool is_page(std::string_view text) {
  const std::size_t first = text.find_first_not_of("\xef\xbb\xbf \t\r\n");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

std::string where(std::span<const ListFile> files, const Found& found) {
  const ListFile& file = files[found.file];
  return fmt::format("{}{}{}", file.name, is_page(file.text) ? ": record " : ":",
                     found.member.place);
}

Result<void> no_duplicates(std::span<const ListFile> files, const std::vector<Found>& found) {
  const auto key_of = [](const Found& each) -> const MemberKey& { return each.member.entry.key; };
  const auto twice = std::ranges::adjacent_find(found, {}, key_of);
  if (twice == found.end()) return {};
  return fail(ErrorKind::kInvalid,
              fmt::format("{}: this member is listed already, at {}",
                          where(files, *std::next(twice)), where(files, *twice)));
}

}  // namespace

Result<Roster> read_member_lists(std::span<const ListFile> files, const ImportRules& rules) {
  CirclePages pages(rules);
  std::vector<Found> found;
  for (std::uint32_t i = 0; i < files.size(); ++i) {
    const ListFile& file = files[i];
    ROTA_ASSIGN(auto members, is_page(file.text) ? pages.read(file.name, file.text)
                                                 : read_circle_csv(file.name, file.text, rules));
    if (found.size() + members.size() > kRosterEntriesMax) {
      return fail(ErrorKind::kInvalid,
                  fmt::format("{}: there are more than {} members", file.name, kRosterEntriesMax));
    }
    for (ListedMember& member : members) found.push_back({std::move(member), i});
  }
  ROTA_TRY(pages.complete());
  if (found.empty()) {
    return fail(ErrorKind::kInvalid,
                fmt::format("{}: lists no member", files.empty() ? "" : files.front().name));
  }
  std::ranges::sort(found, is_before);
  ROTA_TRY(no_duplicates(files, found));
  Roster roster;
  roster.entries.reserve(found.size());
  for (Found& each : found) roster.entries.push_back(std::move(each.member.entry));
  return roster;
}

}  // namespace rota

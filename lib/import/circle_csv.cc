#include "import/circle_csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "import/csv.h"

namespace rota {
namespace {

enum class Column { kId, kEmail, kSso, kName, kFirstName, kLastName, kActive, kTags };
constexpr std::size_t kColumnCount = 8;

std::string_view word_of(Column column) {
  switch (column) {
    case Column::kId:
      return "Community member ID";
    case Column::kEmail:
      return "Email";
    case Column::kSso:
      return "SSO user ID";
    case Column::kName:
      return "Name";
    case Column::kFirstName:
      return "First name";
    case Column::kLastName:
      return "Last name";
    case Column::kActive:
      return "Active";
    case Column::kTags:
      return "Member tags";
  }
  ROTA_CHECK(false);
}

constexpr std::array<std::pair<std::string_view, Column>, 15> kNames{{
    {"communitymemberid", Column::kId},
    {"memberid", Column::kId},
    {"email", Column::kEmail},
    {"emailaddress", Column::kEmail},
    {"memberemail", Column::kEmail},
    {"ssouserid", Column::kSso},
    {"ssoid", Column::kSso},
    {"ssoprovideruserid", Column::kSso},
    {"name", Column::kName},
    {"fullname", Column::kName},
    {"firstname", Column::kFirstName},
    {"lastname", Column::kLastName},
    {"active", Column::kActive},
    {"membertags", Column::kTags},
    {"tags", Column::kTags},
}};

Column column_of(SelectorKind kind) {
  switch (kind) {
    case SelectorKind::kCommunityMemberId:
      return Column::kId;
    case SelectorKind::kEmail:
      return Column::kEmail;
    case SelectorKind::kSsoUserId:
      return Column::kSso;
  }
  ROTA_CHECK(false);
}

// In lower case, without what does not count.
std::string plain(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == ' ' || c == '_' || c == '-') continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

std::optional<Column> known_column(std::string_view header) {
  const std::string name = plain(header);
  const auto* const found =
      std::ranges::find(kNames, name, &std::pair<std::string_view, Column>::first);
  if (found == kNames.end()) return std::nullopt;
  return found->second;
}

class Export {
 public:
  Export(std::string_view file, std::string_view text, const ImportRules& rules)
      : file_(file), rules_(rules), reader_(text) {}

  Result<std::vector<ListedMember>> read() {
    ROTA_ASSIGN(const bool any, next());
    if (!any) return error(1, "the file is empty");
    ROTA_TRY(read_header());
    width_ = record_.fields.size();
    std::vector<ListedMember> members;
    std::uint32_t empty_line = 0;
    for (;;) {
      ROTA_ASSIGN(const bool more, next());
      if (!more) return members;
      if (record_.fields.size() == 1 && record_.fields.front().empty()) {
        if (empty_line == 0) empty_line = record_.line;
        continue;
      }
      if (empty_line > 0) return error(empty_line, "an empty line among the members");
      ROTA_ASSIGN(RosterEntry entry, read_member());
      members.push_back({std::move(entry), record_.line});
    }
  }

 private:
  std::unexpected<Error> error(std::uint32_t line, std::string_view what) const {
    return fail(ErrorKind::kInvalid, fmt::format("{}:{}: {}", file_, line, what));
  }
  // What is wrong with a value of this record.
  std::unexpected<Error> error(Column column, std::string_view what) const {
    return error(record_.line,
                 fmt::format("column {} ({}): {}", *place(column) + 1, word_of(column), what));
  }

  Result<bool> next() {
    Result<bool> read = reader_.next(record_);
    if (!read) return fail(read.error().kind, fmt::format("{}:{}", file_, read.error().message));
    return read;
  }

  const std::optional<std::size_t>& place(Column column) const {
    return places_[static_cast<std::size_t>(column)];
  }

  Result<void> read_header() {
    for (std::size_t i = 0; i < record_.fields.size(); ++i) {
      const auto column = known_column(record_.fields[i]);
      if (!column) continue;
      auto& at = places_[static_cast<std::size_t>(*column)];
      if (at) {
        return error(record_.line, fmt::format("columns {} and {} are both {}", *at + 1, i + 1,
                                               word_of(*column)));
      }
      at = i;
    }
    ROTA_TRY(need(column_of(rules_.by)));
    if (rules_.tags) ROTA_TRY(need(Column::kTags));
    return {};
  }

  Result<void> need(Column column) const {
    if (place(column)) return {};
    std::string what = fmt::format("there is no column {}", word_of(column));
    const bool is_id = column == Column::kId;
    if (is_id && place(Column::kEmail)) what += "; --by email names the members by address";
    const std::string& first = record_.fields.front();
    if (record_.fields.size() == 1 && first.find_first_of(";\t") != std::string::npos) {
      what += "; columns must be separated by commas";
    }
    return error(record_.line, what);
  }

  std::string_view value(Column column) const {
    return place(column) ? std::string_view(record_.fields[*place(column)]) : std::string_view();
  }

  Result<RosterEntry> read_member() const {
    if (record_.fields.size() != width_) {
      return error(record_.line,
                   fmt::format("has {}, the first row has {}",
                               counted(record_.fields.size(), "column", "columns"), width_));
    }
    RosterEntry entry;
    const Column named_by = column_of(rules_.by);
    Result<MemberKey> key = key_from_list(rules_.by, value(named_by));
    if (!key) return error(named_by, key.error().message);
    entry.key = *std::move(key);
    entry.name =
        name_from_list(place(Column::kName) ? std::string(value(Column::kName))
                                            : fmt::format("{} {}", value(Column::kFirstName),
                                                          value(Column::kLastName)));
    if (place(Column::kActive)) {
      const std::string active = plain(value(Column::kActive));
      if (active != "true" && active != "false") {
        return error(Column::kActive, "is neither true nor false");
      }
      entry.retired = active == "false";
    }
    if (!rules_.tags) return entry;
    auto tags = read_tags();
    if (!tags) return error(Column::kTags, tags.error().message);
    entry.tags = *std::move(tags);
    return entry;
  }

  Result<std::vector<std::string>> read_tags() const {
    std::vector<std::string_view> names;
    std::string_view rest = trim(value(Column::kTags));
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      names.push_back(trim(rest.substr(0, comma)));
      if (comma + 1 == rest.size()) names.emplace_back();  // "a," has a second name, which is empty
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
    return tags_from_list(names);
  }

  const std::string_view file_;
  const ImportRules& rules_;
  CsvReader reader_;
  CsvRecord record_;
  std::array<std::optional<std::size_t>, kColumnCount> places_;
  std::size_t width_ = 0;
};

}  // namespace

Result<std::vector<ListedMember>> read_circle_csv(std::string_view file, std::string_view text,
                                                  const ImportRules& rules) {
  return Export(file, text, rules).read();
}

}  // namespace rota

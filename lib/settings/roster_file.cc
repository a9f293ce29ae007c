#include "settings/roster_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "roster/roster_limits.h"
#include "settings/toml.h"

namespace rota {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kHeader = "[[member]]";
// A roster of 100,000 members that is parsed in pieces of this many takes a third of the time and a
// fiftieth of the memory of one document.
constexpr std::size_t kMembersPerPiece = 64;

struct Draft {
  RosterEntry entry;
  std::string_view selector;  // the key that names the member; empty: none so far
  std::uint32_t line = 0;     // of the selector
};

Result<void> check_words(const TomlValue& value, std::string_view words, std::size_t bytes_max) {
  if (words.size() > bytes_max) {
    return value.error(fmt::format("is longer than {} bytes", bytes_max));
  }
  if (has_control(words)) return value.error("has a control character");
  return {};
}

Result<void> set_key(const TomlValue& value, Result<MemberKey> key, Draft& draft) {
  if (!key) return value.error_in_words(key.error().message);
  if (!draft.selector.empty()) {
    return value.error(
        fmt::format("a second selector besides {}; a member has exactly one", draft.selector));
  }
  draft.entry.key = *std::move(key);
  draft.selector = value.key();
  draft.line = value.line();
  return {};
}

Result<void> read_id(const TomlValue& value, Draft& draft) {
  ROTA_ASSIGN(const std::int64_t id, value.whole());
  return set_key(value, MemberKey::from_id(id), draft);
}

Result<void> read_email(const TomlValue& value, Draft& draft) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  return set_key(value, MemberKey::from_email(text), draft);
}

Result<void> read_sso(const TomlValue& value, Draft& draft) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  return set_key(value, MemberKey::from_sso(text), draft);
}

Result<void> read_name(const TomlValue& value, Draft& draft) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  ROTA_TRY(check_words(value, text, kMemberNameBytesMax));
  draft.entry.name = text;
  return {};
}

Result<void> read_tags(const TomlValue& value, Draft& draft) {
  ROTA_ASSIGN(const std::vector<TomlValue> items, value.list());
  if (items.size() > kMemberTagsMax) {
    return value.error(fmt::format("has more than {} tags", kMemberTagsMax));
  }
  auto& tags = draft.entry.tags;
  for (const TomlValue& item : items) {
    ROTA_ASSIGN(const std::string_view tag, item.text());
    if (tag.empty()) return item.error("has an empty tag");
    ROTA_TRY(check_words(item, tag, kTagBytesMax));
    tags.emplace_back(tag);
  }
  std::ranges::sort(tags);
  tags.erase(std::ranges::unique(tags).begin(), tags.end());
  return {};
}

Result<void> read_retired(const TomlValue& value, Draft& draft) {
  ROTA_ASSIGN(draft.entry.retired, value.flag());
  return {};
}

constexpr std::array<TomlRule<Draft>, 6> kMemberRules{{
    {"community_member_id", read_id},
    {"email", read_email},
    {"sso_user_id", read_sso},
    {"name", read_name},
    {"tags", read_tags},
    {"retired", read_retired},
}};

struct Piece {
  std::string_view text;
  std::uint32_t first_line = 1;
};

// Cuts a text at [[member]] lines, so that parsing the pieces gives the same as parsing the whole.
// Lines above the first header stay in one piece with it, because they may contradict it.
std::vector<Piece> cut(std::string_view text) {
  std::vector<Piece> whole{{text, 1}};
  // In a multi-line string a line that looks like a header is none.
  if (text.contains("\"\"\"") || text.contains("'''")) return whole;
  std::vector<Piece> pieces;
  std::size_t piece_start = 0;
  std::uint32_t piece_line = 1;
  std::uint32_t line = 1;
  std::size_t members = 0;  // of this piece
  for (std::size_t at = 0; at < text.size(); ++line) {
    if (text.substr(at).starts_with(kHeader)) {
      if (members == kMembersPerPiece) {
        pieces.push_back({text.substr(piece_start, at - piece_start), piece_line});
        piece_start = at;
        piece_line = line;
        members = 0;
      }
      ++members;
    }
    at = std::min(text.find('\n', at), text.size() - 1) + 1;
  }
  pieces.push_back({text.substr(piece_start), piece_line});
  return pieces;
}

class Reader {
 public:
  Result<void> read_file(const RosterFile& file);
  Result<void> read_members(const TomlValue& value);
  Roster take() && { return std::move(roster_); }
  // kConfig: members are listed twice. One message names them all, up to kDuplicatesNamedMax.
  Result<void> no_duplicates() const;

 private:
  struct Place {
    const RosterFile* file = nullptr;
    std::uint32_t line = 0;
  };
  Result<void> read_member(const TomlTable& table);

  Roster roster_;
  std::unordered_map<MemberKey, Place> seen_;
  const RosterFile* file_ = nullptr;
  std::size_t members_ = 0;  // of this file
  std::size_t duplicates_ = 0;
  std::string duplicate_text_;
  static constexpr std::size_t kDuplicatesNamedMax = 50;
};

Result<void> Reader::no_duplicates() const {
  if (duplicates_ == 0) return {};
  std::string text = duplicate_text_;
  if (duplicates_ > kDuplicatesNamedMax) {
    text += fmt::format("; and {} more", duplicates_ - kDuplicatesNamedMax);
  }
  return fail(ErrorKind::kConfig, std::move(text));
}

constexpr std::array<TomlRule<Reader>, 1> kRootRules{{
    {"member", [](const TomlValue& value, Reader& reader) { return reader.read_members(value); }},
}};

Result<void> Reader::read_file(const RosterFile& file) {
  file_ = &file;
  members_ = 0;
  std::string_view text = file.text;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  for (const Piece& piece : cut(text)) {
    ROTA_ASSIGN(const TomlDocument document,
                TomlDocument::parse({file.name, piece.first_line}, piece.text));
    ROTA_TRY(read_table<Reader>(document.root(), kRootRules, *this));
  }
  // An empty file among several was more likely cut off than meant to be empty.
  if (members_ == 0) {
    return fail(ErrorKind::kConfig, fmt::format("{}:1: has no [[member]]", file.name));
  }
  return {};
}

Result<void> Reader::read_members(const TomlValue& value) {
  ROTA_ASSIGN(std::vector<TomlTable> tables, value.tables());
  for (TomlTable& table : tables) {
    table.rename(fmt::format("member {}", ++members_));
    ROTA_TRY(read_member(table));
  }
  return {};
}

Result<void> Reader::read_member(const TomlTable& table) {
  Draft draft;
  ROTA_TRY(read_table<Draft>(table, kMemberRules, draft));
  if (draft.selector.empty()) {
    return table.error(
        "has no selector: it needs one of community_member_id, email or sso_user_id");
  }
  const auto [other, is_new] = seen_.try_emplace(draft.entry.key, file_, draft.line);
  if (!is_new) {
    const Error twice = table
                            .error(fmt::format("{}: {} is already listed at {}:{}", draft.selector,
                                               draft.entry.key.text(), other->second.file->name,
                                               other->second.line))
                            .error();
    if (++duplicates_ <= kDuplicatesNamedMax) {
      duplicate_text_ += (duplicates_ > 1 ? "; " : "") + twice.message;
    }
    return {};  // goes on, to find the other duplicates too
  }
  if (roster_.entries.size() == kRosterEntriesMax) {
    return table.error(fmt::format("the roster has more than {} members", kRosterEntriesMax));
  }
  roster_.entries.push_back(std::move(draft.entry));
  return {};
}

}  // namespace

std::string size_of(const Roster& roster) {
  const auto retired =
      static_cast<std::size_t>(std::ranges::count(roster.entries, true, &RosterEntry::retired));
  std::string text = counted(roster.entries.size(), "entry", "entries");
  if (retired > 0) text += fmt::format(", {} of them retired", retired);
  return text;
}

Result<Roster> parse_roster(std::span<const RosterFile> files) {
  if (files.empty()) return fail(ErrorKind::kConfig, "the roster has no file");
  Reader reader;
  for (const RosterFile& file : files) ROTA_TRY(reader.read_file(file));
  ROTA_TRY(reader.no_duplicates());
  Roster roster = std::move(reader).take();
  roster.fingerprint = fingerprint_of(files);
  return roster;
}

Fingerprint fingerprint_of(std::span<const RosterFile> files) {
  std::string all =
      "how they are read: 1\n";  // to be raised when the same text comes to mean something else
  for (const RosterFile& file : files) {
    all += fmt::format("{:016x} {} {}\n", fingerprint_of(file.text), file.name.size(), file.name);
  }
  return fingerprint_of(all);
}

}  // namespace rota

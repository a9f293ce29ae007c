#include "settings/token_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/text.h"
#include "settings/secret_files.h"
#include "settings/settings_values.h"
#include "settings/toml.h"

namespace rota {
namespace {

constexpr std::size_t kBytesMax = 1U << 20U;
constexpr std::size_t kWordsMax = 64;
constexpr std::size_t kTemplateBytesMax = 64U << 10U;
constexpr Duration kRunTimeoutMin{1'000};
constexpr Duration kRunTimeoutMax{600'000};

using V = const TomlValue&;
using F = TokenFileSettings&;
using S = TokenFilesSettings&;

Result<void> read_member(const TomlValue& value, MemberKey& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  auto key = MemberKey::parse(text);
  if (!key) return value.error(key.error().message);
  into = *std::move(key);
  return {};
}

// An absolute path in its only spelling, so that two files of one path are found out.
Result<void> read_file_path(const TomlValue& value, std::string& into) {
  ROTA_TRY(read_path(value, into));
  if (!into.starts_with('/')) return value.error("must be an absolute path");
  std::string_view rest = std::string_view(into).substr(1);
  std::string_view part;
  for (bool last = false; !last;) {
    const std::size_t end = rest.find('/');
    last = end == std::string_view::npos;
    part = rest.substr(0, end);
    if (part.empty() || part == "." || part == "..") {
      return value.error("must name a file, without //, . and ..");
    }
    if (!last) rest.remove_prefix(end + 1);
  }
  if (part.size() > kTokenFileNameBytesMax) {
    return value.error(
        fmt::format("the name of the file has more than {} bytes", kTokenFileNameBytesMax));
  }
  return {};
}

Result<void> read_mode(const TomlValue& value, std::uint32_t& into) {
  constexpr int kOctal = 8;
  constexpr std::uint32_t kOwnerReads = 0400;
  constexpr std::uint32_t kMost = 0640;
  ROTA_ASSIGN(const std::string_view text, value.text());
  std::uint32_t mode = 0;
  const char* end = text.data() + text.size();
  const auto [stop, status] = std::from_chars(text.data(), end, mode, kOctal);
  if (text.size() != 4 || !text.starts_with('0') || status != std::errc{} || stop != end) {
    return value.error("must be four octal digits, such as \"0640\"");
  }
  if ((mode & ~kMost) != 0 || (mode & kOwnerReads) == 0) {
    return value.error(
        "must let the owner read, may let it write and the group read, and nothing more: 0400, "
        "0440, 0600 or 0640");
  }
  into = mode;
  return {};
}

Result<void> read_format(const TomlValue& value, deliver::Format& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  const auto format = deliver::format_named(text);
  if (!format) return value.error("must be raw, json, header, env or template");
  into = *format;
  return {};
}

Result<void> read_template(const TomlValue& value, deliver::Template& into) {
  ROTA_ASSIGN(const std::string_view text, value.text());
  if (text.size() > kTemplateBytesMax) {
    return value.error(fmt::format("has more than {} bytes", kTemplateBytesMax));
  }
  auto parsed = deliver::Template::parse(text);
  if (!parsed) return value.error(parsed.error().message);
  into = *std::move(parsed);
  return {};
}

Result<void> read_run(const TomlValue& value, std::vector<std::string>& into) {
  ROTA_ASSIGN(const std::vector<TomlValue> items, value.list());
  if (items.empty() || items.size() > kWordsMax) {
    return value.error(fmt::format("must have from 1 to {} words", kWordsMax));
  }
  for (const TomlValue& item : items) ROTA_TRY(read_words(item, into.emplace_back()));
  if (into.front().empty()) return value.error("names no program");
  return {};
}

constexpr std::array<TomlRule<TokenFileSettings>, 9> kFileRules{{
    {"member", [](V v, F f) { return read_member(v, f.member); }},
    {"path",
     [](V v, F f) {
       f.where = v.where();
       return read_file_path(v, f.path);
     }},
    {"owner", [](V v, F f) { return read_user_or_group(v, f.owner); }},
    {"group", [](V v, F f) { return read_user_or_group(v, f.group); }},
    {"mode", [](V v, F f) { return read_mode(v, f.mode); }},
    {"format", [](V v, F f) { return read_format(v, f.format); }},
    {"template", [](V v, F f) { return read_template(v, f.text); }},
    {"run", [](V v, F f) { return read_run(v, f.run); }},
    {"keep", [](V v, F f) { return read_flag(v, f.keep); }},
}};

Result<TokenFileSettings> read_file(const TomlTable& table) {
  TokenFileSettings file;
  ROTA_TRY(read_table<TokenFileSettings>(table, kFileRules, file));
  if (!table.has("member")) return table.error("needs a member, such as member = \"id:42\"");
  if (file.path.empty()) return table.error("needs a path");
  const bool is_template = file.format == deliver::Format::kTemplate;
  if (is_template != table.has("template")) {
    return table.error(is_template ? "the format template needs a template"
                                   : "a template needs format = \"template\"");
  }
  return file;
}

Result<void> read_files(const TomlValue& value, S settings) {
  ROTA_ASSIGN(const std::vector<TomlTable> tables, value.tables());
  if (tables.size() > kTokenFilesMax) {
    return value.error(fmt::format("more than {} files", kTokenFilesMax));
  }
  std::set<std::string> paths;
  std::set<MemberKey> members;
  for (const TomlTable& table : tables) {
    ROTA_ASSIGN(TokenFileSettings file, read_file(table));
    if (!paths.insert(file.path).second) return table.error("another file has the same path");
    members.insert(file.member);
    if (members.size() > kTokenFileMembersMax) {
      return table.error(fmt::format("more than {} members", kTokenFileMembersMax));
    }
    settings.files.push_back(std::move(file));
  }
  return {};
}

constexpr std::array<TomlRule<TokenFilesSettings>, 4> kRootRules{{
    {"socket", [](V v, S s) { return read_socket_path(v, s.socket); }},
    {"record", [](V v, S s) { return read_file_path(v, s.record); }},
    {"run_timeout",
     [](V v, S s) { return read_duration(v, kRunTimeoutMin, kRunTimeoutMax, s.run_timeout); }},
    {"file", read_files},
}};

}  // namespace

Result<TokenFilesSettings> parse_token_files(std::string_view name, std::string_view text) {
  ROTA_ASSIGN(const TomlDocument document,
              TomlDocument::parse({.file = std::string(name), .first_line = 1}, text));
  TokenFilesSettings settings;
  ROTA_TRY(read_table<TokenFilesSettings>(document.root(), kRootRules, settings));
  for (const TokenFileSettings& file : settings.files) {
    if (file.path == settings.record) {
      return fail(ErrorKind::kConfig,
                  fmt::format("{}: the path is that of the record", file.where));
    }
  }
  return settings;
}

Result<TokenFilesSettings> load_token_files(const std::string& path) {
  ROTA_ASSIGN(const std::string text, read_small_file(path, kBytesMax));
  return parse_token_files(path, text);
}

}  // namespace rota

#include "roster/toml.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <numeric>
#include <optional>

#include "base/check.h"
#include "roster/limits.h"

namespace rota {
namespace {

constexpr std::size_t kShownBytesMax = 64;

// Messages are one line whatever the file and its name hold.
std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return text;
}

std::unexpected<Error> error_at(const TomlOrigin& origin, std::uint32_t line, std::uint32_t column,
                                std::string_view what) {
  return fail(ErrorKind::kConfig,
              one_line(fmt::format("{}:{}:{}: {}", origin.file, origin.first_line - 1 + line,
                                   column, what)));
}

std::string_view type_name(toml::node_type type) {
  switch (type) {
    case toml::node_type::none:
      return "nothing";
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "a whole number";
    case toml::node_type::floating_point:
      return "a decimal number";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
    case toml::node_type::time:
    case toml::node_type::date_time:
      return "a date or time";
  }
  ROTA_CHECK(false);
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({replaced, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row.back();
}

std::optional<std::string_view> nearest(std::string_view key,
                                        std::span<const std::string_view> known) {
  constexpr std::size_t kNear = 3;
  std::optional<std::string_view> best;
  std::size_t best_distance = kNear;
  if (key.size() > kShownBytesMax) return best;
  for (const std::string_view each : known) {
    const std::size_t distance = edit_distance(key, each);
    if (distance < best_distance && distance < each.size() / 2 + 1) {
      best = each;
      best_distance = distance;
    }
  }
  return best;
}

// The number of the first line that is too long, if there is one.
std::optional<std::uint32_t> too_long_line(std::string_view text) {
  for (std::uint32_t line = 1; !text.empty(); ++line) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    if (length > kTomlLineBytesMax) return line;
    text.remove_prefix(std::min(length + 1, text.size()));
  }
  return std::nullopt;
}

}  // namespace

struct TomlDocument::Parts {
  TomlOrigin origin;
  toml::table root;
};

TomlDocument::TomlDocument(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
TomlDocument::TomlDocument(TomlDocument&&) noexcept = default;
TomlDocument& TomlDocument::operator=(TomlDocument&&) noexcept = default;
TomlDocument::~TomlDocument() = default;

Result<TomlDocument> TomlDocument::parse(TomlOrigin origin, std::string_view text) {
  if (const auto line = too_long_line(text)) {
    return error_at(origin, *line, 1,
                    fmt::format("the line is longer than {} bytes", kTomlLineBytesMax));
  }
  toml::parse_result result = toml::parse(text);
  if (result.failed()) {
    const toml::parse_error& error = result.error();
    const toml::source_position& at = error.source().begin;
    return error_at(origin, at.line, at.column, error.description());
  }
  return TomlDocument(std::make_unique<Parts>(Parts{std::move(origin), std::move(result).table()}));
}

TomlTable TomlDocument::root() const { return {parts_->origin, "", parts_->root}; }

std::vector<TomlValue> TomlTable::values() const {
  struct Placed {
    toml::source_position at;
    TomlValue value;
  };
  std::vector<Placed> placed;
  for (const auto& [key, node] : *table_) {
    const toml::source_position at = key.source().begin;
    placed.push_back({at, TomlValue(*this, key.str(), at.line, at.column, node)});
  }
  std::ranges::sort(placed, {}, [](const Placed& p) { return std::pair(p.at.line, p.at.column); });
  std::vector<TomlValue> values;
  values.reserve(placed.size());
  for (const Placed& each : placed) values.push_back(each.value);
  return values;
}

bool TomlTable::has(std::string_view key) const { return table_->contains(key); }

std::unexpected<Error> TomlTable::error(std::string_view what) const {
  const toml::source_position at = table_->source().begin;
  return error_at(*origin_, at.line, at.column,
                  name_.empty() ? std::string(what) : fmt::format("{}: {}", name_, what));
}

std::uint32_t TomlValue::line() const {
  return in_->origin().first_line - 1 + node_->source().begin.line;
}

Result<std::string_view> TomlValue::text() const {
  const auto* value = node_->as_string();
  if (value == nullptr) return wrong_type("a string");
  return std::string_view(value->get());
}

Result<std::int64_t> TomlValue::whole() const {
  const auto* value = node_->as_integer();
  if (value == nullptr) return wrong_type("a whole number");
  return value->get();
}

Result<double> TomlValue::number() const {
  if (const auto* whole = node_->as_integer()) return static_cast<double>(whole->get());
  const auto* value = node_->as_floating_point();
  if (value == nullptr) return wrong_type("a number");
  return value->get();
}

Result<bool> TomlValue::flag() const {
  const auto* value = node_->as_boolean();
  if (value == nullptr) return wrong_type("true or false");
  return value->get();
}

Result<std::vector<TomlValue>> TomlValue::list() const {
  const auto* items = node_->as_array();
  if (items == nullptr) return wrong_type("a list");
  std::vector<TomlValue> values;
  for (const toml::node& item : *items) {
    values.emplace_back(*in_, key_, key_line_, key_column_, item);
  }
  return values;
}

Result<TomlTable> TomlValue::table() const {
  const auto* table = node_->as_table();
  if (table == nullptr) return wrong_type(fmt::format("a table: [{}]", key_));
  return TomlTable(in_->origin(), fmt::format("[{}]", key_), *table);
}

Result<std::vector<TomlTable>> TomlValue::tables() const {
  const std::string wanted = fmt::format("a list of tables: [[{}]]", key_);
  const auto* items = node_->as_array();
  if (items == nullptr) return wrong_type(wanted);
  std::vector<TomlTable> tables;
  for (const toml::node& item : *items) {
    const auto* table = item.as_table();
    if (table == nullptr) return wrong_type(wanted);
    tables.emplace_back(in_->origin(), fmt::format("{} {}", key_, tables.size() + 1), *table);
  }
  return tables;
}

std::string TomlValue::where() const { return error_in_words(key_).error().message; }

std::unexpected<Error> TomlValue::error(std::string_view what) const {
  return error_in_words(fmt::format("{}: {}", key_, what));
}

std::unexpected<Error> TomlValue::error_in_words(std::string_view what) const {
  const toml::source_position at = node_->source().begin;
  return error_at(
      in_->origin(), at.line, at.column,
      in_->name().empty() ? std::string(what) : fmt::format("{}: {}", in_->name(), what));
}

std::unexpected<Error> TomlValue::unknown_key(std::span<const std::string_view> known) const {
  std::string what = fmt::format("\"{}\" is not a known key", key_.substr(0, kShownBytesMax));
  if (const auto meant = nearest(key_, known)) {
    what += fmt::format(" (did you mean \"{}\"?)", *meant);
  }
  const std::string& table = in_->name();
  return error_at(in_->origin(), key_line_, key_column_,
                  table.empty() ? what : fmt::format("{}: {}", table, what));
}

std::unexpected<Error> TomlValue::wrong_type(std::string_view wanted) const {
  return error(fmt::format("must be {}, not {}", wanted, type_name(node_->type())));
}

}  // namespace rota

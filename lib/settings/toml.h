#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// toml++ itself stays inside toml.cc.
namespace toml::inline v3 {
class node;
class table;
}  // namespace toml::inline v3

namespace rota {

class TomlTable;

// Where a text came from. `first_line` is the line of the file at which the text begins, so that
// messages have the line numbers of the file.
struct TomlOrigin {
  std::string file;
  std::uint32_t first_line = 1;
};

// The value of one key, or one item of a list. Points into the TomlTable that it came from, which
// must outlive it and must not move. A getter fails with kConfig if the value has another type; the
// message names both types.
class TomlValue {
 public:
  TomlValue(const TomlTable& in, std::string_view key, std::uint32_t key_line,
            std::uint32_t key_column, const toml::node& node)
      : in_(&in), key_(key), key_line_(key_line), key_column_(key_column), node_(&node) {}

  std::string_view key() const { return key_; }
  std::uint32_t line() const;

  Result<std::string_view> text() const;
  Result<std::int64_t> whole() const;
  Result<double> number() const;  // whole or decimal
  Result<bool> flag() const;
  Result<std::vector<TomlValue>> list() const;
  Result<TomlTable> table() const;                // of [key]
  Result<std::vector<TomlTable>> tables() const;  // of [[key]]; numbered from 1 in messages

  // "file:line:column: table: key", for a message that is written later.
  std::string where() const;
  // "file:line:column: table: key: what"
  std::unexpected<Error> error(std::string_view what) const;
  // "file:line:column: table: what", for a `what` that names the key itself.
  std::unexpected<Error> error_in_words(std::string_view what) const;
  // Says that nobody knows the key, and suggests the one of `known` that is spelled most like it.
  std::unexpected<Error> unknown_key(std::span<const std::string_view> known) const;

 private:
  std::unexpected<Error> wrong_type(std::string_view wanted) const;

  const TomlTable* in_;
  std::string_view key_;
  std::uint32_t key_line_;
  std::uint32_t key_column_;
  const toml::node* node_;
};

// One table of a document. The document must outlive it.
class TomlTable {
 public:
  TomlTable(const TomlOrigin& origin, std::string name, const toml::table& table)
      : origin_(&origin), name_(std::move(name)), table_(&table) {}

  const TomlOrigin& origin() const { return *origin_; }
  // What messages call it: "[upstream]", "grant 2"; empty for the root.
  const std::string& name() const { return name_; }
  void rename(std::string name) { name_ = std::move(name); }

  // In the order of the file, so that the first error in the file is reported first.
  std::vector<TomlValue> values() const;
  bool has(std::string_view key) const;
  // "file:line:column: table: what"
  std::unexpected<Error> error(std::string_view what) const;

 private:
  const TomlOrigin* origin_;
  std::string name_;
  const toml::table* table_;
};

class TomlDocument {
 public:
  // Parses UTF-8, with or without a byte order mark. Pure. kConfig: a syntax error, or a line of
  // more than kTomlLineBytesMax bytes.
  static Result<TomlDocument> parse(TomlOrigin origin, std::string_view text);

  TomlDocument(TomlDocument&&) noexcept;
  TomlDocument& operator=(TomlDocument&&) noexcept;
  ~TomlDocument();

  TomlTable root() const;

 private:
  struct Parts;
  explicit TomlDocument(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

// How to read one key. Arrays of these rules are the grammar of the configuration and the roster.
template <class T>
struct TomlRule {
  std::string_view key;
  Result<void> (*read)(const TomlValue& value, T& into);
};

// Reads every key of `table` by its rule. kConfig: a key has no rule, or what the rule returned.
template <class T>
Result<void> read_table(const TomlTable& table, std::span<const TomlRule<T>> rules, T& into) {
  for (const TomlValue& value : table.values()) {
    const auto rule = std::ranges::find(rules, value.key(), &TomlRule<T>::key);
    if (rule == rules.end()) {
      std::vector<std::string_view> known;
      for (const auto& each : rules) known.push_back(each.key);
      return value.unknown_key(known);
    }
    ROTA_TRY(rule->read(value, into));
  }
  return {};
}

}  // namespace rota

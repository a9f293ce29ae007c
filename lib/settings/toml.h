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

// Where a text came from: `first_line` is the number of its first line in the file that people see.
struct TomlOrigin {
  std::string file;
  std::uint32_t first_line = 1;
};

// The value of one key, or one item of a list. It looks into the TomlTable that it came from, which
// must stay in place. A getter of the wrong type is an error (kConfig) that says both types.
class TomlValue {
 public:
  TomlValue(const TomlTable& in, std::string_view key, std::uint32_t key_line,
            std::uint32_t key_column, const toml::node& node)
      : in_(&in), key_(key), key_line_(key_line), key_column_(key_column), node_(&node) {}

  std::string_view key() const { return key_; }
  std::uint32_t line() const;

  Result<std::string_view> text() const;
  Result<std::int64_t> whole() const;
  Result<double> number() const;  // a whole number will do
  Result<bool> flag() const;
  Result<std::vector<TomlValue>> list() const;
  Result<TomlTable> table() const;                // of [key]
  Result<std::vector<TomlTable>> tables() const;  // of [[key]]; numbered from 1 in messages

  // "file:line:column: table: key": where the value stands, for what is found wrong with it later.
  std::string where() const;
  // "file:line:column: table: key: what"
  std::unexpected<Error> error(std::string_view what) const;
  // The same without the key, for a sentence that names it.
  std::unexpected<Error> error_in_words(std::string_view what) const;
  std::unexpected<Error> unknown_key(std::span<const std::string_view> known) const;

 private:
  std::unexpected<Error> wrong_type(std::string_view wanted) const;

  const TomlTable* in_;
  std::string_view key_;
  std::uint32_t key_line_;
  std::uint32_t key_column_;
  const toml::node* node_;
};

// One table of a document, which must outlive it.
class TomlTable {
 public:
  TomlTable(const TomlOrigin& origin, std::string name, const toml::table& table)
      : origin_(&origin), name_(std::move(name)), table_(&table) {}

  const TomlOrigin& origin() const { return *origin_; }
  // How messages call it: "[upstream]", "grant 2"; empty for the root.
  const std::string& name() const { return name_; }
  void rename(std::string name) { name_ = std::move(name); }

  // In the order of the text, so that the first error that is reported is the first in the file.
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
  // Parses a text of UTF-8, with or without a byte order mark. Pure. A syntax error or a line of
  // more than kTomlLineBytesMax bytes is kConfig.
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

// What to do with one key: the tables of these are the grammar of the files.
template <class T>
struct TomlRule {
  std::string_view key;
  Result<void> (*read)(const TomlValue& value, T& into);
};

// Reads every key of `table` by its rule; a key without a rule is an error.
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

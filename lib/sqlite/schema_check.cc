#include "sqlite/schema_check.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "sqlite/schema.h"

namespace rota {
namespace {

using ObjectName = std::pair<std::string, std::string>;  // its type and its name

// If two objects had the same first page, they would be two views of the same bytes.
struct Schema {
  std::map<ObjectName, std::string> objects;  // its table and its SQL
  std::set<std::int64_t> first_pages;
  std::size_t with_pages = 0;
};

// Each run of white space becomes one space: SQLite keeps the text of a statement as it was given.
std::string with_single_spaces(std::string_view sql) {
  std::string text;
  for (const char c : sql) {
    const bool space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!space) {
      text += c;
    } else if (!text.ends_with(' ')) {
      text += ' ';
    }
  }
  return text;
}

Result<Schema> schema_of(Database& database) {
  ROTA_ASSIGN(Statement query,
              database.prepare("SELECT type, name, tbl_name, sql, rootpage FROM sqlite_schema"));
  Schema schema;
  ROTA_TRY(query.for_each([&schema](const Statement& row) -> Result<void> {
    ObjectName name{row.text(0), row.text(1)};
    if (const std::int64_t page = row.integer(4); page != 0) {
      ++schema.with_pages;
      schema.first_pages.insert(page);
    }
    std::string text = fmt::format("{}: {}", row.text(2), with_single_spaces(row.text(3)));
    const auto [place, is_new] = schema.objects.emplace(std::move(name), text);
    if (!is_new) place->second += " and again " + text;
    return {};
  }));
  return schema;
}

std::unexpected<Error> differs(const ObjectName& object, std::string_view how) {
  return fail(ErrorKind::kCorrupt,
              fmt::format("the database has been changed by another program: the {} {} {}",
                          object.first, in_quotes(object.second), how));
}

}  // namespace

Result<void> require_our_schema(Database& database, std::int64_t version) {
  ROTA_ASSIGN(Database fresh, Database::in_memory());
  ROTA_TRY(migrate(fresh, version));
  ROTA_ASSIGN(const Schema ours, schema_of(fresh));
  ROTA_ASSIGN(const Schema found, schema_of(database));
  for (const auto& [object, text] : found.objects) {
    const auto place = ours.objects.find(object);
    if (place == ours.objects.end()) return differs(object, "is not one of Rota's");
    if (place->second != text) return differs(object, "is not as Rota made it");
  }
  for (const auto& [object, text] : ours.objects) {
    if (!found.objects.contains(object)) return differs(object, "is missing");
  }
  if (found.first_pages.size() != found.with_pages) {
    return fail(ErrorKind::kCorrupt,
                "the database has been changed by another program: two of its tables share a page");
  }
  return {};
}

}  // namespace rota

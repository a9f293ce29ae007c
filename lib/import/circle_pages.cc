#include "import/circle_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/stream_parser.hpp>
#include <boost/json/value.hpp>
#include <utility>

#include "base/check.h"
#include "base/text.h"

namespace rota {
namespace {

namespace json = boost::json;

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::unexpected<Error> error(std::string_view file, std::string_view what) {
  return fail(ErrorKind::kInvalid, fmt::format("{}: {}", file, what));
}

// Null if there is no such field, or it is null: Circle writes both.
const json::value* field(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

Result<std::optional<std::int64_t>> whole(const json::object& object, std::string_view name) {
  const json::value* value = field(object, name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_int64()) {
    return fail(ErrorKind::kInvalid, fmt::format("{}: is no whole number", name));
  }
  return value->get_int64();
}

Result<std::string_view> text(const json::object& object, std::string_view name) {
  const json::value* value = field(object, name);
  if (value == nullptr) return std::string_view();
  if (!value->is_string()) return fail(ErrorKind::kInvalid, fmt::format("{}: is no text", name));
  return std::string_view(value->get_string().data(), value->get_string().size());
}

std::string_view field_of(SelectorKind kind) {
  switch (kind) {
    case SelectorKind::kCommunityMemberId:
      return "id";
    case SelectorKind::kEmail:
      return "email";
    case SelectorKind::kSsoUserId:
      return "sso_provider_user_id";
  }
  ROTA_CHECK(false);
}

Result<MemberKey> key_of(const json::object& record, SelectorKind by) {
  const std::string_view name = field_of(by);
  std::string value;
  if (by == SelectorKind::kCommunityMemberId) {
    ROTA_ASSIGN(const auto id, whole(record, name));
    if (id) value = fmt::to_string(*id);
  } else {
    ROTA_ASSIGN(value, text(record, name));
  }
  Result<MemberKey> key = key_from_list(by, value);
  if (!key) return error(name, key.error().message);
  return key;
}

Result<std::vector<std::string>> tags_of(const json::object& record) {
  constexpr std::string_view kField = "member_tags";
  const json::value* list = field(record, kField);
  if (list == nullptr || !list->is_array()) return error(kField, "there is no such list");
  std::vector<std::string_view> names;
  for (const json::value& item : list->get_array()) {
    const json::value* name = item.is_object() ? item.get_object().if_contains("name") : nullptr;
    if (name == nullptr || !name->is_string()) return error(kField, "has a tag without a name");
    names.emplace_back(name->get_string().data(), name->get_string().size());
  }
  auto tags = tags_from_list(names);
  if (!tags) return error(kField, tags.error().message);
  return tags;
}

Result<RosterEntry> entry_of(const json::object& record, const ImportRules& rules) {
  RosterEntry entry;
  ROTA_ASSIGN(entry.key, key_of(record, rules.by));
  ROTA_ASSIGN(const std::string_view name, text(record, "name"));
  entry.name = name_from_list(name);
  const json::value* active = field(record, "active");
  if (active == nullptr || !active->is_bool()) {
    return fail(ErrorKind::kInvalid, "active: is neither true nor false");
  }
  entry.retired = !active->get_bool();
  if (rules.tags) {
    ROTA_ASSIGN(entry.tags, tags_of(record));
  }
  return entry;
}

Result<void> parse(std::string_view file, std::string_view bytes, json::stream_parser& parser) {
  json::error_code failed;
  const std::size_t read = parser.write_some(bytes.data(), bytes.size(), failed);
  const auto line = 1 + std::ranges::count(bytes.substr(0, read), '\n');
  const std::string place = fmt::format("{}:{}", file, line);
  if (failed) return error(place, "is no JSON");
  if (!parser.done()) return error(place, "the JSON ends here: cut off?");
  if (bytes.find_first_not_of(kBlanks, read) == std::string_view::npos) return {};
  return error(place, "goes on behind the page: put each page into a file of its own");
}

}  // namespace

struct CirclePages::Page {
  std::string_view file;
  std::int64_t count = 0;
  std::optional<std::int64_t> number{};
  std::size_t records = 0;
};

Result<std::vector<ListedMember>> CirclePages::read(std::string_view file, std::string_view bytes) {
  if (bytes.starts_with(kByteOrderMark)) bytes.remove_prefix(kByteOrderMark.size());
  json::monotonic_resource memory;
  json::stream_parser parser;
  parser.reset(&memory);
  ROTA_TRY(parse(file, bytes, parser));
  const json::value root = parser.release();
  const json::object* page = root.if_object();
  if (page == nullptr) {
    return error(file,
                 "is no page of community_members, which is an object with records and count");
  }
  const json::value* records = field(*page, "records");
  if (records == nullptr || !records->is_array()) return error(file, "has no list of records");
  Page found{.file = file, .records = records->get_array().size()};
  auto count = whole(*page, "count");
  if (!count) return error(file, count.error().message);
  if (!*count) return error(file, "has no count, so that nobody knows whether the list is whole");
  found.count = **count;
  auto number = whole(*page, "page");
  if (!number) return error(file, number.error().message);
  found.number = *number;
  ROTA_TRY(take_page(found));

  std::vector<ListedMember> members;
  members.reserve(found.records);
  std::uint32_t place = 0;
  for (const json::value& record : records->get_array()) {
    const std::string where = fmt::format("{}: record {}", file, ++place);
    if (!record.is_object()) return error(where, "is no object");
    auto community = whole(record.get_object(), "community_id");
    if (!community) return error(where, community.error().message);
    if (*community && !community_) community_ = *community;
    if (*community && *community != community_) {
      return error(where, "community_id: is another community's than the members' before");
    }
    auto entry = entry_of(record.get_object(), rules_);
    if (!entry) return error(where, entry.error().message);
    members.push_back({*std::move(entry), place});
  }
  return members;
}

Result<void> CirclePages::take_page(const Page& page) {
  if (page.number) {
    const auto [other, is_new] = files_.try_emplace(*page.number, page.file);
    if (!is_new) {
      return error(page.file, fmt::format("is page {}, as {} is", *page.number, other->second));
    }
  }
  if (!count_) {
    count_ = page.count;
    count_file_ = page.file;
  }
  if (page.count != *count_) {
    return error(page.file, fmt::format("its count is {}, that of {} is {}: the list changed in "
                                        "between, so get all pages again",
                                        page.count, count_file_, *count_));
  }
  records_ += static_cast<std::int64_t>(page.records);
  return {};
}

Result<void> CirclePages::complete() const {
  if (!count_ || records_ == *count_) return {};
  return error(
      count_file_,
      fmt::format("the list has {}, the pages have {}: {}",
                  counted(static_cast<std::size_t>(std::max<std::int64_t>(*count_, 0)), "member",
                          "members"),
                  records_, records_ < *count_ ? "pages are missing" : "get all pages again"));
}

}  // namespace rota

#include "cli/members_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cctype>
#include <numeric>
#include <string_view>

#include "base/text.h"
#include "cli/columns.h"
#include "cli/fields.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

// A terminal of 80 columns: what is left after these and their gaps is the name's.
constexpr std::array<std::size_t, 4> kWidths{24, 10, 10, 22};
constexpr std::size_t kNameMin = 8;

using Row = std::array<std::string, 5>;
const Row kHead{"KEY", "STATE", "TOKEN ENDS", "NEXT", "NAME"};

std::optional<WallTime> time_at(const json::object& member, std::string_view name) {
  const std::string text = text_at(member, name);
  return text.empty() ? std::nullopt : parse_iso8601(text);
}

bool has_live_token(const json::object& member, WallTime now) {
  const auto ends = time_at(member, "access_token_expires_at");
  return ends && *ends > now;
}

bool is_overdue(const json::object& member, WallTime now) {
  return text_at(member, "state") == "active" && flag_at(member, "kept_fresh") == true &&
         !has_live_token(member, now);
}

bool calls_for_a_look(const json::object& member, WallTime now) {
  const std::string state = text_at(member, "state");
  return state == "unknown" || state == "mismatched" || is_overdue(member, now) ||
         number_at(member, "failures").value_or(0) > 0 ||
         number_at(member, "revoking").value_or(0) > 0;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

bool has_text(const json::object& member, std::string_view list, const auto& is) {
  const json::array* texts = array_at(member, list);
  return texts != nullptr && std::ranges::any_of(*texts, [&is](const json::value& text) {
           return text.is_string() && is(std::string(text.get_string()));
         });
}

std::string when(const std::optional<WallTime>& time, const MembersLook& look, WallTime now) {
  if (!time) return "-";
  return look.utc ? format_iso8601(*time) : relative(*time, now);
}

Row row_of(const json::object& member, const MembersLook& look, WallTime now) {
  std::string next = text_at(member, "next_action");
  if (flag_at(member, "in_flight") == true) {
    next = "a call is under way";
  } else if (next.empty()) {
    next = "-";
  } else {
    next += " " + when(time_at(member, "next_at"), look, now);
  }
  if (const auto failures = number_at(member, "failures"); failures && *failures > 0) {
    next += fmt::format(", {} failed", *failures);
  }
  Row row{text_at(member, "key"), text_at(member, "state"),
          when(time_at(member, "access_token_expires_at"), look, now), std::move(next),
          text_at(member, "name")};
  for (std::string& text : row) text = visible(text);
  return row;
}

}  // namespace

std::string relative(WallTime time, WallTime now) {
  struct Unit {
    std::chrono::seconds length;
    std::string_view name;
  };
  constexpr std::array<Unit, 4> kUnits{{{std::chrono::hours{48}, "d"},
                                        {std::chrono::hours{2}, "h"},
                                        {std::chrono::minutes{2}, "min"},
                                        {std::chrono::seconds{1}, "s"}}};
  constexpr std::array<std::chrono::seconds, 4> kOne{std::chrono::hours{24}, std::chrono::hours{1},
                                                     std::chrono::minutes{1},
                                                     std::chrono::seconds{1}};
  const bool ahead = time >= now;
  const auto distance = std::chrono::floor<std::chrono::seconds>(ahead ? time - now : now - time);
  for (std::size_t i = 0; i < kUnits.size(); ++i) {
    if (distance < kUnits[i].length) continue;
    const auto count = distance / kOne[i];
    return ahead ? fmt::format("in {} {}", count, kUnits[i].name)
                 : fmt::format("{} {} ago", count, kUnits[i].name);
  }
  return "now";
}

bool is_wanted(const json::object& member, const MembersFilter& filter, WallTime now) {
  if (!filter.retired && text_at(member, "state") == "retired") return false;
  if (filter.overdue && !is_overdue(member, now)) return false;
  if (!filter.tag.empty() &&
      !has_text(member, "tags", [&](const std::string& tag) { return tag == filter.tag; })) {
    return false;
  }
  if (filter.find.empty()) return true;
  const std::string wanted = lower(filter.find);
  const auto has = [&wanted](const std::string& text) { return lower(text).contains(wanted); };
  return has(text_at(member, "name")) || has(text_at(member, "key")) ||
         has_text(member, "keys", has);
}

void sort_members(std::vector<json::object>& members, WallTime now) {
  std::ranges::sort(members, [now](const json::object& a, const json::object& b) {
    const bool first = calls_for_a_look(a, now);
    if (first != calls_for_a_look(b, now)) return first;
    return natural_order(text_at(a, "key"), text_at(b, "key")) < 0;
  });
}

std::string members_table(const std::vector<json::object>& members, const MembersLook& look,
                          WallTime now) {
  std::vector<Row> rows{kHead};
  for (const json::object& member : members) rows.push_back(row_of(member, look, now));
  std::array<std::size_t, kWidths.size()> widths{};
  std::size_t names = 0;
  for (const Row& row : rows) {
    names = std::max(names, display_width(row.back()));
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(row[i]));
    }
  }
  std::size_t left = 0;
  if (look.columns) {
    const std::size_t longest_key = widths[0];
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::min(widths[i], kWidths[i]);
    const std::size_t taken = std::accumulate(widths.begin(), widths.end(), widths.size() + names);
    // What the names leave free is the keys'.
    widths[0] = std::min(longest_key, widths[0] + *look.columns - std::min(taken, *look.columns));
    const std::size_t used = std::accumulate(widths.begin(), widths.end(), widths.size());
    left = std::max(kNameMin, *look.columns - std::min(used, *look.columns));
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < widths.size(); ++i) line += in_column(row[i], widths[i]) + " ";
    line += look.columns ? cut(row.back(), left) : row.back();
    while (line.ends_with(' ')) line.pop_back();
    text += line + "\n";
  }
  return text;
}

}  // namespace rota::cli

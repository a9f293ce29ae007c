#include "cli/audit_screen.h"

#include <fmt/format.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "cli/columns.h"
#include "cli/fields.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

// Time, event, member, who. The rest is the detail's.
constexpr std::array<std::size_t, 4> kWidths{11, 19, 18, 14};
constexpr std::size_t kDetailMin = 8;

std::string line_of(const std::array<std::string, 5>& row, std::size_t columns) {
  std::string line;
  std::size_t used = 0;
  for (std::size_t i = 0; i < kWidths.size(); ++i) {
    line += in_column(row[i], kWidths[i]) + " ";
    used += kWidths[i] + 1;
  }
  line += cut(row.back(), std::max(kDetailMin, columns - std::min(used, columns)));
  while (line.ends_with(' ')) line.pop_back();
  return line + "\n";
}

}  // namespace

std::string user_name(std::uint32_t uid) {
  passwd found{};
  passwd* result = nullptr;
  std::array<char, 16'384> room{};
  if (::getpwuid_r(uid, &found, room.data(), room.size(), &result) != 0 || result == nullptr) {
    return {};
  }
  return found.pw_name;
}

std::string audit_time(const std::string& iso, WallTime now) {
  constexpr std::size_t kDate = 10;  // of "2024-03-20T16:36:47.274Z"
  const auto time = parse_iso8601(iso);
  if (!time) return visible(iso);
  const std::string text = format_iso8601(*time);
  if (text.substr(0, kDate) == format_iso8601(now).substr(0, kDate)) {
    return text.substr(kDate + 1, 8);
  }
  return fmt::format("{} {}", text.substr(5, 5), text.substr(kDate + 1, 5));
}

std::string who_did(const json::object& entry, const UserName& name_of_user) {
  if (const std::string client = text_at(entry, "client"); !client.empty()) return client;
  const auto uid = number_at(entry, "uid");
  if (!uid) return "rotad";
  const std::string name = name_of_user(static_cast<std::uint32_t>(*uid));
  const std::string user = name.empty() ? fmt::format("uid {}", *uid) : name;
  const auto pid = number_at(entry, "pid");
  return pid ? fmt::format("{} ({})", user, *pid) : user;
}

std::string audit_screen_head(std::size_t columns) {
  return line_of({"TIME (UTC)", "EVENT", "MEMBER", "WHO (PID)", "DETAIL"}, columns);
}

std::string audit_screen_line(const json::object& entry, std::size_t columns, WallTime now,
                              const UserName& name_of_user) {
  std::string event = text_at(entry, "event");
  if (const auto count = number_at(entry, "count"); count && *count > 1) {
    event += fmt::format(" x{}", *count);
  }
  return line_of(
      {audit_time(text_at(entry, "at"), now), visible(event), visible(text_at(entry, "member")),
       visible(who_did(entry, name_of_user)), visible(text_at(entry, "detail"))},
      columns);
}

}  // namespace rota::cli

#include "cli/events_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "cli/columns.h"
#include "cli/fields.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kTimeWidth = 11;  // "03-20 16:36"

// None: another version of rotad has more events.
std::optional<AuditEvent> event_of(const std::string& name) {
  const auto* const found = std::ranges::find_if(
      kAuditEvents, [&name](AuditEvent event) { return name_of(event) == name; });
  return found == kAuditEvents.end() ? std::nullopt : std::optional(*found);
}

std::string with_detail(std::string_view words, const std::string& detail) {
  return detail.empty() ? std::string(words) : fmt::format("{}: {}", words, detail);
}

}  // namespace

std::string EventLines::start_words(std::string_view words, const std::string& detail) {
  const bool stopped = !std::exchange(runs_, true);
  return with_detail(stopped
                         ? std::string(words)
                         : fmt::format("{} without a stop before (killed, or a power cut)", words),
                     detail);
}

std::string EventLines::words_of(const Notable& event, const json::object& entry) {
  const std::string detail = text_at(entry, "detail");
  const std::string member = text_at(entry, "member");
  const auto ordered = [&](const std::string& whom) {
    return fmt::format("{} ordered: {}{}{}", who_did(entry, name_of_user_), event.words,
                       whom.empty() ? "" : " ", whom);
  };
  switch (event.telling) {
    case Notable::Telling::kStart:
      return start_words(event.words, detail);
    case Notable::Telling::kStop:
      runs_ = false;
      return std::string(event.words);
    case Notable::Telling::kWords:
      return std::string(event.words);
    case Notable::Telling::kWithDetail:
      return with_detail(event.words, detail);
    case Notable::Telling::kOfMember:
      return fmt::format("{} {}", member, event.words);
    case Notable::Telling::kOfDetail:
      return fmt::format("{} {}", detail, event.words);
    case Notable::Telling::kOrder:
      return ordered("");
    case Notable::Telling::kOrderOnMember:
      return ordered(member);
    case Notable::Telling::kOrderOnDetail:
      return ordered(detail);
  }
  ROTA_CHECK(false);
}

std::string EventLines::line(const json::object& entry, WallTime now) {
  const auto event = event_of(text_at(entry, "event"));
  const auto told = event ? notable(*event) : std::nullopt;
  if (!told) return {};
  std::string words = words_of(*told, entry);
  if (const auto count = number_at(entry, "count"); count && *count > 1) {
    words += fmt::format(" ({} times)", *count);
  }
  const std::string text = fmt::format(
      "{}  {}", in_column(audit_time(text_at(entry, "at"), now), kTimeWidth), visible(words));
  return (columns_ ? cut(text, *columns_) : text) + "\n";
}

}  // namespace rota::cli

#include "cli/plan_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/text.h"
#include "cli/columns.h"
#include "cli/fields.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kIndent = 10;  // of what follows the first word of a line
constexpr std::size_t kKeyIndent = 17;
constexpr std::size_t kNameMin = 12;
constexpr std::size_t kColumnsMin = 40;     // a narrower terminal breaks lines itself
constexpr std::size_t kCallsOfALeaver = 2;  // as RosterJob counts: both of its tokens are revoked

std::string number(std::size_t count) { return grouped(count); }
std::string calls(std::size_t count) { return number(count) + (count == 1 ? " call" : " calls"); }
std::string members(std::size_t count) {
  return number(count) + (count == 1 ? " member" : " members");
}

struct Line {
  std::string key;
  std::string name;
};

std::vector<Line> lines_of(const json::object& plan, std::string_view list,
                           const PlanFrame& frame) {
  std::vector<Line> lines;
  const json::array* keys = array_at(plan, list);
  if (keys == nullptr) return lines;
  const std::size_t shown = frame.all_keys ? keys->size() : std::min(keys->size(), kPlanKeysShown);
  for (std::size_t i = 0; i < shown; ++i) {
    const json::value& key = (*keys)[i];
    if (!key.is_string()) continue;
    const std::string text(key.get_string());
    const auto name = frame.names.find(text);
    lines.push_back(
        {.key = visible(text), .name = name == frame.names.end() ? "" : visible(name->second)});
  }
  return lines;
}

std::size_t size_of_list(const json::object& plan, std::string_view list) {
  const json::array* keys = array_at(plan, list);
  return keys == nullptr ? 0 : keys->size();
}

// One list of the plan, its members below each other. A key is cut only if a name needs the room.
std::string group(const json::object& plan, std::string_view list, const PlanFrame& frame) {
  const std::size_t count = size_of_list(plan, list);
  if (count == 0) return {};
  const std::vector<Line> lines = lines_of(plan, list, frame);
  std::size_t width = 0;
  for (const Line& line : lines) width = std::max(width, display_width(line.key));
  const std::size_t room = std::max(frame.columns.value_or(0), kColumnsMin) - kKeyIndent;
  std::string text;
  std::string head = fmt::format("  {:<7}{:>6}  ", list, number(count));
  for (const Line& line : lines) {
    std::string row = std::exchange(head, std::string(kKeyIndent, ' '));
    if (line.name.empty()) {
      row += frame.columns ? cut(line.key, room) : line.key;
    } else if (frame.columns) {
      const std::size_t keys = std::min(width, room - kNameMin - 2);
      row += in_column(line.key, keys) + "  " + cut(line.name, room - keys - 2);
    } else {
      row += in_column(line.key, width) + "  " + line.name;
    }
    text += row + "\n";
  }
  if (count > lines.size()) {
    text +=
        fmt::format("{:{}}and {} more: {}\n", "", kKeyIndent, number(count - lines.size()),
                    frame.stage == PlanStage::kReloaded ? "--json has them" : "--all shows them");
  }
  return text;
}

// A line of words, folded to the terminal's width.
std::string line(std::string_view name, std::string_view value, const PlanFrame& frame) {
  if (!frame.columns) return fmt::format("  {:<7} {}\n", name, value);
  std::string text = wrapped(value, *frame.columns, kIndent);
  const std::string head = fmt::format("  {:<7} ", name);
  return text.replace(0, std::min(head.size(), text.size()), head);
}

std::string guard_words(std::size_t leavers, bool held, const PlanFrame& frame) {
  const std::string measure = frame.guard ? fmt::format("more than {} and more than {} % of all",
                                                        frame.guard->max_retire_count,
                                                        frame.guard->max_retire_fraction * 100)
                                          : "";
  const std::string_view leave = leavers == 1 ? "leaves" : "leave";
  if (!held) {
    return fmt::format("lets it through: {} {}{}", number(leavers), leave,
                       frame.guard ? fmt::format(" (it holds {})", measure) : "");
  }
  const bool draft = frame.stage == PlanStage::kDraft;
  return fmt::format("{}: {} {}{}; all else {} into force", draft ? "would HOLD it" : "HOLDS it",
                     number(leavers), leave, frame.guard ? fmt::format(", {}", measure) : "",
                     draft ? "would come" : "comes");
}

std::string next_words(std::size_t leavers, bool held, const std::string& id, PlanStage stage) {
  const std::string_view them = leavers == 1 ? "it" : "them";
  switch (stage) {
    case PlanStage::kOnDisk:
    case PlanStage::kReloaded:
      if (held) {
        return fmt::format("rota approve {} lets {} go; or put {} back into the roster", id, them,
                           them);
      }
      return stage == PlanStage::kReloaded
                 ? ""
                 : "rota reload, unless rotad has read it by itself meanwhile";
    case PlanStage::kDraft:
      return held ? fmt::format("put it in place, then: rota approve {}", id)
                  : "put it in place; rotad reads it by itself, or: rota reload";
  }
  ROTA_CHECK(false);
}

std::string budget_words(std::size_t wanted, std::size_t fits) {
  if (wanted <= fits) {
    return fmt::format("keeps {} fresh; this roster has {}", members(fits), number(wanted));
  }
  return fmt::format(
      "keeps only {} of this roster's {} fresh: the {} that are used least get a "
      "token when somebody asks",
      number(fits), members(wanted), number(wanted - fits));
}

}  // namespace

std::string time_for(std::size_t adds, std::size_t others, const CallPace& pace) {
  const auto of = [](std::size_t count, std::size_t a_window) {
    return static_cast<double>(count) / static_cast<double>(std::max<std::size_t>(a_window, 1));
  };
  const auto time = (of(adds, pace.first_issues) + of(others, pace.calls)) *
                    std::chrono::duration<double, std::ratio<60>>(pace.window);
  const double minutes = std::ceil(time.count());
  return fmt::format("about {} min", number(static_cast<std::size_t>(std::max(minutes, 1.0))));
}

std::string plan_screen(const json::object& plan, const PlanFrame& frame) {
  const std::size_t adds = size_of_list(plan, "add");
  const std::size_t leavers = size_of_list(plan, "retire");
  if (adds + leavers + size_of_list(plan, "change") == 0) {
    const std::string of = visible(frame.of);
    return frame.stage == PlanStage::kDraft
               ? fmt::format("no member changes with {}\n", of)
               : fmt::format("no member changes: {} is in force\n", of);
  }
  const bool held = flag_at(plan, "held") == true;
  const std::string id = visible(text_at(plan, "id"));
  std::string text = fmt::format("PLAN {}: {}\n", id, visible(frame.of));
  for (const std::string_view list : {"retire", "add", "change"}) text += group(plan, list, frame);
  if (leavers > 0) text += line("guard", guard_words(leavers, held, frame), frame);
  if (const auto cost = number_at(plan, "calls")) {
    text += line(
        "cost",
        calls(static_cast<std::size_t>(*cost)) + " to Circle" +
            (frame.pace && *cost > 0 ? ", " + time_for(adds, leavers * kCallsOfALeaver, *frame.pace)
                                     : ""),
        frame);
  }
  if (frame.wanted && frame.fits)
    text += line("budget", budget_words(*frame.wanted, *frame.fits), frame);
  const std::string next = next_words(leavers, held, id, frame.stage);
  return next.empty() ? text : text + line("next", next, frame);
}

std::string roster_alone_screen(const std::string& entries, const PlanFrame& frame) {
  std::string text = fmt::format("ROSTER {}\n", visible(frame.of));
  text += line("roster", fmt::format("good: {}", entries), frame);
  if (frame.wanted && frame.pace) {
    text += line("cost",
                 fmt::format("at most {} to Circle for the members that are new, {}",
                             calls(*frame.wanted), time_for(*frame.wanted, 0, *frame.pace)),
                 frame);
  }
  if (frame.wanted && frame.fits)
    text += line("budget", budget_words(*frame.wanted, *frame.fits), frame);
  return text +
         line("guard", "NOT KNOWN: only the database says who is in force, and so who would leave",
              frame) +
         line("next",
              "start rotad and ask again; or, while it is stopped, as root: rotad --check "
              "compares with the database",
              frame);
}

}  // namespace rota::cli

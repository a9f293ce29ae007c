#include "cli/status_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "cli/columns.h"
#include "cli/doctor_status.h"
#include "cli/fields.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

constexpr std::size_t kReasonsShown = 3;
constexpr std::size_t kMessageLines = 2;  // of the first reason
constexpr std::size_t kDetailLines = 3;
constexpr std::int64_t kMillisPerSecond = 1'000;
constexpr std::int64_t kBarBlocks = 20;

constexpr std::size_t kToTheMinute = 5;  // the length of "17:20"
constexpr std::size_t kToTheSecond = 8;

// "17:20", and the day before it if it is another one.
std::string moment(WallTime time, WallTime now, std::size_t length) {
  constexpr std::size_t kDay = 10;  // of "2024-03-20T16:36:47.274Z"
  const std::string text = format_iso8601(time);
  std::string at = text.substr(kDay + 1, length);
  if (text.substr(0, kDay) == format_iso8601(now).substr(0, kDay)) return at;
  return fmt::format("{} {}", text.substr(0, kDay), at);
}

std::string moment(const std::string& iso, WallTime now, std::size_t length = kToTheMinute) {
  const auto time = parse_iso8601(iso);
  return time ? moment(*time, now, length) : visible(iso);
}

std::string seconds(std::int64_t milliseconds) {
  return fmt::format("{} s", (milliseconds + kMillisPerSecond - 1) / kMillisPerSecond);
}

// The lines of one part, under its name.
class Part {
 public:
  explicit Part(std::string_view name) : text_(fmt::format("{}\n", name)) {}
  void add(std::string_view name, std::string_view value) {
    text_ += cut(fmt::format("  {:<9} {}", name, value), kScreenColumns) + "\n";
    filled_ = true;
  }
  std::string text() const { return filled_ ? text_ : std::string(); }

 private:
  std::string text_;
  bool filled_ = false;
};

// In the largest whole unit: "3 h".
std::string up(Duration length) {
  using std::chrono::duration_cast;
  const auto days = duration_cast<std::chrono::days>(length).count();
  const auto hours = duration_cast<std::chrono::hours>(length).count();
  const auto minutes = duration_cast<std::chrono::minutes>(length).count();
  if (days > 0) return fmt::format("{} d", grouped(days));
  if (hours > 0) return fmt::format("{} h", hours);
  if (minutes > 0) return fmt::format("{} min", minutes);
  return fmt::format("{} s", duration_cast<std::chrono::seconds>(length).count());
}

std::string head(const json::object& status, WallTime now) {
  constexpr std::size_t kTimeAt = 11;
  constexpr std::size_t kTimeLength = 8;
  std::string name = "rota " + visible(text_at(status, "version"));
  if (const std::string host = visible(text_at(status, "host")); !host.empty()) {
    name += " on " + host;
  }
  const auto started = parse_iso8601(text_at(status, "started_at"));
  if (started && *started <= now) name += ", up " + up(now - *started);
  const std::string time = format_iso8601(now).substr(kTimeAt, kTimeLength) + " UTC";
  return in_column(name, kScreenColumns - time.size()) + time + "\n";
}

// What is so although every member has its token: an outage that nobody feels yet.
std::string outage(const json::object& status, WallTime now) {
  const json::object* upstream = object_at(status, "upstream");
  const json::object* trouble = upstream == nullptr ? nullptr : object_at(*upstream, "trouble");
  if (trouble == nullptr) return {};
  std::string text = fmt::format("{} since {}", visible(text_at(*trouble, "what")),
                                 moment(text_at(*trouble, "since"), now));
  if (upstream->if_contains("last_success_at") != nullptr) {  // else rotad is older
    const std::string good = text_at(*upstream, "last_success_at");
    text += good.empty() ? "; no good answer since the start"
                         : fmt::format("; last good answer {}", moment(good, now, kToTheSecond));
  }
  if (const auto wait = number_at(*upstream, "next_call_in_ms")) {
    text += fmt::format("; next try in {}", seconds(*wait));
  }
  return text;
}

// At most so many lines.
std::string folded(std::string_view text, std::size_t indent, std::size_t lines_max) {
  std::string lines;
  std::string rest = wrapped(text, kScreenColumns, indent);
  for (std::size_t i = 0; i < lines_max && !rest.empty(); ++i) {
    const std::size_t end = i + 1 < lines_max ? rest.find('\n') : rest.size() - 1;
    std::string line = rest.substr(0, end);
    rest.erase(0, end + 1);
    // What is left goes on the last one, as much of it as fits.
    std::ranges::replace(line, '\n', ' ');
    lines += cut(line, kScreenColumns) + "\n";
  }
  return lines;
}

std::string bullet(std::string_view text, std::size_t lines_max) {
  constexpr std::size_t kIndent = 13;
  std::string lines = folded(text, kIndent, lines_max);
  if (!lines.empty()) lines.replace(kIndent - 2, 1, "-");
  return lines;
}

// The reasons for not being ready, without those that `outage` tells as well, unless that is all.
std::vector<const json::object*> reasons_of(const json::object& status, bool has_outage) {
  std::vector<const json::object*> reasons;
  const json::array* all = array_at(status, "not_ready");
  if (all == nullptr) return reasons;
  for (const json::value& each : *all) {
    const json::object* reason = each.if_object();
    const bool is_told = has_outage && !reasons.empty() && reason != nullptr &&
                         text_at(*reason, "code") == "upstream_failing";
    if (reason != nullptr && !is_told) reasons.push_back(reason);
  }
  return reasons;
}

// The first one with its detail and its remedy; rota doctor has all of the others.
std::string not_ready(const std::vector<const json::object*>& reasons) {
  if (reasons.empty()) return "NOT READY\n";
  std::string text;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (i == kReasonsShown) {
      text += fmt::format("  and {} more: rota doctor\n", reasons.size() - i);
      break;
    }
    constexpr std::string_view kHead = "NOT READY  ";
    const json::object& reason = *reasons[i];
    const std::size_t lines = i == 0 && reasons.size() < kReasonsShown ? kMessageLines : 1;
    std::string message = folded(fmt::format("{} ({})", visible(text_at(reason, "message")),
                                             visible(text_at(reason, "code"))),
                                 kHead.size(), lines);
    if (i == 0) message.replace(0, std::min(kHead.size(), message.size()), kHead);
    text += message;
    if (i > 0) continue;
    const std::size_t room = reasons.size() == 1 ? kDetailLines : 1;
    text += bullet(visible(text_at(reason, "detail")), room);
    text += bullet(remedy_of(text_at(reason, "code")), room);
  }
  return text;
}

std::string verdict(const json::object& status, WallTime now) {
  const json::object* members = object_at(status, "members");
  const std::string until = members == nullptr ? "" : text_at(*members, "tokens_hold_until");
  const std::string out = outage(status, now);
  std::string text;
  if (flag_at(status, "ready") == true) {
    text = "READY";
    if (!until.empty()) {
      text += fmt::format("  holds until {} even if Circle {}", moment(until, now),
                          out.empty() ? "fails now" : "goes on failing");
    }
    text += "\n";
    if (!out.empty()) text += wrapped(out, kScreenColumns, 2);
    return text;
  }
  text = not_ready(reasons_of(status, !out.empty()));
  if (!out.empty()) text += cut("  " + out, kScreenColumns) + "\n";
  if (!until.empty()) {
    text += fmt::format("  the tokens that are alive hold until {}\n", moment(until, now));
  } else if (members != nullptr) {
    text += "  no token is alive\n";
  }
  return text;
}

// A count that calls for a look, with the command to look with.
std::string marked(std::int64_t count, std::string_view command) {
  return count == 0 ? "0" : fmt::format("{} ! {}", grouped(count), command);
}

std::string members_part(const json::object& status) {
  const json::object* members = object_at(status, "members");
  if (members == nullptr) return {};
  const auto count = [members](std::string_view name) {
    return number_at(*members, name).value_or(0);
  };
  std::string title = "MEMBERS";
  if (const json::object* sources = object_at(status, "sources")) {
    title += fmt::format("    {} in the roster, {} enrolled",
                         grouped(number_at(*sources, "roster").value_or(0)),
                         grouped(number_at(*sources, "enrolled").value_or(0)));
  }
  Part part(title);
  const json::object* upkeep = object_at(status, "upkeep");
  const auto kept = upkeep == nullptr ? std::nullopt : number_at(*upkeep, "kept");
  part.add("fresh", grouped(count("fresh")) +
                        (kept ? fmt::format(" of {} to be kept fresh", grouped(*kept)) : ""));
  if (const json::object* first = object_at(status, "first_issues")) {
    if (const std::int64_t waiting = number_at(*first, "waiting").value_or(0); waiting > 0) {
      const auto left = number_at(*first, "left_ms");
      constexpr std::int64_t kMinute = 60'000;
      part.add("first", fmt::format("{} wait for their first token{}", grouped(waiting),
                                    left ? fmt::format(", about {} min",
                                                       grouped((*left + kMinute - 1) / kMinute))
                                         : ""));
    }
  }
  part.add("overdue", marked(count("overdue"), "rota members --overdue"));
  part.add("unknown",
           count("unknown") == 0
               ? "0"
               : marked(count("unknown"), "not at Circle: rota members --state unknown"));
  const std::int64_t on_demand = upkeep == nullptr ? 0 : number_at(*upkeep, "left_out").value_or(0);
  part.add("others",
           fmt::format("blocked {}   mismatched {}   on demand {}   retiring {}   retired {}",
                       grouped(count("blocked")), grouped(count("mismatched")), grouped(on_demand),
                       grouped(count("retiring")), grouped(count("retired"))));
  return part.text();
}

// The calls that are due, a column for each step of the next hour; as high as what the budget lets
// through in one step.
std::string next_hour(const json::object& status, std::int64_t limit,
                      std::optional<std::int64_t> window_ms) {
  const json::object* due = object_at(status, "calls_due");
  const json::array* steps = due == nullptr ? nullptr : array_at(*due, "steps");
  const auto step_ms = due == nullptr ? std::nullopt : number_at(*due, "step_ms");
  if (steps == nullptr || !step_ms || !window_ms || *window_ms <= 0) return {};
  constexpr std::string_view kHeights = " .:-=+*#";  // nothing, up to all that the budget allows
  const std::int64_t most = std::max<std::int64_t>(limit * *step_ms / *window_ms, 1);
  std::string chart;
  std::int64_t all = 0;
  bool over = false;
  for (const json::value& each : *steps) {
    const std::int64_t calls = each.is_int64() ? each.get_int64() : 0;
    all += calls;
    over = over || calls > most;
    const auto top = static_cast<std::int64_t>(kHeights.size()) - 1;
    const std::int64_t height = std::min((calls * top + most - 1) / most, top);
    chart += kHeights[static_cast<std::size_t>(std::max<std::int64_t>(height, 0))];
  }
  return fmt::format("|{}|  {} due; {}", chart, grouped(all),
                     over ? fmt::format("# is {} or more", grouped(most))
                          : fmt::format("{} a column fit", grouped(most)));
}

std::string circle_part(const json::object& status) {
  Part part("CIRCLE");
  if (const json::object* upstream = object_at(status, "upstream")) {
    const auto used = number_at(*upstream, "window_used");
    const auto limit = number_at(*upstream, "window_limit");
    if (used && limit && *limit > 0) {
      const auto blocks = static_cast<std::size_t>(
          std::clamp<std::int64_t>((*used * kBarBlocks + *limit - 1) / *limit, 0, kBarBlocks));
      const std::string bar = std::string(blocks, '#') + std::string(kBarBlocks - blocks, '.');
      const json::object* upkeep = object_at(status, "upkeep");
      const auto fits = upkeep == nullptr ? std::nullopt : number_at(*upkeep, "fits");
      part.add("budget",
               fmt::format("{}  {} of {} calls used{}", bar, grouped(*used), grouped(*limit),
                           fits ? fmt::format("; keeps {} fresh", grouped(*fits)) : ""));
    }
    if (const json::object* group = object_at(*upstream, "budget_group")) {
      const bool works = text_at(*group, "trouble").empty();
      part.add("group", works ? fmt::format("{}: {} of {} calls used by {}; this one's share is {}",
                                            visible(text_at(*group, "name")),
                                            grouped(number_at(*group, "window_used").value_or(0)),
                                            grouped(number_at(*group, "window_limit").value_or(0)),
                                            counted(static_cast<std::size_t>(
                                                        number_at(*group, "members").value_or(0)),
                                                    "daemon", "daemons"),
                                            grouped(number_at(*group, "share").value_or(0)))
                              : "cannot be used, so only a sixteenth of the calls is made");
    }
    if (limit && *limit > 0) {
      const std::string chart = next_hour(status, *limit, number_at(*upstream, "window_ms"));
      if (!chart.empty()) part.add("next hour", chart);
    }
    const std::int64_t paused = number_at(*upstream, "paused_ms").value_or(0);
    std::string clock = "not told yet";
    if (flag_at(*upstream, "clock_confirmed") == true) {
      clock = fmt::format("{} ms off", number_at(*upstream, "clock_skew_ms").value_or(0));
    }
    if (flag_at(*upstream, "clock_doubted") == true) clock = "doubted: Circle is asked";
    part.add("breaker", fmt::format("{}   pause {}   clock {}   calls under way {}",
                                    visible(text_at(*upstream, "breaker")),
                                    paused > 0 ? seconds(paused) : "none", clock,
                                    number_at(*upstream, "calls_in_flight").value_or(0)));
  }
  const std::int64_t revoke = number_at(status, "tokens_to_revoke").value_or(0);
  const std::int64_t doubts = number_at(status, "doubts").value_or(0);
  std::string alive;
  if (revoke > 0) {
    alive =
        counted(static_cast<std::size_t>(revoke), "token", "tokens") + " to be revoked STILL ALIVE";
  }
  if (doubts > 0) {
    alive += fmt::format("{}{} of unknown end: a token may be alive", alive.empty() ? "" : "; ",
                         counted(static_cast<std::size_t>(doubts), "call", "calls"));
  }
  if (!alive.empty()) part.add(revoke > 0 ? "revoke" : "doubt", alive);
  return part.text();
}

std::string machine_part(const json::object& status, WallTime now) {
  Part part("THIS MACHINE");
  const json::value* plan = status.if_contains("roster_plan_held");
  if (plan != nullptr && plan->is_object()) {
    part.add("roster", fmt::format("a plan is HELD: rota plan, then rota approve {}",
                                   visible(text_at(plan->get_object(), "id"))));
  } else {
    const json::object* roster = object_at(status, "roster");
    const std::string since = roster == nullptr ? "" : text_at(*roster, "in_force_since");
    part.add("roster", since.empty()
                           ? "no plan is held"
                           : fmt::format("in force since {}; no plan is held", moment(since, now)));
  }
  const json::array* held = array_at(status, "removals_held_back");
  if (held != nullptr && !held->empty() && held->front().is_string()) {
    const std::string name = visible(std::string(held->front().get_string()));
    part.add("removals",
             fmt::format("HELD BACK{}: rota lift-removals {}",
                         held->size() == 1 ? "" : fmt::format(", {} clients", held->size()), name));
  }
  if (const json::object* store = object_at(status, "store")) {
    std::string disk = visible(text_at(*store, "commits"));
    if (const auto aside = number_at(status, "rows_set_aside"); aside && *aside > 0) {
      disk += fmt::format("; {} rows set aside ! rota doctor", grouped(*aside));
    }
    disk += fmt::format("   clients that wait {}",
                        grouped(number_at(status, "waiting_clients").value_or(0)));
    if (const json::object* fetches = object_at(status, "fetches")) {
      disk += fmt::format("   tokens given {}   requests refused {}",
                          grouped(number_at(*fetches, "tokens").value_or(0)),
                          grouped(number_at(*fetches, "errors").value_or(0)));
    }
    part.add("disk", disk);
  }
  return part.text();
}

}  // namespace

std::string status_screen(const json::object& status, WallTime now) {
  return head(status, now) + verdict(status, now) + members_part(status) + circle_part(status) +
         machine_part(status, now) +
         "More: rota doctor (causes, remedies), rota status --all (every field), --json\n";
}

}  // namespace rota::cli

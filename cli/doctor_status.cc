#include "cli/doctor_status.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "cli/app_token_check.h"
#include "cli/fields.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

// Rota judges by Circle's clock, but programs that look at expiry times use this machine's.
constexpr std::int64_t kSkewMaxMs = 30'000;
constexpr std::int64_t kMillisPerSecond = 1'000;
// If more of the window is used, little is left for clients that wait.
constexpr std::int64_t kUsedPercentMax = 90;

// What another finding is about that has the same cause, and says more of it; empty: none has.
std::string_view said_by(std::string_view code) {
  if (code == "roster_not_in_force") return "roster";
  if (code == "config_not_in_force") return "config";
  if (code == "app_token_not_read") return "credential";
  if (code == "grants_held_back") return "grants";
  if (code == "listener_not_listening") return "listener";
  if (code == "commit_failing") return "disk";
  if (code == "upstream_failing") return "calls";
  return {};
}

void judge_ready(const json::object& status, const std::set<std::string>& seen,
                 Findings& findings) {
  const json::array* reasons = array_at(status, "not_ready");
  if (reasons == nullptr || reasons->empty()) {
    return findings.push_back(good("readiness", text_at(status, "summary")));
  }
  for (const json::value& each : *reasons) {
    if (!each.is_object()) continue;
    const json::object& reason = each.get_object();
    const std::string code = text_at(reason, "code");
    if (seen.contains(std::string(said_by(code)))) continue;
    const std::string detail = text_at(reason, "detail");
    findings.push_back(
        wrong("readiness",
              fmt::format("{}{}{}", text_at(reason, "message"), detail.empty() ? "" : ": ", detail),
              remedy_of(code)));
  }
}

std::string with_time_left(std::string text, const json::object& status,
                           const json::object& upstream) {
  if (const json::object* members = object_at(status, "members")) {
    const std::string until = text_at(*members, "tokens_hold_until");
    text += until.empty() ? "; no member has a live token" : "; tokens are valid until " + until;
  }
  if (const auto wait = number_at(upstream, "next_call_in_ms")) {
    text += fmt::format("; next call in {} s", (*wait + kMillisPerSecond - 1) / kMillisPerSecond);
  }
  return text;
}

// Reports an outage from its first failure on, even while every token is alive.
void judge_calls(const json::object& status, const json::object& upstream, Findings& findings) {
  const json::object* trouble = object_at(upstream, "trouble");
  if (trouble == nullptr) {
    if (upstream.if_contains("trouble") == nullptr) return;  // an older daemon does not say
    return findings.push_back(
        good("calls", "the last call to Circle worked, or there was none yet"));
  }
  const std::string good_at = text_at(upstream, "last_success_at");
  const std::string text = with_time_left(
      fmt::format("{} (since {}{})", text_at(*trouble, "what"), text_at(*trouble, "since"),
                  good_at.empty() ? "" : "; last good answer " + good_at),
      status, upstream);
  const bool is_open = text_at(upstream, "breaker") != "closed";
  const bool one_failure = number_at(*trouble, "failures").value_or(0) <= 1;
  const json::value* ready = status.if_contains("ready");
  const bool is_ready = ready != nullptr && *ready == json::value(true);
  constexpr const char* kRemedy =
      "rotad tries again by itself; journalctl -u rotad has the details";
  findings.push_back(is_ready && one_failure && !is_open ? note("calls", text, kRemedy)
                                                         : wrong("calls", text, kRemedy));
}

void judge_clock(const json::object& upstream, Findings& findings) {
  const auto skew = number_at(upstream, "clock_skew_ms");
  const json::value* confirmed = upstream.if_contains("clock_confirmed");
  if (!skew) return;
  if (confirmed != nullptr && *confirmed == json::value(false)) {
    findings.push_back(note("clock", "Circle has not sent its time since the start"));
  } else if (std::abs(*skew) > kSkewMaxMs) {
    findings.push_back(wrong(
        "clock",
        fmt::format("this machine's clock differs from Circle's by {} s", *skew / kMillisPerSecond),
        "set it, for example: timedatectl set-ntp true"));
  } else {
    findings.push_back(good("clock", fmt::format("differs from Circle's by {} ms", *skew)));
  }
}

void judge_budget(const json::object& status, const json::object& upstream, Findings& findings) {
  if (const json::object* upkeep = object_at(status, "upkeep")) {
    const auto left_out = number_at(*upkeep, "left_out");
    if (left_out && *left_out > 0) {
      findings.push_back(
          note("budget",
               fmt::format("can keep {} fresh; {} issued on demand",
                           counted(static_cast<std::size_t>(number_at(*upkeep, "fits").value_or(0)),
                                   "member", "members"),
                           counted(static_cast<std::size_t>(*left_out), "is", "are")),
               "if that is too slow: fewer members, or a larger requests_per_window"));
    }
  }
  const auto used = number_at(upstream, "window_used");
  const auto limit = number_at(upstream, "window_limit");
  if (used && limit && *limit > 0) {
    const std::string text = fmt::format("{} of {} calls in this window are used", *used, *limit);
    constexpr std::int64_t kHundred = 100;
    findings.push_back(*used * kHundred > *limit * kUsedPercentMax ? note("budget", text)
                                                                   : good("budget", text));
  }
  const auto paused = number_at(upstream, "paused_ms");
  if (paused && *paused > 0) {
    findings.push_back(note(
        "budget",
        fmt::format("Circle asked for a pause, of which {} s are left", *paused / kMillisPerSecond),
        "other programs share Circle's limit: lower requests_per_window if this happens again"));
  }
}

}  // namespace

std::string remedy_of(std::string_view code) {
  if (code == "members_overdue") return "rota members --overdue lists them";
  if (code == "database_gone")
    return "put the database back in its place, or restart rotad; if it was overwritten, restore "
           "it first, while rotad is stopped";
  if (code == "socket_gone")
    return "restart the socket: systemctl restart rotad.socket rotad-admin.socket";
  if (code == "commit_failing") return "free space on the disk, or repair it";
  if (code == "roster_not_in_force") return "fix the roster; rotad reads it again by itself";
  if (code == "config_not_in_force") return "fix the configuration, then rota reload";
  if (code == "app_token_not_read") return "fix the app token's file, then rota reload";
  if (code == "grants_held_back")
    return "fix the grant, or wait until the user's directory service answers";
  if (code == "grants_wait") return "fix the roster or approve its plan, then rota reload";
  if (code == "listener_not_listening")
    return "free the address or path of the [[listener]], or set another one and restart rotad";
  if (code == "metrics_not_listening")
    return "free the address of metrics_listen, or set another one";
  if (code == "budget_group_unavailable") {
    return "mend the file that it names or its folder; rotad tries again every few seconds";
  }
  if (code == "roster_plan_held")
    return "look at rota plan, then run rota approve ID or fix the roster";
  if (code == "upstream_app_token_refused") {
    return fmt::format("replace it with rota setup, then systemctl restart rotad.service. {}",
                       kWhichAppToken);
  }
  if (code == "upstream_not_eligible") return "ask Circle why it refuses the community";
  if (code == "tokens_dead_on_arrival") {
    return "tell Circle that its clock or the lifetime of its tokens is wrong";
  }
  if (code == "upstream_failing") {
    return "rotad tries again by itself; journalctl -u rotad has the details";
  }
  return "see rota status";
}

Findings judge_status(const json::object& status, const std::set<std::string>& seen) {
  Findings findings;
  std::set<std::string> known = seen;
  const json::object* upstream = object_at(status, "upstream");
  // Circle's refusals are reasons not to be ready, with remedies of their own.
  const std::string breaker = upstream == nullptr ? "" : text_at(*upstream, "breaker");
  if (upstream != nullptr && breaker != "app_token_refused" && breaker != "not_eligible") {
    judge_calls(status, *upstream, findings);
    if (!all_well(findings)) known.insert("calls");
  }
  judge_ready(status, known, findings);
  if (upstream == nullptr) return findings;
  judge_clock(*upstream, findings);
  judge_budget(status, *upstream, findings);
  return findings;
}

Finding judge_strangers(std::string_view state, std::size_t count, const json::value& page) {
  std::string keys;
  std::size_t shown = 0;
  const json::array* members = page.is_object() ? array_at(page.get_object(), "members") : nullptr;
  if (members != nullptr) {
    for (const json::value& member : *members) {
      if (!member.is_object()) continue;
      keys += (keys.empty() ? ": " : ", ") + text_at(member.get_object(), "key");
      ++shown;
    }
  }
  if (shown > 0 && count > shown) keys += ", …";
  const std::string who = counted(count, "member", "members");
  if (state == "unknown") {
    return note("members", fmt::format("Circle does not know {}{}", who, keys),
                "correct or remove them; rota members --state unknown has all");
  }
  return wrong("members",
               fmt::format("the names of {} lead to other people at Circle{}", who, keys),
               "rota member KEY shows one; correct the roster, or rota reinstate KEY");
}

UnitProperties parse_unit_properties(std::string_view text) {
  UnitProperties properties;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    properties.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return properties;
}

Finding judge_unit(const std::string& unit, const UnitProperties& properties) {
  const auto value = [&](std::string_view name) {
    const auto found = properties.find(name);
    return found == properties.end() ? std::string{} : found->second;
  };
  const std::string about = "service";
  const std::string start = "systemctl enable --now rotad.socket rotad-admin.socket rotad.service";
  if (value("LoadState") != "loaded") {
    return wrong(about, fmt::format("{} is not installed ({})", unit, value("LoadState")),
                 "install Rota's units");
  }
  const std::string active = value("ActiveState");
  if (active == "failed") {
    const std::string said = value("StatusText");
    return wrong(
        about,
        fmt::format("{} has failed ({}{}{})", unit, value("Result"), said.empty() ? "" : "; ",
                    said),
        "fix that, then: systemctl reset-failed rotad.service rotad.socket rotad-admin.socket && "
        "systemctl start rotad.socket rotad-admin.socket rotad.service");
  }
  if (active != "active" && active != "reloading") {
    return wrong(about, fmt::format("{} is {}", unit, active), start);
  }
  if (value("UnitFileState") == "disabled") {
    return note(about,
                fmt::format("{} is {}, but it is not enabled for the next boot", unit, active),
                start);
  }
  return good(about, fmt::format("{} is {}", unit, active));
}

Finding judge_client_unit(const UnitProperties& properties) {
  const auto is = [&](std::string_view name, std::string_view value) {
    const auto found = properties.find(name);
    return found != properties.end() && found->second == value;
  };
  const std::string about = "service";
  const std::string hold = fmt::format("systemctl enable --now {}", kClientUnit);
  if (!is("ActiveState", "active")) {
    return note(about,
                fmt::format("{} does not hold the port of the [[listener]]: while rotad is down, "
                            "another program of this machine can take it and get bearer tokens",
                            kClientUnit),
                fmt::format("set its ListenStream= to that address, stop rotad, then: {}", hold));
  }
  if (is("UnitFileState", "disabled")) {
    return note(about,
                fmt::format("{} is active, but it is not enabled for the next boot", kClientUnit),
                hold);
  }
  return good(about, fmt::format("{} is active", kClientUnit));
}

}  // namespace rota::cli

#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "base/time.h"
#include "roster/guard.h"

// What a plan says to a person. Pure; what others wrote is made visible().
namespace rota::cli {

// The keys that each list of a plan shows, unless all are wanted.
inline constexpr std::size_t kPlanKeysShown = 20;

// How many calls fit into a window.
struct CallPace {
  std::size_t calls = 0;         // of any kind
  std::size_t first_issues = 0;  // of members that nobody waits for
  Duration window{0};
};

enum class PlanStage {
  kOnDisk,    // rotad reads the roster by itself or at a reload
  kDraft,     // its files are not in place yet
  kReloaded,  // it has just been read
};

// What a person wants to know beside the plan. A part that is not known is left out.
struct PlanFrame {
  std::string of = "the roster on disk";
  PlanStage stage = PlanStage::kOnDisk;
  std::map<std::string, std::string> names{};  // of members, by key
  std::optional<CallPace> pace{};
  std::optional<GuardPolicy> guard{};
  // How many members of the roster are not retired, and how many the budget keeps fresh.
  std::optional<std::size_t> wanted{};
  std::optional<std::size_t> fits{};
  bool all_keys = false;
  std::optional<std::size_t> columns{};  // none: cut nothing
};

// `plan`: JSON as of GET /v1/roster/plan. Groups and counts the members, and says what the guard
// does, what it costs, and what to do next.
std::string plan_screen(const boost::json::object& plan, const PlanFrame& frame);

// About how long `adds` first issues and `others` revocations take, in words: "about 3 min".
std::string time_for(std::size_t adds, std::size_t others, const CallPace& pace);

// What can be known of a roster if nobody says who is in force: `entries` in words, as of
// size_of().
std::string roster_alone_screen(const std::string& entries, const PlanFrame& frame);

}  // namespace rota::cli

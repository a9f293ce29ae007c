#include "cli/plan_command.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <expected>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "cli/asker.h"
#include "cli/draft_roster.h"
#include "cli/fields.h"
#include "cli/import_files.h"
#include "cli/plan_screen.h"
#include "cli/records_in_force.h"
#include "cli/target.h"
#include "engine/engine.h"
#include "settings/hidden_values.h"
#include "settings/roster_file.h"
#include "settings/secret_files.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

class PlanRunner : private Asker {
 public:
  PlanRunner(const PlanCommand& command, bool raw, Transport& transport, Output& output,
             const std::function<WallTime()>& now)
      : Asker(raw, transport, output), command_(command), now_(now) {}

  ExitCode run() {
    if (const auto read = read_settings(); !read) return failed(read.error().message);
    frame_.all_keys = command_.all;
    frame_.columns = output().columns();
    const auto status = ask_status();
    if (!status) {
      const bool alone = status.error() == ExitCode::kUnreachable && has_roster();
      return alone ? say_what_the_files_tell() : status.error();
    }
    take_numbers(*status);
    return command_.files.empty() ? plan_on_disk() : plan_of_draft();
  }

 private:
  bool has_roster() const { return !command_.files.empty() || !roster_path_.empty(); }

  // Without it nobody here knows where the roster is. The daemon does.
  Result<void> read_settings() {
    const bool chosen = !command_.config.empty();
    auto settings = load_settings(chosen ? command_.config : command_.community.config());
    if (settings) {
      hidden_ = HiddenValues(*settings);
      policy_ = settings->policy;
      roster_path_ = settings->roster.path;
    } else if (chosen) {
      return fail(settings.error().kind,
                  without_secret_path(settings.error().message, command_.config));
    }
    return {};
  }

  std::expected<json::object, ExitCode> ask_status() {
    const auto reply = ask({Method::kGet, "/v1/status", kQuick});
    if (!reply) return std::unexpected(reply.error());
    auto status = object_of(*reply);
    if (!status) return std::unexpected(failed(status.error().message));
    return *std::move(status);
  }

  // The daemon's own: the configuration may have changed since it started.
  void take_numbers(const json::object& status) {
    const auto count = [](const json::object* object, std::string_view name) {
      const auto number = object == nullptr ? std::nullopt : number_at(*object, name);
      return number && *number >= 0 ? std::optional(static_cast<std::size_t>(*number))
                                    : std::nullopt;
    };
    if (const json::object* guard = object_at(status, "guard")) {
      const json::value* fraction = guard->if_contains("max_retire_fraction");
      const auto most = count(guard, "max_retire_count");
      if (most && fraction != nullptr && fraction->is_number()) {
        policy_.guard = {.max_retire_count = *most,
                         .max_retire_fraction = fraction->to_number<double>()};
        frame_.guard = policy_.guard;
      }
    }
    const json::object* upstream = object_at(status, "upstream");
    const auto calls = count(upstream, "window_limit");
    const auto window = count(upstream, "window_ms");
    const auto issues = count(object_at(status, "first_issues"), "a_window");
    if (calls && window && issues) {
      frame_.pace = CallPace{.calls = *calls,
                             .first_issues = *issues,
                             .window = Duration{static_cast<std::int64_t>(*window)}};
    }
    fits_ = count(object_at(status, "upkeep"), "fits");
  }

  ExitCode plan_on_disk() {
    const auto reply = ask({Method::kGet, "/v1/roster/plan", kQuick});
    if (!reply) return reply.error();
    if (is_raw()) return print_raw(*reply);
    const auto plan = object_of(*reply);
    if (!plan) return failed(plan.error().message);
    // The daemon has read it, so only the names are missing if this user may not.
    if (!roster_path_.empty()) {
      const auto files = read_roster(roster_path_);
      const auto roster = files ? parse_roster(*files) : Result<Roster>(std::unexpected(Error{}));
      if (roster) take_names(*roster);
    }
    ask_names_of_leavers(*plan);
    return print(plan_screen(*plan, frame_));
  }

  ExitCode plan_of_draft() {
    const auto roster = read_roster_wanted();
    if (!roster) return failed(roster.error().message);
    take_names(*roster);
    frame_.fits = fits_;
    frame_.wanted = wanted_of(*roster);
    Snapshot snapshot;
    const ExitCode listed = each_reply(
        std::string(), "members",
        [](const std::string& after) { return members_target("", "", after, kMembersPage); },
        [&](const Reply&, const json::object& page) {
          return put_on_record(page.at("members").get_array(), snapshot);
        });
    if (listed != ExitCode::kDone) return listed;
    const Engine engine(policy_, std::move(snapshot), 0, {.wall = now_(), .boot = {}});
    const RosterPlanPtr plan = engine.plan_for(SortedRoster::of(*roster));
    if (is_raw()) return print_json(plan->json);
    return print(plan_screen(json::parse(plan->json).get_object(), frame_));
  }

  ExitCode put_on_record(const json::array& members, Snapshot& snapshot) {
    for (const json::value& each : members) {
      auto record = each.is_object()
                        ? record_in_force(each.get_object(), snapshot.next_member)
                        : fail(ErrorKind::kCorrupt, "the list of members has something else");
      if (!record) return failed(record.error().message);
      for (const Selector& selector : record->selectors) {
        frame_.names.try_emplace(selector.key.text(), selector.name);
      }
      snapshot.members.push_back(*std::move(record));
      snapshot.next_member = MemberId{std::ssize(snapshot.members) + 1};
    }
    return ExitCode::kDone;
  }

  ExitCode say_what_the_files_tell() {
    const auto roster = read_roster_wanted();
    if (!roster) return failed(roster.error().message);
    Engine engine(policy_, {}, 0, {.wall = now_(), .boot = {}});
    frame_.wanted = wanted_of(*roster);
    frame_.fits = engine.members().upkeep().capacity();
    frame_.pace = CallPace{.calls = policy_.requests_per_window,
                           .first_issues = engine.budget().background_limit(),
                           .window = policy_.window};
    const ExitCode printed =
        is_raw() ? print_json(json::serialize(json::object{{"entries", roster->entries.size()},
                                                           {"wanted", *frame_.wanted},
                                                           {"fits", *frame_.fits}}))
                 : print(roster_alone_screen(size_of(*roster), frame_));
    return printed == ExitCode::kDone ? ExitCode::kUnreachable : printed;
  }

  // Of the files given, or on disk.
  Result<Roster> read_roster_wanted() {
    DraftRoster draft;
    if (command_.files.empty()) {
      auto files = read_roster(roster_path_);
      if (!files) return std::unexpected(hidden_.hide(files.error()));
      draft = {*std::move(files), roster_path_};
    } else {
      auto drafted = draft_roster(roster_path_, command_.files);
      if (!drafted) return std::unexpected(hidden_.hide(drafted.error()));
      draft = *std::move(drafted);
      frame_.stage = PlanStage::kDraft;
    }
    frame_.of = hidden_.hide(std::move(draft.of));
    auto roster = parse_roster(draft.files);
    if (!roster) return std::unexpected(hidden_.hide(roster.error()));
    return roster;
  }

  void take_names(const Roster& roster) {
    for (const RosterEntry& entry : roster.entries) {
      if (!entry.name.empty()) frame_.names.insert_or_assign(entry.key.text(), entry.name);
    }
  }

  static std::size_t wanted_of(const Roster& roster) {
    return static_cast<std::size_t>(
        std::ranges::count(roster.entries, false, &RosterEntry::retired));
  }

  // A member that the roster no longer names has its name on record.
  void ask_names_of_leavers(const json::object& plan) {
    const json::array* leavers = array_at(plan, "retire");
    if (leavers == nullptr) return;
    std::size_t shown = command_.all ? leavers->size() : kPlanKeysShown;
    for (const json::value& leaver : *leavers) {
      if (shown-- == 0) return;
      const auto key = leaver.is_string() ? MemberKey::parse(std::string(leaver.get_string()))
                                          : fail(ErrorKind::kCorrupt, "");
      if (!key || frame_.names.contains(key->text())) continue;
      const auto reply = transport().send({Method::kGet, member_target(*key, ""), kQuick});
      const auto member =
          reply && reply->status == kOk ? object_of(*reply) : fail(ErrorKind::kCorrupt, "");
      if (member) frame_.names.emplace(key->text(), text_at(*member, "name"));
    }
  }

  const PlanCommand& command_;
  const std::function<WallTime()>& now_;
  HiddenValues hidden_;
  Policy policy_;
  std::string roster_path_;  // empty: not known here
  std::optional<std::size_t> fits_;
  PlanFrame frame_;
};

}  // namespace

ExitCode run_plan(const PlanCommand& command, bool as_json, Transport& transport, Output& output,
                  const std::function<WallTime()>& now) {
  return PlanRunner(command, as_json, transport, output, now).run();
}

}  // namespace rota::cli

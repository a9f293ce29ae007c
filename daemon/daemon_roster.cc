#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/text.h"
#include "daemon/daemon.h"
#include "daemon/parts.h"
#include "report/report.h"

// How the roster on disk comes into force: at a change, at a reload, by an approval.

namespace rota {

void Daemon::watch_roster() {
  if (!settings_.roster.watch) return;
  auto watch = RosterWatch::create(
      context_.loop, settings_.roster.path,
      {.changed = [this] { roster_changed(); },
       .unsettled =
           [this] {
             context_.log.say(Severity::kWarning, "roster",
                              "changes all the time: it is read once it has been left alone");
           }});
  if (watch) {
    watch_ = *std::move(watch);
  } else {
    context_.log.say(Severity::kWarning, "roster",
                     fmt::format("changes need a reload: {}", watch.error().message));
  }
}

void Daemon::roster_changed() {
  if (stopping_) return;
  if (std::exchange(roster_read_, true)) {
    roster_stale_ = true;
    return;
  }
  context_.log.say(Severity::kDebug, "roster", "changed on disk: reading it");
  const auto settled = [this](bool taken) {
    note(taken ? AuditEvent::kReloaded : AuditEvent::kReloadFailed, "the roster, as it changed");
    if (live_ && !stopping_) context_.manager.status(status_text());
  };
  const auto take = [this, settled](const Result<Settings>& settings,
                                    Result<SortedRosterPtr> roster) {
    roster_read_ = false;
    if (roster) {
      withdraw_grants(settings);
      take_roster(*std::move(roster), {},
                  [settled](const Result<RosterPlanPtr>& plan) { settled(plan.has_value()); });
    } else {
      settled(false);
    }
    if (std::exchange(roster_stale_, false)) roster_changed();
  };
  const bool posted = files_.run(
      [config = context_.config_path, path = settings_.roster.path] {
        // The roster first: grants that were changed before it are among those that are read.
        auto roster = load_roster(path);
        return std::pair(load_own_settings(config), std::move(roster));
      },
      [this, take](std::pair<Result<Settings>, Result<SortedRosterPtr>> read) {
        note_roster(read.second);
        take(read.first, std::move(read.second));
      });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

// On the thread for files: to parse a large one takes seconds.
void Daemon::read_roster(std::move_only_function<void(Result<SortedRosterPtr>)> done) {
  const bool posted =
      files_.run([path = settings_.roster.path] { return load_roster(path); },
                 [this, done = std::move(done)](Result<SortedRosterPtr> roster) mutable {
                   note_roster(roster);
                   done(std::move(roster));
                 });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

// The last good roster stays in force while the one on disk cannot be (P6).
void Daemon::note_roster(const Result<SortedRosterPtr>& roster) {
  if (roster) {
    if (std::exchange(roster_refused_, false)) {
      context_.log.say(Severity::kInfo, "roster", "the roster on disk is good again");
    }
    return;
  }
  roster_refused_ = true;
  readings_.roster_failed(context_.hidden.hide(
      fmt::format("the last good roster stays in force: {}", roster.error().message)));
  context_.log.say(Severity::kError, "roster", readings_.standing().roster_problem);
}

// One that was read just now. The rotation keeps it until it is in force, and then destroys it on
// another thread.
void Daemon::take_roster(SortedRosterPtr roster, const std::string& approve,
                         std::move_only_function<void(const Result<RosterPlanPtr>&)> done) {
  const Readings::Id reading = readings_.roster_read();
  rotator_->apply_roster(
      std::move(roster), approve,
      {.done =
           [this, reading, done = std::move(done)](const Result<RosterPlanPtr>& plan) mutable {
             if (!plan && plan.error().kind == ErrorKind::kInvalid) {
               readings_.roster_unread(reading);
             } else {
               readings_.roster_taken(reading, rotator_->now().wall);
             }
             done(plan);
           },
       .in_force =
           [this, reading](bool held) {
             if (held) return;
             grants_.roster_in_force(static_cast<std::uint64_t>(reading));
             apply_grants();
           }});
}

// Reads as a reload would, and brings nothing into force.
void Daemon::plan(std::move_only_function<void(Result<std::string>)> done) {
  plans_asked_.push_back(std::move(done));
  // One look at a time, for all who ask meanwhile.
  if (plans_asked_.size() > 1) return;
  const bool posted = files_.run(
      [path = settings_.roster.path] { return load_roster(path); },
      [this](Result<SortedRosterPtr> roster) {
        if (!roster) return answer_plan(std::unexpected(std::move(roster).error()));
        rotator_->plan_roster(*std::move(roster),
                              [this](RosterPlanPtr plan) { answer_plan(std::move(plan)); });
      });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

void Daemon::answer_plan(const Result<RosterPlanPtr>& plan) {
  for (auto& done : std::exchange(plans_asked_, {})) {
    if (plan) {
      done((*plan)->json);
    } else {
      done(fail(
          plan.error().kind,
          context_.hidden.hide("the roster on disk cannot be used, so the one in force stays: " +
                               plan.error().message)));
    }
  }
}

}  // namespace rota

#include "daemon/roster_intake.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "daemon/parts.h"
#include "daemon/rights_on_disk.h"

namespace rota {

RosterIntake::RosterIntake(Parts parts, const RosterSettings& settings, std::string config_path)
    : parts_(parts), settings_(settings), config_path_(std::move(config_path)) {}

void RosterIntake::watch(std::function<void()> settled) {
  settled_ = std::move(settled);
  if (!settings_.watch) return;
  auto watch = RosterWatch::create(
      parts_.loop, parts_.clock, settings_.path,
      {.changed = [this] { changed(); },
       .unsettled =
           [this] {
             parts_.log.say(Severity::kWarning, "roster",
                            "keeps changing: rotad reads it once the changes stop");
           }});
  if (watch) {
    watch_ = *std::move(watch);
  } else {
    parts_.log.say(Severity::kWarning, "roster",
                   fmt::format("changes need a reload: {}", watch.error().message));
  }
}

void RosterIntake::stop() {
  stopped_ = true;
  watch_.reset();
}

Result<RosterIntake::First> RosterIntake::read_first() {
  const bool on_record = parts_.rotator.engine().members().size() > 0;
  if (on_record && is_on_record()) return First{.in_force = true, .roster = {}};
  auto roster = load_roster(settings_.path);
  if (on_record) note_reading(roster);
  if (roster) return First{.in_force = false, .roster = *std::move(roster)};
  if (on_record) return First{};
  return fail(ErrorKind::kConfig, std::move(roster).error().message);
}

// Parsing a roster of 20,000 entries and comparing it with the records takes as long as everything
// else in a start.
bool RosterIntake::is_on_record() const {
  const auto files = load_roster_files(settings_.path);
  return files && fingerprint_of(*files) == parts_.rotator.engine().roster_on_record();
}

void RosterIntake::take_first(First first, std::move_only_function<void()> in_force) {
  if (first.in_force) {
    parts_.readings.roster_taken(parts_.readings.roster_read(), parts_.rotator.now().wall);
  }
  if (!first.roster) return in_force();
  take(std::move(first.roster), {},
       [in_force = std::move(in_force)](const Result<RosterPlanPtr>& plan) mutable {
         if (plan) in_force();
       });
}

void RosterIntake::changed() {
  if (stopped_) return;
  switch (change_) {
    case Change::kReading:
    case Change::kReadingStale:
      change_ = Change::kReadingStale;
      return;
    case Change::kNone:
      break;
  }
  change_ = Change::kReading;
  parts_.log.say(Severity::kDebug, "roster", "changed on disk: reading it");
  const bool posted = parts_.files.run(
      [config = config_path_, path = settings_.path]() -> OnDisk {
        // The roster first: then grants that were changed before it are read too.
        auto roster = load_roster(path);
        auto settings = load_own_settings(config);
        return {.grants = settings ? std::move(settings->grants) : load_own_rights(config).grants,
                .roster = std::move(roster)};
      },
      [this](OnDisk on_disk) { change_read(std::move(on_disk)); });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

void RosterIntake::change_read(OnDisk on_disk) {
  note_reading(on_disk.roster);
  const bool stale = std::exchange(change_, Change::kNone) == Change::kReadingStale;
  if (on_disk.roster) {
    // The configuration may have changed with the roster. If it has an error, a reload says so.
    if (on_disk.grants) parts_.grants.withdraw_to(*on_disk.grants);
    take(*std::move(on_disk.roster), {},
         [this](const Result<RosterPlanPtr>& plan) { change_settled(plan.has_value()); });
  } else {
    change_settled(false);
  }
  if (stale) changed();
}

void RosterIntake::change_settled(bool taken) {
  parts_.notes.note(taken ? AuditEvent::kReloaded : AuditEvent::kReloadFailed,
                    "the roster changed on disk");
  settled_();
}

// On the thread for files, because parsing a large roster takes seconds.
void RosterIntake::read(std::move_only_function<void(Result<SortedRosterPtr>)> done) {
  const bool posted =
      parts_.files.run([path = settings_.path] { return load_roster(path); },
                       [this, done = std::move(done)](Result<SortedRosterPtr> roster) mutable {
                         note_reading(roster);
                         done(std::move(roster));
                       });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

void RosterIntake::note_reading(const Result<SortedRosterPtr>& roster) {
  if (roster) {
    if (std::exchange(refused_, false)) {
      parts_.log.say(Severity::kInfo, "roster", "the roster on disk is good again");
    }
    return;
  }
  refused_ = true;
  parts_.readings.roster_failed(parts_.hidden.hide(
      fmt::format("the last good roster stays in force: {}", roster.error().message)));
  parts_.log.say(Severity::kError, "roster", parts_.readings.standing().roster_problem);
}

// The rotation keeps it until it is in force, and then destroys it on another thread.
void RosterIntake::take(SortedRosterPtr roster, const std::string& approve, Taken done) {
  const Readings::Id reading = parts_.readings.roster_read();
  parts_.rotator.apply_roster(
      std::move(roster), approve,
      {.done =
           [this, reading, done = std::move(done)](const Result<RosterPlanPtr>& plan) mutable {
             if (!plan && plan.error().kind == ErrorKind::kInvalid) {
               parts_.readings.roster_unread(reading);
             } else {
               parts_.readings.roster_taken(reading, parts_.rotator.now().wall);
             }
             done(plan);
           },
       .in_force =
           [this, reading](bool held) {
             if (!held) parts_.grants.roster_in_force(reading);
           }});
}

void RosterIntake::plan(std::move_only_function<void(Result<RosterPlanPtr>)> done) {
  plans_asked_.push_back(std::move(done));
  if (plans_asked_.size() > 1) return;
  const bool posted = parts_.files.run(
      [path = settings_.path] { return load_roster(path); },
      [this](Result<SortedRosterPtr> roster) {
        if (!roster) return answer_plan(std::unexpected(std::move(roster).error()));
        parts_.rotator.plan_roster(*std::move(roster),
                                   [this](RosterPlanPtr plan) { answer_plan(std::move(plan)); });
      });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

void RosterIntake::answer_plan(const Result<RosterPlanPtr>& plan) {
  for (auto& done : std::exchange(plans_asked_, {})) {
    if (plan) {
      done(*plan);
    } else {
      done(fail(plan.error().kind, parts_.hidden.hide("the roster on disk cannot be used, so the "
                                                      "one in force stays: " +
                                                      plan.error().message)));
    }
  }
}

}  // namespace rota

#include "daemon/reloads.h"

#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "base/check.h"
#include "daemon/parts.h"
#include "daemon/restart_needed.h"
#include "report/reload_report.h"

namespace rota {
namespace {

using Part = ReloadReport::Part;

}  // namespace

// A reload that waits or is running.
struct Reloads::Reload {
  std::string approve;
  Done done;
  ReloadReport report{};
  RosterPlanPtr plan{};  // once it is applied
  int parts_left = 2;    // the names in the grants, and the roster
};

Reloads::Reloads(Parts parts, Settings settings, Fingerprint app_token, std::string config_path)
    : parts_(parts),
      config_path_(std::move(config_path)),
      settings_(std::move(settings)),
      app_token_(app_token) {}

void Reloads::reload(std::string approve, Done done) {
  auto reload =
      std::make_shared<Reload>(Reload{.approve = std::move(approve), .done = std::move(done)});
  if (reloads_.size() >= kReloadsMax) {
    reload->report.add({.kind = ErrorKind::kBusy, .message = "too many reloads are waiting"});
    boost::asio::post(parts_.loop,
                      [reload] { reload->done(std::unexpected(error_of(reload->report))); });
    return;
  }
  reloads_.push_back(std::move(reload));
  if (reloads_.size() == 1) next();
}

void Reloads::next() {
  events_.began();
  const bool posted = parts_.files.run(
      [path = config_path_, source = settings_.upstream.app_token]() -> OnDisk {
        Result<Settings> settings = load_own_settings(path);
        auto app_token = read_app_token(settings ? settings->upstream.app_token : source);
        RightsOnDisk rights = settings ? RightsOnDisk{} : load_own_rights(path);
        return {.settings = std::move(settings),
                .rights = std::move(rights),
                .app_token = std::move(app_token)};
      },
      [this, reload = reloads_.front()](OnDisk on_disk) { take(reload, std::move(on_disk)); });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

void Reloads::take(const ReloadPtr& reload, OnDisk on_disk) {
  if (on_disk.settings) {
    parts_.readings.config_read();
    take_settings(*std::move(on_disk.settings), *reload);
  } else {
    take_withdrawals(std::move(on_disk.settings).error(), on_disk.rights, *reload);
  }
  take_app_token(on_disk.app_token, *reload);
  parts_.grants.wait_for_names([this, reload] { part_done(reload); });
  take_roster(reload);
}

void Reloads::take_settings(Settings fresh, Reload& reload) {
  parts_.log.set_level(fresh.log_level);
  reload.report.needs_restart = restart_needed(settings_, fresh);
  settings_.upstream.app_token = fresh.upstream.app_token;
  const ReloadChanges clients = parts_.clients.put(fresh);
  const ReloadChanges grants = parts_.grants.put(std::move(fresh.grants));
  for (std::string text : {changes_in("clients", clients), changes_in("grants", grants)}) {
    if (!text.empty()) reload.report.changed.push_back(std::move(text));
  }
  // If it fails, the file that was read last stays in force.
  if (const auto read = parts_.client.read_ca_file_again(); !read) {
    parts_.log.say(Severity::kWarning, "ca_file", read.error().message);
    reload.report.add(read.error());
  }
}

// A withdrawal must not wait until somebody has found a typing error elsewhere in the file.
void Reloads::take_withdrawals(Error error, const RightsOnDisk& rights, Reload& reload) {
  const ReloadChanges clients = parts_.clients.withdraw_to(rights);
  ReloadChanges grants;
  error.message += "; the configuration in force stays in force, ";
  if (rights.grants) {
    grants = parts_.grants.withdraw_to(*rights.grants);
    error.message +=
        "but grants and clients that are gone on disk or have an error there are withdrawn, and "
        "added ones wait until the error is corrected";
  } else {
    error.message += "with its grants";
  }
  for (const std::string& text : {changes_in("grants", grants), changes_in("clients", clients)}) {
    if (!text.empty()) error.message += fmt::format(" ({})", text);
  }
  parts_.readings.config_failed(error.message);
  reload.report.add(error);
  reload.report.configuration = reload.report.grants = Part::kFailed;
}

void Reloads::take_app_token(const Result<SecretPtr>& app_token, Reload& reload) {
  const auto failed = [&](const Error& error) {
    parts_.readings.app_token_failed(error.message);
    reload.report.add(error);
    reload.report.app_token = Part::kFailed;
  };
  if (!app_token) return failed(app_token.error());
  const Fingerprint read = fingerprint_of((*app_token)->reveal());
  if (read != app_token_) {
    if (auto set = parts_.client.set_app_token(*app_token); !set) return failed(set.error());
    app_token_ = read;
    parts_.log.say(Severity::kInfo, "app_token", "a new app token is in force");
    parts_.notes.note(AuditEvent::kAppTokenChanged);
    parts_.rotator.new_app_token();
  }
  parts_.readings.app_token_read();
}

void Reloads::take_roster(const ReloadPtr& reload) {
  parts_.roster.read([this, reload](Result<SortedRosterPtr> roster) {
    if (roster) {
      return parts_.roster.take(
          *std::move(roster), reload->approve,
          [this, reload](const Result<RosterPlanPtr>& plan) { roster_taken(reload, plan); });
    }
    reload->report.add(
        {.kind = roster.error().kind,
         .message = roster.error().message + "; the last good roster stays in force"});
    reload->report.roster = Part::kFailed;
    part_done(reload);
  });
}

void Reloads::roster_taken(const ReloadPtr& reload, const Result<RosterPlanPtr>& plan) {
  if (plan) {
    reload->plan = *plan;
    if ((*plan)->held) reload->report.roster = Part::kWaiting;
  } else {
    reload->report.roster = Part::kFailed;
    const bool refused = plan.error().kind == ErrorKind::kInvalid;
    reload->report.add({.kind = plan.error().kind,
                        .message = refused ? plan.error().message
                                           : "the roster was read, but it cannot be stored yet; it "
                                             "comes into force as soon as it is stored: " +
                                                 plan.error().message});
  }
  part_done(reload);
}

void Reloads::part_done(const ReloadPtr& reload) {
  if (--reload->parts_left == 0) finish(reload);
}

void Reloads::finish(const ReloadPtr& reload) {
  ReloadReport& report = reload->report;
  report.held_back = parts_.readings.standing().held_grants;
  if (report.grants == Part::kInForce && parts_.grants.waiting()) report.grants = Part::kWaiting;
  for (const std::string& warning : warnings_of(report)) {
    parts_.log.say(Severity::kWarning, "reload", warning);
  }
  // The plan of a large roster is long, so another thread copies and destroys it.
  if (report.failed()) {
    parts_.files.post([plan = std::move(reload->plan)] {});
    return finished(reload, std::unexpected(parts_.hidden.hide(error_of(report))));
  }
  const bool posted = parts_.files.run(
      [plan = std::move(reload->plan), report] { return with_report(plan->json, report); },
      [this, reload](std::string text) { finished(reload, std::move(text)); });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

void Reloads::finished(const ReloadPtr& reload, Result<std::string> answer) {
  events_.ended(answer.has_value());
  if (answer) {
    parts_.log.say(Severity::kInfo, "reload", "done");
    parts_.notes.note(AuditEvent::kReloaded);
  } else {
    parts_.log.say(Severity::kError, "reload", answer.error().message);
    parts_.notes.note(AuditEvent::kReloadFailed);
  }
  reload->done(std::move(answer));
  reloads_.pop_front();
  if (!reloads_.empty()) next();
}

}  // namespace rota

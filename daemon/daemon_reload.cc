#include <fmt/format.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "base/check.h"
#include "daemon/daemon.h"
#include "daemon/own_path.h"
#include "daemon/parts.h"
#include "daemon/reload_report.h"
#include "report/report.h"

// A reload: configuration, grants, app token and roster come into force each for itself. Grants
// that went are withdrawn first, and those that came wait for the roster
// (daemon/grants_in_force.h), so that no moment in between gives more than the old state would, or
// the new one.

namespace rota {
namespace {

using Part = ReloadReport::Part;

// How long a reload waits for the system's name services. They go on without it.
constexpr Duration kNamesMax{5'000};
constexpr std::size_t kReloadsMax = 64;

std::vector<std::string> need_restart(const Settings& old, const Settings& fresh) {
  std::vector<std::string> sections;
  const auto compare = [&sections](std::string_view name, bool same) {
    if (!same) sections.emplace_back(name);
  };
  UpstreamSettings upstream = fresh.upstream;
  upstream.app_token = old.upstream.app_token;  // a reload reads that
  // The policy has parts of three sections (plan/policy.h).
  Policy rotation = fresh.policy;
  rotation.requests_per_window = old.policy.requests_per_window;
  rotation.window = old.policy.window;
  rotation.max_in_flight = old.policy.max_in_flight;
  Policy without_upstream = rotation;
  rotation.guard = old.policy.guard;
  compare("upstream", upstream == old.upstream && without_upstream == fresh.policy);
  compare("rotation", rotation == old.policy);
  compare("roster", fresh.roster == old.roster && without_upstream.guard == rotation.guard);
  compare("store", fresh.store == old.store);
  compare("audit", fresh.audit == old.audit);
  compare("serve", fresh.serve == old.serve);
  return sections;
}

}  // namespace

// One that waits or is under way.
struct Daemon::Reload {
  std::string approve;
  std::move_only_function<void(Result<std::string>)> done;
  ReloadReport report{};
  RosterPlanPtr plan{};  // once it is applied
  int parts_left = 2;    // the names in the grants, and the roster
  bool names_done = false;
};

struct Daemon::ConfigOnDisk {
  Result<Settings> settings;
  Result<SecretPtr> app_token;  // from where those settings say, or else those in force
};

void Daemon::reload(std::string approve, std::move_only_function<void(Result<std::string>)> done) {
  auto reload =
      std::make_shared<Reload>(Reload{.approve = std::move(approve), .done = std::move(done)});
  if (reloads_.size() >= kReloadsMax) {
    reload->report.add({.kind = ErrorKind::kBusy, .message = "too many reloads wait"});
    // The caller's answer must not come from inside its question.
    boost::asio::post(context_.loop,
                      [reload] { reload->done(std::unexpected(error_of(reload->report))); });
    return;
  }
  reloads_.push_back(std::move(reload));
  if (reloads_.size() == 1) next_reload();
}

void Daemon::next_reload() {
  context_.manager.reloading();
  const bool posted = files_.run(
      [path = context_.config_path, source = settings_.upstream.app_token]() -> ConfigOnDisk {
        Result<Settings> settings = load_own_settings(path);
        auto app_token = read_app_token(settings ? settings->upstream.app_token : source);
        return {.settings = std::move(settings), .app_token = std::move(app_token)};
      },
      [this, reload = reloads_.front()](ConfigOnDisk read) {
        take_config(reload, std::move(read));
      });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

void Daemon::take_config(const ReloadPtr& reload, ConfigOnDisk read) {
  if (read.settings) {
    readings_.config_read();
    take_settings(*std::move(read.settings), *reload);
  } else {
    Error error = std::move(read.settings).error();
    error.message += "; the configuration that was in force stays so, its grants included";
    readings_.config_failed(error.message);
    reload->report.add(error);
    reload->report.configuration = reload->report.grants = Part::kFailed;
  }
  take_app_token(read.app_token, *reload);
  const auto names_done = [this, reload] {
    if (!std::exchange(reload->names_done, true)) part_reloaded(reload);
  };
  if (names_asked_) {
    names_wanted_.emplace_back(names_done);
    const auto limit = std::make_shared<boost::asio::steady_timer>(context_.loop, kNamesMax);
    limit->async_wait([limit, names_done](const boost::system::error_code&) { names_done(); });
  } else {
    names_done();
  }
  reload_roster(reload);
}

void Daemon::take_settings(Settings fresh, Reload& reload) {
  settings_.log_level = fresh.log_level;
  context_.log.set_level(fresh.log_level);
  reload.report.needs_restart = need_restart(settings_, fresh);
  settings_.upstream.app_token = fresh.upstream.app_token;
  put_grants(std::move(fresh.grants));
  // What was read last stays in force.
  if (const auto read = client_->read_ca_file_again(); !read) {
    context_.log.say(Severity::kWarning, "ca_file", read.error().message);
    reload.report.add(read.error());
  }
}

void Daemon::take_app_token(const Result<SecretPtr>& app_token, Reload& reload) {
  const auto failed = [&](const Error& error) {
    readings_.app_token_failed(error.message);
    reload.report.add(error);
    reload.report.app_token = Part::kFailed;
  };
  if (!app_token) return failed(app_token.error());
  const Fingerprint read = fingerprint_of((*app_token)->reveal());
  if (read != app_token_) {
    if (auto set = client_->set_app_token(*app_token); !set) return failed(set.error());
    app_token_ = read;
    context_.log.say(Severity::kInfo, "app_token", "a new app token is in force");
    note(AuditEvent::kAppTokenChanged);
    rotator_->new_app_token();
  }
  readings_.app_token_read();
}

void Daemon::reload_roster(const ReloadPtr& reload) {
  read_roster([this, reload](Result<SortedRosterPtr> roster) {
    if (roster) {
      return take_roster(
          *std::move(roster), reload->approve,
          [this, reload](const Result<RosterPlanPtr>& plan) { roster_reloaded(reload, plan); });
    }
    reload->report.add(
        {.kind = roster.error().kind,
         .message = roster.error().message + "; the last good roster stays in force"});
    reload->report.roster = Part::kFailed;
    part_reloaded(reload);
  });
}

void Daemon::roster_reloaded(const ReloadPtr& reload, const Result<RosterPlanPtr>& plan) {
  if (plan) {
    reload->plan = *plan;
    if ((*plan)->held) reload->report.roster = Part::kWaiting;
  } else {
    reload->report.roster = Part::kFailed;
    const bool refused = plan.error().kind == ErrorKind::kInvalid;
    reload->report.add({.kind = plan.error().kind,
                        .message = refused
                                       ? plan.error().message
                                       : "the roster was read and goes into force as soon as it "
                                         "can be stored, which fails now: " +
                                             plan.error().message});
  }
  part_reloaded(reload);
}

void Daemon::part_reloaded(const ReloadPtr& reload) {
  if (--reload->parts_left == 0) finish_reload(reload);
}

void Daemon::finish_reload(const ReloadPtr& reload) {
  ReloadReport& report = reload->report;
  report.held_back = readings_.standing().held_grants;
  if (report.grants == Part::kInForce && grants_.waiting()) report.grants = Part::kWaiting;
  for (const std::string& warning : warnings_of(report)) {
    context_.log.say(Severity::kWarning, "reload", warning);
  }
  // The plan of a large roster is long: another thread copies it, and destroys it.
  if (report.failed()) {
    files_.post([plan = std::move(reload->plan)] {});
    return reload_finished(reload, std::unexpected(context_.hidden.hide(error_of(report))));
  }
  const bool posted = files_.run(
      [plan = std::move(reload->plan), report] { return with_report(plan->json, report); },
      [this, reload](std::string text) { reload_finished(reload, std::move(text)); });
  ROTA_CHECK(posted);  // no more jobs than there is room for
}

void Daemon::reload_finished(const ReloadPtr& reload, Result<std::string> answer) {
  if (answer) {
    context_.manager.ready(status_text());
    context_.log.say(Severity::kInfo, "reload", "done");
    note(AuditEvent::kReloaded);
  } else {
    context_.manager.ready("The last reload failed (the log says why); " + status_text());
    context_.log.say(Severity::kError, "reload", answer.error().message);
    note(AuditEvent::kReloadFailed);
  }
  reload->done(std::move(answer));
  reloads_.pop_front();
  if (!reloads_.empty()) next_reload();
}

}  // namespace rota

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "daemon/accounts.h"
#include "daemon/daemon.h"
#include "daemon/parts.h"
#include "rotator/report.h"

// How the files on disk come into force: at a change, at a reload, by an approval.

namespace rota {
namespace {

Result<std::string> answer_of(const Result<RosterPlan>& plan) {
  if (plan) return rota::plan_json(*plan);
  return fail(plan.error().kind,
              fmt::format("the roster was read and goes into force as soon as it can be stored, "
                          "which fails now: {}",
                          plan.error().message));
}

constexpr std::size_t kGrantTextMax = 1'000;  // a grant may name very many

// As the configuration has it, but for its place there.
std::string text_of(const GrantSettings& grant) {
  std::string text = fmt::format(
      "{} {}:", grant.holder == GrantSettings::Holder::kUser ? "user" : "group", grant.name);
  if (grant.all_members) text += " *";
  for (const std::string& tag : grant.tags) text += " tag:" + tag;
  for (const MemberKey& key : grant.members) text += " " + key.text();
  return text;
}

}  // namespace

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
  context_.log.say(Severity::kDebug, "roster", "changed on disk: reading it");
  const auto tell_manager = [this] {
    if (live_ && !stopping_) context_.manager.status(status_text());
  };
  const auto roster = read_roster_on_disk();
  const auto settled = [this, tell_manager](bool taken) {
    note(taken ? AuditEvent::kReloaded : AuditEvent::kReloadFailed, "the roster, as it changed");
    tell_manager();
  };
  if (!roster) return settled(false);
  take_roster(*roster, {},
              [settled](const Result<RosterPlan>& plan) { settled(plan.has_value()); });
}

// All of it, or nothing. What is read here is in force at once, for open connections too.
Result<void> Daemon::reload_settings() {
  ROTA_ASSIGN(Settings fresh, load_settings(context_.config_path));
  ROTA_ASSIGN(const std::vector<Grant> grants, resolve_grants(fresh.grants));
  ROTA_ASSIGN(SecretPtr app_token, read_app_token(fresh));
  const Fingerprint read = fingerprint_of(app_token->reveal());
  if (read != app_token_) {
    ROTA_TRY(client_->set_app_token(app_token));
    app_token_ = read;
    context_.log.say(Severity::kInfo, "app_token", "a new app token is in force");
    note(AuditEvent::kAppTokenChanged);
    rotator_->new_app_token();
  }
  // Even where the text is the same a name may have come to mean another user.
  access_ = AccessPolicy(::geteuid(), grants);
  token_server_->grants_changed();
  admin_server_->grants_changed();
  if (fresh.grants != settings_.grants) {
    context_.log.say(Severity::kInfo, "grants",
                     fmt::format("new grants are in force: {}", grants.size()));
    note_grants(settings_.grants, fresh.grants);
    settings_.grants = std::move(fresh.grants);
  }
  settings_.upstream.app_token = fresh.upstream.app_token;
  settings_.log_level = fresh.log_level;
  context_.log.set_level(fresh.log_level);
  warn_of_restart(fresh);
  return {};
}

// One entry for each grant that went, and for each that came.
void Daemon::note_grants(const std::vector<GrantSettings>& before,
                         const std::vector<GrantSettings>& after) {
  const auto note_missing = [this](const auto& in, const auto& from, std::string_view what) {
    for (const GrantSettings& grant : in) {
      const std::string text = text_of(grant);
      const bool there = std::ranges::any_of(
          from, [&](const GrantSettings& other) { return text_of(other) == text; });
      if (there) continue;
      note(AuditEvent::kGrantsChanged, shortened(fmt::format("{}: {}", what, text), kGrantTextMax));
    }
  };
  note_missing(before, after, "withdrawn");
  note_missing(after, before, "granted");
}

void Daemon::warn_of_restart(const Settings& fresh) {
  const bool same = fresh.upstream == settings_.upstream && fresh.roster == settings_.roster &&
                    fresh.store == settings_.store && fresh.audit == settings_.audit &&
                    fresh.serve == settings_.serve && fresh.policy == settings_.policy;
  if (same) return;
  context_.log.say(Severity::kWarning, "reload",
                   "a reload takes in roster, grants, app token and log level; what else has "
                   "changed in the configuration needs a restart");
}

// The last good roster stays in force while the one on disk cannot be (P6).
Result<Roster> Daemon::read_roster_on_disk() {
  auto roster = load_roster(settings_.roster.path);
  if (roster) {
    if (std::exchange(roster_refused_, false)) {
      context_.log.say(Severity::kInfo, "roster", "the roster on disk is good again");
    }
    return roster;
  }
  roster_refused_ = true;
  readings_.roster_failed(
      fmt::format("the last good roster stays in force: {}", roster.error().message));
  context_.log.say(Severity::kError, "roster", readings_.standing().roster_problem);
  return roster;
}

// One that was read just now, and is in force from here on.
void Daemon::take_roster(const Roster& roster, const std::string& approve,
                         std::move_only_function<void(const Result<RosterPlan>&)> done) {
  rotator_->apply_roster(roster, approve,
                         [this, reading = readings_.roster_read(),
                          done = std::move(done)](const Result<RosterPlan>& plan) mutable {
                           readings_.roster_taken(reading, rotator_->now().wall);
                           done(plan);
                         });
}

// An approval is for exactly the retirements that the operator has seen: one for anything else
// changes nothing at all.
Result<void> Daemon::check_approval(const Roster& roster, const std::string& approve) const {
  const RosterPlan plan = rotator_->engine().plan_for(roster);
  if (plan.id == approve && !plan.retire.empty()) return {};
  const auto& held = rotator_->engine().held_plan();
  if (!plan.held) {
    return fail(ErrorKind::kInvalid,
                fmt::format("plan {} is not held: the roster on disk needs no approval", approve));
  }
  if (held && held->id == plan.id) {
    return fail(
        ErrorKind::kInvalid,
        fmt::format("plan {} is not held: the plan held now is {}, which retires {} members",
                    approve, plan.id, plan.retire.size()));
  }
  return fail(
      ErrorKind::kInvalid,
      fmt::format("plan {} is not what the roster on disk asks for by now: that is plan {}, "
                  "which retires {} members; `rota reload` reads it, `rota plan` shows it",
                  approve, plan.id, plan.retire.size()));
}

void Daemon::reload(std::string approve, std::move_only_function<void(Result<std::string>)> done) {
  context_.manager.reloading();
  auto finish = [this, done = std::move(done)](Result<std::string> result) mutable {
    if (result) {
      context_.manager.ready(status_text());
      context_.log.say(Severity::kInfo, "reload", "done");
      note(AuditEvent::kReloaded);
    } else {
      context_.manager.ready("The last reload failed: " + result.error().message);
      context_.log.say(Severity::kError, "reload", result.error().message);
      note(AuditEvent::kReloadFailed);
    }
    done(std::move(result));
  };
  // The caller's answer must not come from inside its question.
  boost::asio::post(
      context_.loop, [this, approve = std::move(approve), finish = std::move(finish)]() mutable {
        auto roster = prepare_reload(approve);
        if (!roster) return finish(std::unexpected(std::move(roster).error()));
        take_roster(*roster, approve,
                    [finish = std::move(finish)](const Result<RosterPlan>& plan) mutable {
                      finish(answer_of(plan));
                    });
      });
}

// The roster to apply, once all the rest that a reload is about is in force.
Result<Roster> Daemon::prepare_reload(const std::string& approve) {
  ROTA_ASSIGN(Roster roster, read_roster_on_disk());
  if (!approve.empty()) ROTA_TRY(check_approval(roster, approve));
  if (auto settings = reload_settings(); !settings) {
    settings.error().message +=
        "; the configuration that was in force stays so, its grants included";
    readings_.config_failed(settings.error().message);
    return std::unexpected(std::move(settings).error());
  }
  readings_.config_read();
  return roster;
}

}  // namespace rota

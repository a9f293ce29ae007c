#include "daemon/daemon_life.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/text.h"
#include "daemon/last_word.h"
#include "daemon/version.h"
#include "report/health.h"
#include "report/status.h"
#include "settings/accounts.h"
#include "settings/hardening.h"

namespace rota {
namespace {

// Long enough for a client that fetches now and then to get `Connection: close`.
constexpr Server::ShutdownTimes kShutdown{.farewell = std::chrono::seconds{1},
                                          .grace = std::chrono::seconds{5}};
// The time that a stop asks for, again and again, so that a stuck one does not get unlimited time.
constexpr Duration kStopTime{15'000};
constexpr Duration kStatusInterval{10'000};
constexpr Duration kFirstRosterMax{2'000};
constexpr int kFirstRosterWaits = 30;  // at most, while the disk takes a large one
// How soon to look again at an engine that seemed stuck (a timer may be about to fire), or at a
// stop.
constexpr Duration kSoonInterval{1'000};
// How often to check the files that others may remove: the database and the sockets.
constexpr Duration kLookEvery{4'000};

}  // namespace

DaemonLife::DaemonLife(Parts parts, Options options)
    : parts_(parts),
      options_(std::move(options)),
      signals_(parts_.loop),
      informing_(parts_.loop),
      going_live_(parts_.loop),
      looking_(parts_.loop),
      stop_limit_(parts_.loop) {}

Result<void> DaemonLife::start() {
  parts_.files.watch({.reload_began = [this] { parts_.manager.reloading(); },
                      .reload_ended = [this](bool done) { reload_ended(done); },
                      .change_settled = [this] { roster_change_settled(); }});
  parts_.files.grants().on_change([this] { parts_.listeners.grants_changed(); });
  parts_.files.clients().on_change([this] {
    parts_.listeners.clients_changed();
    parts_.rotator.client_fetches().keep(parts_.files.clients().clients().names());
  });
  parts_.rotator.client_fetches().keep(parts_.files.clients().clients().names());
  ROTA_ASSIGN(RosterIntake::First roster, parts_.files.roster().read_first());
  if (::geteuid() == overflow_ids().user) {
    parts_.log.say(Severity::kWarning, "grants",
                   "rotad runs as the user that the kernel shows for all users of other user "
                   "namespaces: all of them count as rotad's own user on its sockets");
  }
  // Not earlier: until here a signal to stop ends the process at once.
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) signals_.add(signal);
  ROTA_TRY(parts_.listeners.open());

  parts_.rotator.start();
  const std::string doubts = parts_.rotator.database_doubts();
  parts_.notes.note(AuditEvent::kStarted,
                    fmt::format("rotad {}{}{}", kVersion, doubts.empty() ? "" : "; ",
                                doubts.substr(0, doubts.find('.'))));
  wait_for_signals();
  release_reload_signal();
  // Clients wait in the backlog until the roster is durable. Otherwise its new members would be
  // unknown to them, and its leavers would still be served. But if commits fail, they must get the
  // tokens that are already durable.
  parts_.files.roster().take_first(std::move(roster), [this] { go_live(); });
  wait_for_first_roster(kFirstRosterWaits);
  return {};
}

// A large roster takes many commits to become durable. Clients wait as long as the commits work.
void DaemonLife::wait_for_first_roster(int waits) {
  if (phase_ != Phase::kStarting) return;
  going_live_.expires_after(kFirstRosterMax);
  going_live_.async_wait([this, waits](const boost::system::error_code& error) {
    if (error) return;
    const Engine& engine = parts_.rotator.engine();
    const bool goes_on = engine.applies_roster() && !engine.outbox().error() &&
                         engine.outbox().running_for(parts_.rotator.now().boot) < kFirstRosterMax;
    if (goes_on && waits > 0) {
      wait_for_first_roster(waits - 1);
    } else {
      go_live();
    }
  });
}

void DaemonLife::go_live() {
  switch (phase_) {
    case Phase::kLive:
    case Phase::kStopping:
      return;
    case Phase::kStarting:
      break;
  }
  phase_ = Phase::kLive;
  going_live_.cancel();
  parts_.listeners.start();
  parts_.manager.ready(status_text());
  parts_.log.say(Severity::kInfo, "ready",
                 fmt::format("rotad {} serves {} on {}", kVersion,
                             counted(parts_.rotator.engine().members().size(), "member", "members"),
                             options_.token_socket));
  keep_manager_informed();
  keep_files_in_place();
}

void DaemonLife::wait_for_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      parts_.notes.note(AuditEvent::kReloadAsked, "by SIGHUP");
      // The log says how it went.
      parts_.files.reloads().reload({}, [](const Result<std::string>&) {});
    } else {
      stop();
    }
    wait_for_signals();
  });
}

void DaemonLife::reload_ended(bool done) {
  const std::string_view how = done ? "" : "The last reload failed (the log says why); ";
  parts_.manager.ready(std::string(how) + status_text());
}

void DaemonLife::roster_change_settled() {
  switch (phase_) {
    case Phase::kLive:
      return parts_.manager.status(status_text());
    case Phase::kStarting:
    case Phase::kStopping:
      return;
  }
}

// Feeds the watchdog only while the engine makes progress.
void DaemonLife::keep_manager_informed() {
  const bool stuck = parts_.rotator.engine().is_stuck(parts_.rotator.now());
  const bool stopping = phase_ == Phase::kStopping;
  ServiceManager::News news{.alive = !stuck, .status = stopping ? stopping_text() : status_text()};
  if (stopping) news.more_time = kStopTime;
  parts_.manager.tell(news);
  parts_.health.read_freshness();
  parts_.connections.summarize();
  parts_.log.tell_dropped();
  inform_manager_again(stuck || stopping);
}

void DaemonLife::inform_manager_again(bool soon) {
  const Duration interval =
      std::min(kStatusInterval, ServiceManager::watchdog_interval().value_or(kStatusInterval));
  informing_.expires_after(soon ? std::min(kSoonInterval, interval) : interval);
  informing_.async_wait([this](const boost::system::error_code& error) {
    if (!error) keep_manager_informed();
  });
}

void DaemonLife::keep_files_in_place() {
  if (phase_ == Phase::kStopping) return;
  parts_.rotator.look_after_store();
  parts_.listeners.keep_in_place();
  looking_.expires_after(kLookEvery);
  looking_.async_wait([this](const boost::system::error_code& error) {
    if (!error) keep_files_in_place();
  });
}

void DaemonLife::stop() {
  if (std::exchange(phase_, Phase::kStopping) == Phase::kStopping) return;
  parts_.manager.stopping(stopping_text(), kStopTime);
  parts_.log.say(Severity::kInfo, "stopping", "finishing the calls in flight");
  parts_.files.stop();
  parts_stopping_ = 2;
  // The rotator answers waiting clients first, so that the servers only have to send those answers.
  parts_.rotator.stop([this] { part_stopped(); });
  parts_.listeners.shutdown(kShutdown, [this] { part_stopped(); });
  inform_manager_again(true);
  stop_limit_.expires_after(options_.request_timeout + kShutdown.farewell + kShutdown.grace);
  stop_limit_.async_wait([this](const boost::system::error_code& error) {
    if (!error) stopped_in_part();
  });
}

void DaemonLife::part_stopped() {
  if (--parts_stopping_ > 0) return;
  parts_.connections.finish();
  // If a write failed now, entries would be lost, and this one would wrongly say that nothing is
  // missing.
  parts_.rotator.audit_trail().settle([this] {
    parts_.notes.note(AuditEvent::kStopped);
    // Nothing may have been written for a while, and the database may have gone meanwhile.
    parts_.rotator.look_after_store([this] { end(true); });
  });
}

void DaemonLife::stopped_in_part() {
  parts_.connections.finish();
  end(false);
}

void DaemonLife::end(bool in_time) {
  const Engine& engine = parts_.rotator.engine();
  const AuditHealth audit = parts_.rotator.audit_trail().health();
  const auto& error = engine.outbox().error();
  const LastWord word = last_word({.in_time = in_time,
                                   .calls_in_flight = engine.gate().in_flight(),
                                   .changes_left = !engine.outbox().is_durable(),
                                   .commit_error = error ? error->message : std::string(),
                                   .database_problem = parts_.rotator.database_problem(),
                                   .audit_left = audit.failing ? audit.waiting : 0});
  all_is_durable_ = word.all_is_durable;
  parts_.log.say(word.severity, "stopped", word.text);
  parts_.loop.stop();
}

// Every local user can read this, so it has the codes of the reasons and not their details. The
// codes come first, because `systemctl status` cuts long lines at the end.
std::string DaemonLife::status_text() const {
  const Health health = parts_.health.health();
  std::string text;
  for (const UnreadyReason& reason : unready_reasons(health)) {
    text += fmt::format("{}{}", text.empty() ? "Not ready: " : ", ", name_of(reason.code));
  }
  if (!text.empty()) text += " (rota status says more); ";
  return text + status_line(health);
}

std::string DaemonLife::stopping_text() const {
  return fmt::format("Stopping: {} calls in flight, {} connections open",
                     parts_.rotator.engine().gate().in_flight(), parts_.listeners.connections());
}

}  // namespace rota

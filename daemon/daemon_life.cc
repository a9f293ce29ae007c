#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "base/text.h"
#include "daemon/daemon.h"
#include "daemon/parts.h"
#include "daemon/version.h"
#include "report/report.h"
#include "settings/accounts.h"
#include "settings/hardening.h"

// From the start to the stop, and what the service manager hears of it.

namespace rota {
namespace {

// Long enough for a client that fetches now and then to hear `Connection: close`.
constexpr Server::ShutdownTimes kShutdown{.farewell = std::chrono::seconds{1},
                                          .grace = std::chrono::seconds{5}};
// What a stop asks for at every turn, so that one that is stuck does not get for ever.
constexpr Duration kStopTime{15'000};
constexpr Duration kStatusInterval{10'000};
constexpr Duration kFirstRosterMax{2'000};
constexpr int kFirstRosterWaits = 30;  // at most, while the disk takes a large one
// How soon one is looked at again that seemed stuck, since a timer may be about to fire, and one
// that stops.
constexpr Duration kSoonInterval{1'000};

}  // namespace

Result<void> Daemon::start() {
  watch_roster();
  const bool on_record = rotator_->engine().members().size() > 0;
  const bool in_force = on_record && is_roster_on_record();
  Result<SortedRosterPtr> roster{};
  if (!in_force) {
    roster = load_roster(settings_.roster.path);
    if (on_record) note_roster(roster);
  }
  if (!roster && !on_record) {
    return fail(ErrorKind::kConfig, std::move(roster).error().message);
  }
  if (::geteuid() == overflow_ids().user) {
    context_.log.say(Severity::kWarning, "grants",
                     "rotad runs as the user that everybody of another user namespace appears as: "
                     "whoever reaches its sockets counts as its own user");
  }
  const HealthService& health = *this;
  token_frontend_ = std::make_unique<Frontend>(*rotator_, access_, health, nullptr);
  admin_frontend_ =
      std::make_unique<Frontend>(*rotator_, access_, health, static_cast<AdminService*>(this));
  metrics_frontend_ = std::make_unique<Frontend>(health);
  // Not before: until here a signal to stop ends the process at once.
  for (const int signal : {SIGHUP, SIGTERM, SIGINT}) signals_.add(signal);
  ROTA_TRY(open_sockets());
  open_metrics();

  rotator_->start();
  const std::string doubts = rotator_->database_doubts();
  note(AuditEvent::kStarted, fmt::format("rotad {}{}{}", kVersion, doubts.empty() ? "" : "; ",
                                         doubts.substr(0, doubts.find('.'))));
  wait_for_signals();
  release_reload_signal();
  if (in_force) readings_.roster_taken(readings_.roster_read(), rotator_->now().wall);
  if (in_force || !roster) {
    go_live();
    return {};
  }
  // Clients wait in the backlog until the roster is durable: its new members would be unknown to
  // them, and its leavers would be served. But a disk that takes nothing must not keep them from
  // what is durable already.
  take_roster(*std::move(roster), {}, [this](const Result<RosterPlanPtr>& plan) {
    if (plan) go_live();
  });
  wait_for_first_roster(kFirstRosterWaits);
  return {};
}

// A large roster is durable in many commits: as long as the disk takes them, clients wait.
void Daemon::wait_for_first_roster(int waits) {
  going_live_.expires_after(kFirstRosterMax);
  going_live_.async_wait([this, waits](const boost::system::error_code& error) {
    if (error) return;
    const Engine& engine = rotator_->engine();
    const bool goes_on = engine.applies_roster() && !engine.outbox().error() &&
                         engine.outbox().running_for(rotator_->now().boot) < kFirstRosterMax;
    if (goes_on && waits > 0) {
      wait_for_first_roster(waits - 1);
    } else {
      go_live();
    }
  });
}

// To parse a roster of 20,000 entries and to compare it with what is on record takes as long as all
// the rest of a start.
bool Daemon::is_roster_on_record() const {
  const auto files = load_roster_files(settings_.roster.path);
  return files && fingerprint_of(*files) == rotator_->engine().roster_on_record();
}

void Daemon::go_live() {
  if (stopping_ || std::exchange(live_, true)) return;
  going_live_.cancel();
  token_server_->start();
  admin_server_->start();
  if (metrics_server_) metrics_server_->start();
  context_.manager.ready(status_text());
  context_.log.say(Severity::kInfo, "ready",
                   fmt::format("rotad {} serves {} on {}", kVersion,
                               counted(rotator_->engine().members().size(), "member", "members"),
                               settings_.serve.token_socket));
  keep_manager_informed();
  keep_files_in_place();
}

void Daemon::wait_for_signals() {
  signals_.async_wait([this](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      note(AuditEvent::kReloadAsked, "by SIGHUP");
      reload({}, [](const Result<std::string>&) {});  // reload() says in the log how it went
    } else {
      stop();
    }
    wait_for_signals();
  });
}

// The watchdog is fed by the engine's progress: what is due must not stay undone.
void Daemon::keep_manager_informed() {
  const bool stuck = rotator_->engine().is_stuck(rotator_->now());
  ServiceManager::News news{.alive = !stuck, .status = status_text()};
  if (stopping_) {
    news.status = stopping_text();
    news.more_time = kStopTime;
  }
  context_.manager.tell(news);
  connection_log_.summarize();
  context_.log.tell_dropped();
  inform_manager_again(stuck || stopping_);
}

void Daemon::inform_manager_again(bool soon) {
  const Duration interval =
      std::min(kStatusInterval, ServiceManager::watchdog_interval().value_or(kStatusInterval));
  informing_.expires_after(soon ? std::min(kSoonInterval, interval) : interval);
  informing_.async_wait([this](const boost::system::error_code& error) {
    if (!error) keep_manager_informed();
  });
}

void Daemon::stop() {
  if (std::exchange(stopping_, true)) return;
  context_.manager.stopping(stopping_text(), kStopTime);
  context_.log.say(Severity::kInfo, "stopping", "finishing the calls in flight");
  watch_.reset();
  names_again_.cancel();
  metrics_again_.cancel();
  parts_stopping_ = metrics_server_ ? 4 : 3;
  // Waiting clients are answered by the rotator first, so that the servers have nothing open but
  // that.
  rotator_->stop([this] { part_stopped(); });
  token_server_->shutdown(kShutdown, [this] { part_stopped(); });
  admin_server_->shutdown(kShutdown, [this] { part_stopped(); });
  if (metrics_server_) metrics_server_->shutdown(kShutdown, [this] { part_stopped(); });
  inform_manager_again(true);
  stop_limit_.expires_after(settings_.upstream.request_timeout + kShutdown.farewell +
                            kShutdown.grace);
  stop_limit_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    connection_log_.finish();
    context_.log.say(Severity::kError, "stopping",
                     "not everything ended in time: the call journal tells the next start");
    context_.loop.stop();
  });
}

void Daemon::part_stopped() {
  if (--parts_stopping_ > 0) return;
  connection_log_.finish();
  // A write that fails now would be lost, and this entry would say that nothing was.
  rotator_->audit_trail().settle([this] {
    note(AuditEvent::kStopped);
    context_.log.say(Severity::kInfo, "stopped", "all calls are finished and committed");
    context_.loop.stop();
  });
}

// Every local user can read this, so it has the codes of the reasons, and not their details. The
// codes come first: `systemctl status` cuts long lines at their end.
std::string Daemon::status_text() const {
  std::string text;
  for (const UnreadyReason& reason : unready_reasons(health())) {
    text += fmt::format("{}{}", text.empty() ? "Not ready: " : ", ", name_of(reason.code));
  }
  if (!text.empty()) text += " (rota status says more); ";
  return text + status_line(rotator_->engine(), rotator_->now());
}

std::string Daemon::stopping_text() const {
  return fmt::format("Stopping: {} calls in flight, {} connections open",
                     rotator_->engine().gate().in_flight(),
                     token_server_->connections() + admin_server_->connections());
}

}  // namespace rota

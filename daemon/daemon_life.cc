#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <csignal>
#include <utility>

#include "daemon/accounts.h"
#include "daemon/daemon.h"
#include "daemon/parts.h"
#include "daemon/version.h"
#include "rotator/report.h"

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
// How soon one is looked at again that seemed stuck, since a timer may be about to fire, and one
// that stops.
constexpr Duration kSoonInterval{1'000};

}  // namespace

Result<void> Daemon::start() {
  watch_roster();
  const bool on_record = rotator_->engine().size() > 0;
  Roster roster;
  if (!on_record) {
    auto read = load_roster(settings_.roster.path);
    if (!read) return fail(ErrorKind::kConfig, std::move(read).error().message);
    roster = *std::move(read);
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
  ROTA_TRY(open_sockets());
  ROTA_TRY(open_metrics());

  rotator_->start();
  note(AuditEvent::kStarted, fmt::format("rotad {}", kVersion));
  wait_for_signals();
  set_refusals(Frontend::Refusals::kHeld);
  first_roster_limit_.expires_after(kFirstRosterMax);
  first_roster_limit_.async_wait([this](const boost::system::error_code& error) {
    if (!error) roster_settled();
  });
  if (on_record) {
    go_live();
    read_first_roster();
  } else {
    take_roster(roster, {}, [](const Result<RosterPlan>&) {});
  }
  return {};
}

// On a thread of its own, since a big one takes as long as all the rest of a start.
void Daemon::read_first_roster() {
  first_roster_awaited_ = true;
  boost::asio::post(reader_, [this, path = settings_.roster.path] {
    boost::asio::post(context_.loop, [this, roster = load_roster(path)]() mutable {
      if (stopping_ || !std::exchange(first_roster_awaited_, false)) return;
      if (roster_refused_) return roster_settled();  // it has been read since, and is bad by now
      const auto usable = judge_reading(std::move(roster));
      if (!usable) return roster_settled();
      take_roster(*usable, {}, [](const Result<RosterPlan>&) {});
    });
  });
}

// The roster on disk is in force, or is none that can be; or the disk has had its time to take it.
// Until now what it was about to change was not refused. Clients of an empty store have waited in
// the queue: every member would have been unknown to them.
void Daemon::roster_settled() {
  if (stopping_ || std::exchange(roster_settled_, true)) return;
  first_roster_limit_.cancel();
  go_live();
  context_.manager.status(status_text());
  set_refusals(Frontend::Refusals::kGiven);
}

void Daemon::set_refusals(Frontend::Refusals refusals) {
  for (Frontend* each : {token_frontend_.get(), admin_frontend_.get(), metrics_frontend_.get()}) {
    each->set_refusals(refusals);
  }
  token_server_->ask_again();
  admin_server_->ask_again();
  if (metrics_server_) metrics_server_->ask_again();
}

void Daemon::go_live() {
  if (stopping_ || std::exchange(live_, true)) return;
  token_server_->start();
  admin_server_->start();
  if (metrics_server_) metrics_server_->start();
  context_.manager.ready(status_text());
  context_.log.say(Severity::kInfo, "ready",
                   fmt::format("rotad {} serves {} members on {}", kVersion,
                               rotator_->engine().size(), settings_.serve.token_socket));
  keep_manager_informed();
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
  parts_stopping_ = metrics_server_ ? 4 : 3;
  // Waiting clients are answered by the rotator first, so that the servers have nothing open but
  // that.
  rotator_->stop([this] { part_stopped(); });
  token_server_->shutdown(kShutdown, [this] { part_stopped(); });
  admin_server_->shutdown(kShutdown, [this] { part_stopped(); });
  if (metrics_server_) metrics_server_->shutdown(kShutdown, [this] { part_stopped(); });
  // What is held still, the next process knows.
  if (!roster_settled_) set_refusals(Frontend::Refusals::kPutOff);
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
  note(AuditEvent::kStopped);
  context_.log.say(Severity::kInfo, "stopped", "all calls are finished and committed");
  context_.loop.stop();
}

// The problem first: `systemctl status` cuts long lines at their end.
std::string Daemon::status_text() {
  const std::string line = status_line(rotator_->engine(), rotator_->now());
  const std::string problem =
      roster_settled_ ? readings_.standing().roster_problem : "the roster is being read";
  return problem.empty() ? line : fmt::format("{}; {}", problem, line);
}

std::string Daemon::stopping_text() const {
  return fmt::format("Stopping: {} calls in flight, {} connections open",
                     rotator_->engine().calls_in_flight(),
                     token_server_->connections() + admin_server_->connections());
}

}  // namespace rota

#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "daemon/connection_log.h"
#include "daemon/daemon_health.h"
#include "daemon/daemon_notes.h"
#include "daemon/files_in_force.h"
#include "daemon/listeners.h"
#include "daemon/log.h"
#include "daemon/service_manager.h"
#include "rotator/rotator.h"

namespace rota {

// The life of the daemon: starts its parts in the order that the promises need, says when it is
// ready, handles SIGHUP, SIGTERM and SIGINT, feeds the watchdog while the engine makes progress,
// and stops the parts. Owns none of them. Loop thread only.
class DaemonLife {
 public:
  struct Parts {  // all outlive this, and the loop has ended when this goes
    boost::asio::io_context& loop;
    Log& log;
    ServiceManager& manager;
    DaemonNotes& notes;
    Rotator& rotator;
    FilesInForce& files;
    Listeners& listeners;
    ConnectionLog& connections;
    DaemonHealth& health;
  };
  struct Options {
    std::string token_socket;    // for the log
    Duration request_timeout{};  // how long a stop waits for a call in flight
  };

  DaemonLife(Parts parts, Options options);

  // Begins to serve what is durable, to bring the roster into force unless it is, and to rotate.
  // Blocks on the files of the roster. kConfig: the roster cannot be used, and nothing is on
  // record. Also the errors of Listeners::open(). After success run the loop: it ends when a signal
  // to stop was handled.
  Result<void> start();
  // Once the loop has ended: whether all that was to be on disk is there.
  bool all_is_durable() const { return all_is_durable_; }

 private:
  enum class Phase {
    kStarting,  // clients can connect, and wait
    kLive,
    kStopping,
  };

  void wait_for_first_roster(int waits);
  void go_live();
  void wait_for_signals();
  void reload_ended(bool done);
  void roster_change_settled();
  void keep_manager_informed();
  void inform_manager_again(bool soon);
  void keep_files_in_place();
  void stop();
  void part_stopped();
  void stopped_in_part();
  void end(bool in_time);
  std::string status_text() const;
  std::string stopping_text() const;

  const Parts parts_;
  const Options options_;
  Phase phase_ = Phase::kStarting;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer informing_;
  boost::asio::steady_timer going_live_;
  boost::asio::steady_timer looking_;
  boost::asio::steady_timer stop_limit_;
  std::size_t parts_stopping_ = 0;
  bool all_is_durable_ = true;
};

}  // namespace rota

#include <boost/asio/steady_timer.hpp>
#include <string>

#include "daemon/daemon.h"

// The files that others may take away under the daemon: its database and its sockets.

namespace rota {
namespace {

constexpr Duration kLookEvery{4'000};

}  // namespace

void Daemon::keep_files_in_place() {
  if (stopping_) return;
  rotator_->look_after_store();
  std::string problem;
  for (Server* server : {token_server_.get(), admin_server_.get()}) {
    const Result<void> kept = server->keep_in_place();
    if (!kept && problem.empty()) problem = kept.error().message;
  }
  if (problem != socket_problem_) {
    socket_problem_ = problem;
    context_.log.say(problem.empty() ? Severity::kInfo : Severity::kError, "socket",
                     problem.empty() ? "all sockets are in their places" : problem);
  }
  looking_.expires_after(kLookEvery);
  looking_.async_wait([this](const boost::system::error_code& error) {
    if (!error) keep_files_in_place();
  });
}

}  // namespace rota

#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/time.h"
#include "daemon/flood.h"
#include "engine/commands.h"
#include "serve/server.h"

namespace rota {

// Logs and counts the connections that the servers refused. Any client can cause as many as it
// likes, so a flood gets one line at its beginning and then one a minute. Loop thread only.
class ConnectionLog final : public ServerObserver {
 public:
  using Say = std::function<void(Severity severity, std::string_view text)>;

  // `clock` must outlive it.
  ConnectionLog(const Clock& clock, Say say) : clock_(clock), say_(std::move(say)) {}

  void connection_refused(const PeerIdentity& peer, ConnectionLimit limit) override;
  void request_refused(ErrorCode why) override;
  void accept_failed(std::error_code error) override;

  // Logs the counts that are due; call it every few seconds.
  void summarize();
  // Logs the counts that were not logged yet; for the end.
  void finish();

  std::size_t refused(ConnectionLimit limit) const { return of(limit).total; }
  // Requests on listeners that showed no client's token, or came from a browser.
  std::size_t unauthorized() const { return unauthorized_; }

 private:
  struct Refusals {
    std::size_t total = 0;
    Flood flood;
    std::string last;  // who
  };
  Refusals& of(ConnectionLimit limit) { return refusals_[static_cast<std::size_t>(limit)]; }
  const Refusals& of(ConnectionLimit limit) const {
    return refusals_[static_cast<std::size_t>(limit)];
  }
  void say_refusals(ConnectionLimit limit, std::size_t count);
  void say_failures(std::size_t count);
  void say_unauthorized(std::size_t count);

  const Clock& clock_;
  const Say say_;
  std::array<Refusals, 3> refusals_;  // indexed by ConnectionLimit
  Flood failures_;
  std::error_code last_failure_;
  std::size_t unauthorized_ = 0;
  Flood strangers_;
};

}  // namespace rota

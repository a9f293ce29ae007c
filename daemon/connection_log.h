#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <system_error>

#include "api/listener_door.h"
#include "base/time.h"
#include "daemon/flood.h"
#include "engine/commands.h"
#include "model/audit.h"
#include "serve/server.h"

namespace rota {

// Logs and counts the connections that the servers refused. Any client can cause as many as it
// likes, so a flood gets one line at its beginning and then one a minute. Loop thread only.
class ConnectionLog final : public ServerObserver {
 public:
  using Say = std::function<void(Severity severity, std::string_view text)>;
  // For the audit trail, which counts what comes again. `detail` is one of a few texts.
  using Note = std::function<void(AuditEvent event, std::string_view detail)>;

  // `clock` must outlive it.
  ConnectionLog(const Clock& clock, Say say, Note note)
      : clock_(clock), say_(std::move(say)), note_(std::move(note)) {}

  void connection_refused(const PeerIdentity& peer, ConnectionLimit limit) override;
  void request_refused(DoorRefusal why) override;
  void request_erred(ErrorCode code) override { ++errors_.at(static_cast<std::size_t>(code)); }
  void accept_failed(std::error_code error) override;

  // Logs the counts that are due; call it every few seconds.
  void summarize();
  // Logs the counts that were not logged yet; for the end.
  void finish();

  std::size_t refused(ConnectionLimit limit) const { return of(limit).total; }
  // Requests on listeners that were refused at the door for this reason.
  std::uint64_t turned_away(DoorRefusal why) const {
    return turned_away_[static_cast<std::size_t>(why)];
  }

  // Requests that were answered with an error, indexed by ErrorCode.
  const std::array<std::uint64_t, kErrorCodes.size()>& errors() const { return errors_; }

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
  const Note note_;
  std::array<Refusals, 3> refusals_;  // indexed by ConnectionLimit
  Flood failures_;
  std::error_code last_failure_;
  std::array<std::uint64_t, kDoorRefusals.size()> turned_away_{};  // indexed by DoorRefusal
  Flood strangers_;
  std::array<std::uint64_t, kErrorCodes.size()> errors_{};
};

}  // namespace rota

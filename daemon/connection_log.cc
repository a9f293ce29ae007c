#include "daemon/connection_log.h"

#include <fmt/format.h>

#include "base/check.h"

namespace rota {
namespace {

constexpr std::array kLimits{ConnectionLimit::kTotal, ConnectionLimit::kPerUid,
                             ConnectionLimit::kRate};

std::string_view limit_text(ConnectionLimit limit) {
  switch (limit) {
    case ConnectionLimit::kTotal:
      return "too many connections in total";
    case ConnectionLimit::kPerUid:
      return "too many connections from this user";
    case ConnectionLimit::kRate:
      return "this process or its user connects too often";
  }
  ROTA_CHECK(false);
}

std::string_view refusal_text(DoorRefusal why) {
  switch (why) {
    case DoorRefusal::kNoBearer:
      return "it has no bearer token (401)";
    case DoorRefusal::kUnknownBearer:
      return "no client has its bearer token (401)";
    case DoorRefusal::kForeign:
      return "it comes from a browser, or is for another host (403)";
    case DoorRefusal::kTooMany:
      return "its client has too many connections (503)";
  }
  ROTA_CHECK(false);
}

}  // namespace

void ConnectionLog::connection_refused(const PeerIdentity& peer, ConnectionLimit limit) {
  Refusals& refusals = of(limit);
  ++refusals.total;
  refusals.last = peer.client.empty() ? peer.uid == kNoId
                                            ? "a client of a port or listener"
                                            : fmt::format("uid {} pid {}", peer.uid, peer.pid)
                                      : fmt::format("client {}", peer.client);
  if (!refusals.flood.begins(clock_.now().boot)) return;
  say_(Severity::kWarning, fmt::format("{} refused: {}", refusals.last, limit_text(limit)));
}

// A client at its limit of connections has been told of by connection_refused().
void ConnectionLog::request_refused(DoorRefusal why) {
  ++turned_away_[static_cast<std::size_t>(why)];
  if (why == DoorRefusal::kTooMany) return;
  note_(AuditEvent::kClientRefused, refusal_text(why));
  if (!strangers_.begins(clock_.now().boot)) return;
  say_(Severity::kWarning, fmt::format("a listener refused a request: {}", refusal_text(why)));
}

void ConnectionLog::accept_failed(std::error_code error) {
  last_failure_ = error;
  if (!failures_.begins(clock_.now().boot)) return;
  say_(Severity::kError, fmt::format("accept: {}", error.message()));
}

void ConnectionLog::summarize() {
  const BootTime now = clock_.now().boot;
  for (const ConnectionLimit limit : kLimits) {
    if (const auto count = of(limit).flood.summary(now)) say_refusals(limit, *count);
  }
  if (const auto count = failures_.summary(now)) say_failures(*count);
  if (const auto count = strangers_.summary(now)) say_unauthorized(*count);
}

void ConnectionLog::finish() {
  for (const ConnectionLimit limit : kLimits) {
    if (const std::size_t count = of(limit).flood.unsaid()) say_refusals(limit, count);
  }
  if (const std::size_t count = failures_.unsaid()) say_failures(count);
  if (const std::size_t count = strangers_.unsaid()) say_unauthorized(count);
}

void ConnectionLog::say_refusals(ConnectionLimit limit, std::size_t count) {
  say_(Severity::kWarning,
       fmt::format(
           "{} more connections refused since the last such message, the last one from {}: {}",
           count, of(limit).last, limit_text(limit)));
}

void ConnectionLog::say_unauthorized(std::size_t count) {
  say_(Severity::kWarning,
       fmt::format("listeners refused {} more requests (401, 403) since the last such message",
                   count));
}

void ConnectionLog::say_failures(std::size_t count) {
  say_(Severity::kError, fmt::format("accept failed {} more times since the last such message: {}",
                                     count, last_failure_.message()));
}

}  // namespace rota

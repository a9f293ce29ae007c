#include <string>

#include "api/listener_door.h"
#include "serve/session.h"

// How a session on a listener finds out whose it is.

namespace rota {

// If not, the refusal is the reply to the request, and the connection's last.
bool Session::may_enter(const RequestHead& head) {
  const ListenerDoor* door = frontend_.door();
  if (door == nullptr) return true;
  const AtTheDoor at = look_at(head, door->hosts);
  if (std::holds_alternative<OpenToAll>(at)) return true;
  if (const auto* refusal = std::get_if<ErrorReply>(&at)) {
    const bool foreign = refusal->code == ErrorCode::kForbidden;
    return refuse(head, *refusal, foreign ? DoorRefusal::kForeign : DoorRefusal::kNoBearer);
  }
  return is_client(std::get<ShownToken>(at).digest, head);
}

// Most requests show the token that the one before them has shown.
bool Session::is_client(const TokenDigest& token, const RequestHead& head) {
  if (shown_ && same_in_constant_time(*shown_, token)) return true;
  const std::string* name = frontend_.door()->clients.find(token);
  if (name == nullptr) return refuse(head, unauthorized(), DoorRefusal::kUnknownBearer);
  if (*name != peer_.client) {
    // A proxy may use one connection for two clients, but replies under way belong to the first.
    if (!replies_.empty()) return refuse(head, unauthorized(), DoorRefusal::kUnknownBearer);
    PeerIdentity client = peer_of_client(*name);
    if (!host_.session_known(*this, client)) {
      ErrorReply reply = error_reply(ErrorCode::kTooManyConnections);
      reply.retry_after = std::chrono::seconds{1};
      return refuse(head, reply, DoorRefusal::kTooMany);
    }
    peer_ = std::move(client);
  }
  shown_ = token;
  return true;
}

bool Session::refuse(const RequestHead& head, const ErrorReply& reply, DoorRefusal why) {
  host_.session_refused(*this, why);
  intake_.finish();
  replies_.add({.close = true, .head_only = head.head_only}, frontend_.refusal(head.path, reply));
  return false;
}

void Session::clients_changed() {
  if (!shown_ || is_closed()) return;
  const std::string* name = frontend_.door()->clients.find(*shown_);
  if (name == nullptr || *name != peer_.client) close();
}

}  // namespace rota

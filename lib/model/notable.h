#pragma once

#include <optional>
#include <string_view>

#include "model/audit.h"

namespace rota {

// What an operator wants to read of an event of the audit trail afterwards: of troubles and their
// ends, of what came into force, and of orders that somebody gave. Nothing of what members and
// clients do all the time, nor of each member that an order or a roster is about.
struct Notable {
  enum class Telling {
    kStart,          // the words depend on what came before
    kStop,           // the words alone; the next start is none after a crash
    kWords,          // the words alone
    kWithDetail,     // and the detail behind them
    kOfMember,       // the member, then the words
    kOfDetail,       // what the detail names, then the words
    kOrder,          // somebody ordered this
    kOrderOnMember,  // somebody ordered this for the member
    kOrderOnDetail,  // somebody ordered this for what the detail names
  };
  Telling telling{};
  std::string_view words;
};

// None: the event is not one for operators. Pure.
std::optional<Notable> notable(AuditEvent event);
inline bool is_notable(AuditEvent event) { return notable(event).has_value(); }

}  // namespace rota

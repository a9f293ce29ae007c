#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/outcome.h"

namespace rota {

// Why calls to Circle fail: the last one did, and none has worked since `since`. The words are for
// everybody: they name no member and quote nothing.
struct Trouble {
  std::string words;  // "Circle answers 503"
  WallTime since;     // of the first of these failures, on Circle's clock
  std::size_t failures = 0;
};
// "Circle answers 503 since 16:36 UTC".
std::string describe(const Trouble& trouble);

// "16:36", UTC.
std::string minute_of(WallTime time);

// Follows the replies, from the first on: a single failure is seen at once, not only when the
// breaker opens. Pure.
class TroubleWatch {
 public:
  void note(const Outcome& outcome, WallTime now);
  // A new app token is in force: what the old one met says nothing any more.
  void clear() { current_.reset(); }
  const std::optional<Trouble>& current() const { return current_; }

 private:
  std::optional<Trouble> current_;
};

}  // namespace rota

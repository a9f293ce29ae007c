#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/time.h"
#include "model/outcome.h"

namespace rota {

// Why calls to Circle fail. The last one failed, and none has worked since `since`. All users may
// see the words: they name no member and quote nothing.
struct Trouble {
  std::string words;  // "Circle answers 503"
  WallTime since;     // of the first of these failures, on Circle's clock
  std::size_t failures = 0;
};
// "Circle answers 503 (since 16:36 UTC)".
std::string describe(const Trouble& trouble);

// "16:36", UTC.
std::string minute_of(WallTime time);

// Follows the replies. It shows a failure from the first one on, before the breaker opens. Pure.
class TroubleWatch {
 public:
  // `now`: on Circle's clock.
  void note(const Outcome& outcome, WallTime now);
  // A new app token is in force, so the failures with the old one no longer count.
  void clear() { current_.reset(); }
  const std::optional<Trouble>& current() const { return current_; }
  // When a reply last said that calls work; none: no reply of this process has.
  const std::optional<WallTime>& last_good() const { return last_good_; }

 private:
  std::optional<Trouble> current_;
  std::optional<WallTime> last_good_;
};

}  // namespace rota

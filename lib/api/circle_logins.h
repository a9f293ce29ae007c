#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "api/handle.h"
#include "api/refusal_guess.h"
#include "base/secret.h"
#include "base/time.h"
#include "table/table.h"

namespace rota {

// What Circle's routes (circle_routes.h) keep between two requests: the key of all handles, and
// which client may have been refused its token. Nothing of it is stored. Loop thread only.
class CircleLogins {
 public:
  // How long a handle is good for: as long as Circle's refresh tokens.
  static constexpr Duration kHandleLife = std::chrono::days{30};

  // `key`: kHandleKeyBytes bytes, derived from the store key. `clock` must outlive this.
  CircleLogins(const Clock& clock, Secret key);

  // A handle for this member, whose token the holder is about to be given.
  struct Made {
    Secret text;
    WallTime expires_at;  // Circle's clock; whole seconds
  };
  Made make(const Published& row, std::string_view holder, WallTime circle_now) const;

  // What a text is good for: the handle and the member that it is about, or why it is none.
  struct Good {
    Handle handle;
    const Published* row = nullptr;  // valid until the loop's next event
  };
  struct NotFound {};  // made up, revoked, of another epoch or key, or its member is gone
  struct Expired {};
  using Judged = std::variant<Good, NotFound, Expired>;
  Judged judge(std::string_view text, const Table& table, WallTime circle_now) const;

  // RefusalGuess, with the holder's name and the time filled in. The row has a token.
  bool doubts(std::string_view holder, const Published& row);
  bool refuses(std::string_view holder, const Published& row);
  void note_given(std::string_view holder, const Published& row);

  // What clients were answered since the start.
  struct Counts {
    std::uint64_t logins = 0;        // with a token and a handle
    std::uint64_t refreshes = 0;     // with a token, for a handle
    std::uint64_t dead_handles = 0;  // with an error, since their handle is of no use to them
  };
  Counts& counts() { return counts_; }
  const Counts& counts() const { return counts_; }

 private:
  const Clock& clock_;
  const Secret key_;
  RefusalGuess guess_;
  Counts counts_;
};

}  // namespace rota

#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "api/access.h"

namespace rota {

// The grants that decide while a new configuration and a new roster come into force one after the
// other. A grant by tag means the tag as the roster of that time has it: new grants must not be
// applied to the tags of an old roster, nor old grants to those of a new one. So there is a time,
// from the reload until a roster that was read with the new grants or later is durable and in force
// as a whole, in which a client gets a token only if both the old and the new grants allow it.
// Withdrawn grants end at once. Loop thread only.
class GrantsInForce {
 public:
  GrantsInForce(std::uint32_t own_uid, const std::vector<Grant>& grants);

  // A reload brought these grants. `since`: the number of the first roster reading that belongs to
  // them. `all_known`: false if others of them follow by correct(), once their names are found.
  void put(const std::vector<Grant>& grants, std::uint64_t since, bool all_known = true);
  // The configuration on disk has these grants by now, and is not in force: nobody asked for a
  // reload yet, but a changed roster comes into force; or it has an error. What they withdraw is
  // withdrawn now. What they add waits for the next put().
  void withdraw_to(const std::vector<Grant>& grants);
  // The grants of the latest configuration, after their names were looked up again.
  void correct(const std::vector<Grant>& grants);
  // The roster of this reading is in force as a whole, and durable.
  void roster_in_force(std::uint64_t reading);

  // Whether added grants wait for a roster. (Withdrawn ones do not wait.)
  bool waiting() const;
  // Whether the grants of withdraw_to() differ from those in force and wait for a reload.
  bool unread() const { return on_disk_.has_value(); }
  AccessPolicy policy() const;

 private:
  struct Set {
    std::vector<Grant> grants;
    AccessPolicy policy;
    std::uint64_t since = 0;
  };

  Set set_of(const std::vector<Grant>& grants, std::uint64_t since = 0) const;

  const std::uint32_t own_uid_;
  std::optional<Set> on_disk_;  // only if it differs from the latest
  std::deque<Set> sets_;        // never empty; the oldest first: it goes with the durable roster
};

}  // namespace rota

#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "api/access.h"

namespace rota {

// The grants that decide, while a new configuration and a new roster come into force one after the
// other. A grant by tag means what the roster of its own time means by the tag: new grants must not
// meet the tags of an old roster, nor old grants those of a new one. So from the reload until a
// roster that was read with the new grants, or after them, is durable and in force as a whole, a
// token is given only to whom the old grants and the new ones give it. Withdrawals count at once.
// Loop thread only.
class GrantsInForce {
 public:
  GrantsInForce(std::uint32_t own_uid, const std::vector<Grant>& grants);

  // Another configuration's grants. `since`: the number of the first roster reading that goes with
  // them.
  void put(const std::vector<Grant>& grants, std::uint64_t since);
  // Another roster comes into force without a reload, beside a configuration that grants this. The
  // state that is asked for has both, so what it withdraws is withdrawn now. What it adds waits for
  // the next put(), since nobody has asked for that yet.
  void withdraw_to(const std::vector<Grant>& grants);
  // The latest configuration's grants, its names looked up anew.
  void correct(const std::vector<Grant>& grants);
  // The roster of this reading is in force, and durable.
  void roster_in_force(std::uint64_t reading);

  // Whether some grants wait for a roster.
  bool waiting() const { return sets_.size() > 1; }
  // Whether the configuration on disk, as withdraw_to() saw it, waits for a reload.
  bool unread() const { return on_disk_.has_value(); }
  AccessPolicy policy() const;

 private:
  struct Set {
    AccessPolicy policy;
    std::uint64_t since = 0;
  };

  const std::uint32_t own_uid_;
  std::optional<AccessPolicy> on_disk_;  // only if it differs from the latest
  std::deque<Set> sets_;  // never empty; the oldest first: it goes with the durable roster
};

}  // namespace rota

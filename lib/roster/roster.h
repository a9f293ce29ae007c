#pragma once

#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "base/result.h"
#include "model/member_key.h"

namespace rota {

// One [[member]] of the roster.
struct RosterEntry {
  MemberKey key;
  std::string name;               // optional, for people
  std::vector<std::string> tags;  // optional, for grants; sorted, without repeats
  bool retired = false;           // revoke its tokens and keep it out

  bool operator==(const RosterEntry&) const = default;
};

struct Roster {
  std::vector<RosterEntry> entries;  // at least one; no two with equal keys
  Fingerprint fingerprint = 0;  // of the files that it was read from; 0 if it came from no file
};

}  // namespace rota

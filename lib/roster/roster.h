#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "base/result.h"
#include "model/member_key.h"

namespace rota {

// One [[member]] of the roster: what should be.
struct RosterEntry {
  MemberKey key;
  std::string name;               // optional, for people
  std::vector<std::string> tags;  // optional, for grants; sorted, without repeats
  bool retired = false;           // revoke and keep out

  bool operator==(const RosterEntry&) const = default;
};

struct Roster {
  std::vector<RosterEntry>
      entries;                  // at least one; no key twice (addresses without regard to case)
  Fingerprint fingerprint = 0;  // of the files that it was read from; 0: it came from none
};

// A file as it was read; `name` is for messages.
struct RosterFile {
  std::string name;
  std::string text;
};

// Reads the files in order as one roster. Any error (kConfig) names file, line and key, and means
// that nothing of it may be used: syntax, an unknown key, a wrong type, two selectors or none, a
// value that MemberKey refuses, a duplicate, no member at all, or more than roster_entries_max.
// Pure: reads no file itself.
// How many entries, as every screen says it: "3 entries, 1 of them retired".
std::string size_of(const Roster& roster);
Result<Roster> parse_roster(std::span<const RosterFile> files);

// The same for the same files only.
Fingerprint fingerprint_of(std::span<const RosterFile> files);

inline constexpr std::size_t kRosterEntriesMax = 1'000'000;

}  // namespace rota

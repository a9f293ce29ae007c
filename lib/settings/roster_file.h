#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/fingerprint.h"
#include "base/result.h"
#include "roster/roster.h"

namespace rota {

// A file as it was read; `name` is for messages.
struct RosterFile {
  std::string name;
  std::string text;
};

// How many entries, in the words that every message uses: "3 entries, 1 of them retired".
std::string size_of(const Roster& roster);
// Reads the files in order as one roster. All or nothing (P6): kConfig, with the file, the line and
// the key in its message, for bad syntax, an unknown key, a wrong type, no selector or two, a value
// that MemberKey refuses, an entry that is there twice, a file without a member, no file at all,
// and more than kRosterEntriesMax entries. Works on the given texts only and reads no file. Takes
// long for a large roster: call it off the loop.
Result<Roster> parse_roster(std::span<const RosterFile> files);

// The same only for the same names and texts in the same order.
Fingerprint fingerprint_of(std::span<const RosterFile> files);

}  // namespace rota

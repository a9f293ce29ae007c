#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "import/listed_member.h"
#include "roster/roster.h"

namespace rota {

// A file as it was read; `name` is for messages.
struct ListFile {
  std::string name;
  std::string text;
};

// Reads lists of a community's members, as Circle gives them out, as one roster, sorted by key. A
// file that begins with "{" or "[" is a page of the Admin API (circle_pages.h), any other one the
// CSV export (circle_csv.h).
//
// All or nothing (P6): kInvalid, with file and row in its message, for what those two refuse, a
// member that is listed twice (by equal keys, whatever their spelling), no member at all, and more
// than kRosterEntriesMax members. Errors repeat nothing of the texts (P10). Pure; time n log n, and
// memory in proportion to the longest file and the number of members.
Result<Roster> read_member_lists(std::span<const ListFile> files, const ImportRules& rules);

}  // namespace rota

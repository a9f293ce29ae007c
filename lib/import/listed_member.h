#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "roster/roster.h"

namespace rota {

// How a list of Circle's becomes a roster.
struct ImportRules {
  SelectorKind by = SelectorKind::kCommunityMemberId;  // what names a member in the roster
  bool tags = false;                                   // take the members' tags over
};

// A member as a list has it, ready for the roster.
struct ListedMember {
  RosterEntry entry;
  std::uint32_t place = 0;  // in its file: the line (CSV), or the number of the record (JSON)
};

// These turn one value of a list into what the roster holds. Each error is kInvalid and one phrase
// without the value, which may be a secret in the wrong column (P10).

// `value` names the member: an id in decimal, an address or an SSO id.
Result<MemberKey> key_from_list(SelectorKind kind, std::string_view value);

// A name is for people, so it is made to fit, never refused: each run of control characters and
// spaces becomes one space, and a name longer than the roster's limit is cut and ends in "…".
std::string name_from_list(std::string_view name);

// Grants go by tags, so they are never made to fit: the tag NAME becomes "circle:NAME", and an
// empty name, a control character, a tag longer than the roster's limit and too many tags are
// errors.
Result<std::vector<std::string>> tags_from_list(std::span<const std::string_view> names);

}  // namespace rota

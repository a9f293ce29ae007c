#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "import/listed_member.h"

namespace rota {

// Reads Circle's CSV export of members. Columns are found by their names, in any order; case,
// spaces, "_" and "-" do not count:
//
//   Community member ID, Member ID                   community_member_id
//   Email, Email address, Member email               email
//   SSO user ID, SSO ID, SSO provider user ID        sso_user_id
//   Name, Full name; or First name and Last name     name
//   Active: true or false                            false: retired
//   Member tags, Tags: separated by commas           tags, if the rules want them
//
// Other columns are not read; "ID" and "User ID" are not, because these may be ids of something
// else. `active` and the columns of names may be missing: then nobody is retired, or has a name.
//
// All or nothing: kInvalid, with "FILE:LINE: …" in front, for what CsvReader refuses, a column that
// is needed and missing, or there twice, a row that is longer or shorter than the first one, an
// empty row before the last member, and a value that the roster cannot hold. Errors name columns by
// their numbers and by the words above; they repeat nothing of the text (P10).
Result<std::vector<ListedMember>> read_circle_csv(std::string_view file, std::string_view text,
                                                  const ImportRules& rules);

}  // namespace rota

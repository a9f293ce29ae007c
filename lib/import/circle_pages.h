#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "import/listed_member.h"

namespace rota {

// Reads the pages of `GET /api/admin/v2/community_members`, Circle's Admin API, each of them one
// JSON object in a file of its own:
//
//   {"page": 1, "count": 305, "records": [{"id": 42, "email": "…", "name": "…", "active": true,
//     "sso_provider_user_id": null, "member_tags": [{"id": 7, "name": "…"}], "community_id": 1}]}
//
// Fields that are not named here are not read; `page`, `name` and `community_id` may be missing.
//
// All or nothing: kInvalid, with the file in front and the record's number from 1, for a text that
// is no JSON or goes on behind the object, a field that is needed and missing, or of another type,
// a value that the roster cannot hold, a page that is there twice, pages that differ in their
// `count`, and records of two communities. Errors repeat nothing of the text (P10).
class CirclePages {
 public:
  explicit CirclePages(const ImportRules& rules) : rules_(rules) {}

  // The members of one page. After an error the others mean nothing.
  Result<std::vector<ListedMember>> read(std::string_view file, std::string_view text);
  // Whether all pages were read: their records must add up to their `count`. True without pages.
  Result<void> complete() const;

 private:
  struct Page;
  Result<void> take_page(const Page& page);

  const ImportRules& rules_;
  std::map<std::int64_t, std::string> files_;  // by the number of the page
  std::optional<std::int64_t> count_;
  std::string count_file_;  // the first page
  std::optional<std::int64_t> community_;
  std::int64_t records_ = 0;
};

}  // namespace rota

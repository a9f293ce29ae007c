#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "sandbox/circle_options.h"
#include "sandbox/request.h"

namespace rota::sandbox {

// A member of the community; an empty email or SSO id means that it has none.
struct Member {
  MemberId id = 0;
  std::string email;
  std::string sso_user_id;
};

// Parses "ID[,EMAIL[,SSO]]".
Result<Member> parse_member(std::string_view text);

// "memberK@example.com" and "sso|K".
Member numbered_member(MemberId id);

// The members by each selector. Matching is exact, but for the case of addresses if so asked; an
// email or SSO id belongs to the member that got it last, so that it can be moved from one to
// another.
class Members {
 public:
  void put(Member member);
  bool erase(MemberId id);
  // Null when there is no such member; valid until the next put or erase.
  const Member* find(MemberId id) const;
  const Member* find(const Subject& selector, EmailCase email_case) const;
  std::size_t size() const { return by_id_.size(); }

 private:
  std::unordered_map<MemberId, Member> by_id_;
  std::unordered_map<std::string, MemberId> by_email_;
  std::unordered_map<std::string, MemberId> by_email_in_lower_case_;
  std::unordered_map<std::string, MemberId> by_sso_;
};

}  // namespace rota::sandbox

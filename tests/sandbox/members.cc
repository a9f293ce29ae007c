#include "sandbox/members.h"

#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace rota::sandbox {
namespace {

using Index = std::unordered_map<std::string, MemberId>;

void forget(Index& index, const std::string& key, MemberId id) {
  const auto at = index.find(key);
  if (at != index.end() && at->second == id) index.erase(at);
}

// ASCII alone, as in rota::MemberKey.
std::string in_lower_case(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

struct IdOf {
  const Index& by_email;
  const Index& by_sso;

  MemberId operator()(const ById& by) const { return by.value; }
  MemberId operator()(const ByEmail& by) const { return look(by_email, by.value); }
  MemberId operator()(const BySso& by) const { return look(by_sso, by.value); }
  MemberId operator()(const ByToken&) const { return 0; }

  static MemberId look(const Index& index, const std::string& key) {
    const auto at = index.find(key);
    return at == index.end() ? 0 : at->second;
  }
};

}  // namespace

Result<Member> parse_member(std::string_view text) {
  Member member;
  const std::size_t comma = text.find(',');
  const std::string_view id = text.substr(0, comma);
  const char* end = id.data() + id.size();
  const auto [stop, status] = std::from_chars(id.data(), end, member.id);
  if (status != std::errc{} || stop != end || member.id < 1) {
    return fail(ErrorKind::kInvalid,
                fmt::format("\"{}\" is not ID[,EMAIL[,SSO]] with an ID of at least 1", text));
  }
  if (comma == std::string_view::npos) return member;
  const std::string_view rest = text.substr(comma + 1);
  const std::size_t second = rest.find(',');
  member.email = rest.substr(0, second);
  if (second != std::string_view::npos) member.sso_user_id = rest.substr(second + 1);
  return member;
}

Member numbered_member(MemberId id) {
  return {id, fmt::format("member{}@example.com", id), fmt::format("sso|{}", id)};
}

void Members::put(Member member) {
  erase(member.id);
  if (!member.email.empty()) {
    by_email_[member.email] = member.id;
    by_email_in_lower_case_[in_lower_case(member.email)] = member.id;
  }
  if (!member.sso_user_id.empty()) by_sso_[member.sso_user_id] = member.id;
  const MemberId id = member.id;
  by_id_.emplace(id, std::move(member));
}

bool Members::erase(MemberId id) {
  const auto at = by_id_.find(id);
  if (at == by_id_.end()) return false;
  forget(by_email_, at->second.email, id);
  forget(by_email_in_lower_case_, in_lower_case(at->second.email), id);
  forget(by_sso_, at->second.sso_user_id, id);
  by_id_.erase(at);
  return true;
}

const Member* Members::find(MemberId id) const {
  const auto at = by_id_.find(id);
  return at == by_id_.end() ? nullptr : &at->second;
}

const Member* Members::find(const Subject& selector, EmailCase email_case) const {
  const auto* by = std::get_if<ByEmail>(&selector);
  if (by != nullptr && email_case == EmailCase::kIgnored) {
    return find(IdOf::look(by_email_in_lower_case_, in_lower_case(by->value)));
  }
  return find(std::visit(IdOf{by_email_, by_sso_}, selector));
}

}  // namespace rota::sandbox

#include "cli/records_in_force.h"

#include <algorithm>
#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/fields.h"

namespace rota::cli {
namespace {

namespace json = boost::json;

std::unexpected<Error> another_version() {
  return fail(ErrorKind::kCorrupt,
              "the list of members is not as rotad of this version writes it: restart rotad after "
              "an upgrade");
}

std::vector<std::string> texts_at(const json::object& object, std::string_view name) {
  std::vector<std::string> texts;
  const json::array* list = array_at(object, name);
  if (list == nullptr) return texts;
  for (const json::value& text : *list) {
    if (text.is_string()) texts.emplace_back(text.get_string());
  }
  return texts;
}

// Null: the member has no such name.
Selector* selector_of(MemberRecord& record, const json::value& said) {
  const json::object* object = said.if_object();
  const auto key =
      object == nullptr ? std::nullopt : std::optional(MemberKey::parse(text_at(*object, "key")));
  if (!key || !*key) return nullptr;
  const auto found = std::ranges::find(record.selectors, **key, &Selector::key);
  return found == record.selectors.end() ? nullptr : &*found;
}

}  // namespace

Result<MemberRecord> record_in_force(const json::object& member, MemberId id) {
  const json::array* entries = array_at(member, "entries");
  const json::array* enrolments = array_at(member, "enrolments");
  const std::string state = text_at(member, "state");
  const auto* const known = std::ranges::find_if(
      kMemberStates, [&state](MemberState each) { return name_of(each) == state; });
  if (entries == nullptr || enrolments == nullptr || known == kMemberStates.end()) {
    return another_version();
  }
  MemberRecord record{.id = id,
                      .state = *known,
                      .state_since = {},
                      .selectors = {},
                      .community_member_id = number_at(member, "community_member_id"),
                      .community_id = {},
                      .renew_not_before = {},
                      .last_used = {},
                      .tokens = {}};
  for (const std::string& text : texts_at(member, "keys")) {
    const auto key = MemberKey::parse(text);
    if (!key) return another_version();
    record.selectors.push_back({.key = *key, .name = {}, .tags = {}});
  }
  if (record.selectors.empty()) return another_version();
  for (const json::value& entry : *entries) {
    Selector* selector = selector_of(record, entry);
    if (selector == nullptr) return another_version();
    const json::object& said = entry.get_object();
    selector->in_roster = selector->was_in_roster = true;
    selector->retired = flag_at(said, "retired") == true;
    selector->name = text_at(said, "name");
    selector->tags = texts_at(said, "tags");
  }
  for (const json::value& enrolment : *enrolments) {
    Selector* selector = selector_of(record, enrolment);
    if (selector == nullptr) return another_version();
    selector->enrolments.push_back({.client = text_at(enrolment.get_object(), "client"),
                                    .tags = texts_at(enrolment.get_object(), "tags"),
                                    .since = {}});
  }
  return record;
}

}  // namespace rota::cli

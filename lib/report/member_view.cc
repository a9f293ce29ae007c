#include "report/member_view.h"

#include <algorithm>
#include <boost/json.hpp>
#include <span>
#include <utility>

#include "base/check.h"
#include "model/expiry.h"
#include "plan/lifecycle.h"
#include "plan/next_action.h"

namespace rota {
namespace {

namespace json = boost::json;

std::optional<WallTime> end_of(const Token* token) {
  return token ? std::optional(token->expires_at) : std::nullopt;
}

json::value time_or_null(const std::optional<WallTime>& time) {
  return time ? json::value(format_iso8601(*time)) : json::value(nullptr);
}

std::optional<PlannedCall> first_call(const MemberPlan& plan) {
  std::optional<PlannedCall> first;
  for (const auto& call : plan.calls) {
    if (call && (!first || call->due < first->due)) first = call;
  }
  return first;
}

json::array array_of(std::span<const std::string> texts) {
  json::array array;
  for (const std::string& text : texts) array.emplace_back(text);
  return array;
}

json::object object_of(const MemberView& member) {
  json::array keys;
  for (const MemberKey& key : member.keys) keys.emplace_back(key.text());
  json::array enrolments;
  for (const auto& [key, enrolment] : member.enrolments) {
    enrolments.push_back({{"key", key.text()},
                          {"client", enrolment.client},
                          {"tags", array_of(enrolment.tags)},
                          {"since", format_iso8601(enrolment.since)}});
  }
  json::array entries;
  for (const RosterEntry& entry : member.entries) {
    entries.push_back({{"key", entry.key.text()},
                       {"name", entry.name},
                       {"tags", array_of(entry.tags)},
                       {"retired", entry.retired}});
  }
  return {
      {"key", member.key.text()},
      {"keys", std::move(keys)},
      {"state", std::string(name_of(member.state))},
      {"since", format_iso8601(member.since)},
      {"name", member.name},
      {"tags", array_of(member.tags)},
      {"source",
       member.source ? json::value(std::string(name_of(*member.source))) : json::value(nullptr)},
      {"entries", std::move(entries)},
      {"enrolments", std::move(enrolments)},
      {"community_member_id", member.community_member_id ? json::value(*member.community_member_id)
                                                         : json::value(nullptr)},
      {"access_token_expires_at", time_or_null(member.access_token_ends)},
      {"refresh_token_expires_at", time_or_null(member.refresh_token_ends)},
      {"superseded", member.superseded},
      {"revoking", member.revoking},
      {"member_gone", member.member_gone},
      {"doubts", member.doubts},
      {"failures", member.failures},
      {"last_used_at", time_or_null(member.last_used)},
      {"signed_out_at", time_or_null(member.signed_out)},
      {"kept_fresh", member.kept_fresh},
      {"in_flight", member.in_flight},
      {"next_action",
       member.next ? json::value(std::string(name_of(member.next->kind))) : json::value(nullptr)},
      {"next_at",
       member.next ? json::value(format_iso8601(member.next->at)) : json::value(nullptr)}};
}

}  // namespace

std::string_view name_of(MemberSource source) {
  switch (source) {
    case MemberSource::kRoster:
      return "roster";
    case MemberSource::kEnrolled:
      return "enrolled";
  }
  ROTA_CHECK(false);
}

std::optional<MemberSource> source_of(const MemberRecord& record) {
  if (named_by_roster(record)) return MemberSource::kRoster;
  const bool enrolled = std::ranges::any_of(
      record.selectors, [](const Selector& selector) { return !selector.enrolments.empty(); });
  return enrolled ? std::optional(MemberSource::kEnrolled) : std::nullopt;
}

MemberView view_of(const Engine& engine, const MemberSlot& slot, Now now) {
  const MemberRecord& record = slot.record;
  const auto with_status = [&record](TokenStatus status) {
    return static_cast<std::size_t>(std::ranges::count(record.tokens, status, &Token::status));
  };
  MemberView view{.key = primary_key(record),
                  .keys = {},
                  .state = record.state,
                  .since = record.state_since,
                  .name = {},
                  .tags = tags_of(record),
                  .source = source_of(record),
                  .entries = {},
                  .enrolments = {},
                  .community_member_id = record.community_member_id,
                  .access_token_ends = end_of(current(record, TokenKind::kAccess)),
                  .refresh_token_ends = end_of(current(record, TokenKind::kRefresh)),
                  .superseded = with_status(TokenStatus::kSuperseded),
                  .revoking = with_status(TokenStatus::kRevoking),
                  .member_gone = with_status(TokenStatus::kMemberGone),
                  .doubts = engine.journal().doubts_of(record.id),
                  .failures = slot.attempts.failures,
                  .last_used = {},
                  .signed_out = {},
                  .kept_fresh = engine.members().keeps(slot),
                  .in_flight = slot.in_flight.has_value(),
                  .next = {}};
  for (const Selector& selector : record.selectors) {
    view.keys.push_back(selector.key);
    if (view.name.empty()) view.name = selector.name;
    if (selector.in_roster) {
      view.entries.push_back({.key = selector.key,
                              .name = selector.name,
                              .tags = {selector.tags.begin(), selector.tags.end()},
                              .retired = selector.retired});
    }
    for (const Enrolment& enrolment : selector.enrolments) {
      view.enrolments.emplace_back(selector.key, enrolment);
    }
  }
  if (record.last_used > WallTime{}) view.last_used = record.last_used;
  if (record.signed_out_at > WallTime{}) view.signed_out = record.signed_out_at;
  if (const auto next = first_call(engine.plan_of(slot, now))) {
    view.next = {.kind = next->kind, .at = std::max(next->due, engine.circle_now(now))};
  }
  return view;
}

MembersPage page_of_members(const Engine& engine, Now now, const MembersWanted& wanted) {
  const Members::ByKey& by_key = engine.members().by_key();
  MembersPage page;
  auto it = wanted.after ? by_key.lower_bound({.key = &*wanted.after}) : by_key.begin();
  if (it != by_key.end() && wanted.after && *it->key == *wanted.after) ++it;
  for (; it != by_key.end(); ++it) {
    const MemberSlot& slot = engine.members().at(it->member);
    if (*it->key != primary_key(slot.record)) continue;  // listed once, by its first name
    if (wanted.state && slot.record.state != *wanted.state) continue;
    if (wanted.source && source_of(slot.record) != wanted.source) continue;
    if (!page.members.empty() && page.members.size() >= wanted.limit) {
      page.next = page.members.back().key;
      break;
    }
    page.members.push_back(view_of(engine, slot, now));
  }
  return page;
}

std::string member_json(const MemberView& member) { return json::serialize(object_of(member)); }

std::string members_json(const MembersPage& page) {
  json::array members;
  for (const MemberView& member : page.members) members.emplace_back(object_of(member));
  return json::serialize(
      json::object{{"members", std::move(members)},
                   {"next", page.next ? json::value(page.next->text()) : json::value(nullptr)}});
}

}  // namespace rota

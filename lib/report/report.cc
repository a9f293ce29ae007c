#include "report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "model/expiry.h"
#include "plan/lifecycle.h"
#include "plan/next_action.h"

namespace rota {
namespace {

namespace json = boost::json;

json::value time_or_null(const Token* token) {
  return token ? json::value(format_iso8601(token->expires_at)) : json::value(nullptr);
}

// 20000 as 20,000.
std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  constexpr std::size_t kGroup = 3;
  for (std::size_t end = digits.size(); end > kGroup;) digits.insert(end -= kGroup, ",");
  return digits;
}

json::object member_object(const Engine& engine, const MemberSlot& slot, Now now) {
  const MemberRecord& record = slot.record;
  const auto with_status = [&](TokenStatus status) {
    return std::ranges::count(record.tokens, status, &Token::status);
  };
  json::array keys;
  std::string name;
  for (const Selector& selector : record.selectors) {
    keys.emplace_back(selector.key.text());
    if (name.empty()) name = selector.name;
  }
  json::array tags;
  for (const std::string& tag : tags_of(record)) tags.emplace_back(tag);
  json::object object{
      {"key", primary_key(record).text()},
      {"keys", std::move(keys)},
      {"state", std::string(name_of(record.state))},
      {"since", format_iso8601(record.state_since)},
      {"name", name},
      {"tags", std::move(tags)},
      {"community_member_id", nullptr},
      {"access_token_expires_at", time_or_null(current(record, TokenKind::kAccess))},
      {"refresh_token_expires_at", time_or_null(current(record, TokenKind::kRefresh))},
      {"superseded", with_status(TokenStatus::kSuperseded)},
      {"revoking", with_status(TokenStatus::kRevoking)},
      {"member_gone", with_status(TokenStatus::kMemberGone)},
      {"doubts", engine.journal().doubts_of(record.id)},
      {"failures", slot.attempts.failures},
      {"last_used_at", nullptr},
      {"kept_fresh", engine.members().keeps(slot)},
      {"in_flight", slot.in_flight.has_value()},
      {"next_action", nullptr},
      {"next_at", nullptr}};
  if (record.community_member_id) object["community_member_id"] = *record.community_member_id;
  if (record.last_used > WallTime{}) object["last_used_at"] = format_iso8601(record.last_used);
  const MemberPlan plan = engine.plan_of(slot, now);
  std::optional<PlannedCall> next;
  for (const auto& call : plan.calls) {
    if (call && (!next || call->due < next->due)) next = call;
  }
  if (next) {
    object["next_action"] = std::string(name_of(next->kind));
    object["next_at"] = format_iso8601(std::max(next->due, engine.circle_now(now)));
  }
  return object;
}

}  // namespace

std::string status_json(Engine& engine, Now now, std::string_view version,
                        const std::vector<UnreadyReason>& unready) {
  Census& census = engine.census();
  const Upkeep& upkeep = engine.members().upkeep();
  json::object members;
  for (const auto state : kMemberStates) {
    members[std::string(name_of(state))] = census.in_state(state);
  }
  const Health::Members standing = count_members(engine, now);
  members["fresh"] = standing.fresh;
  members["overdue"] = standing.overdue;
  members["dead_on_arrival"] = standing.dead_on_arrival;
  const auto holds = census.first_end(engine.circle_now(now));
  members["tokens_hold_until"] = holds ? json::value(format_iso8601(*holds)) : nullptr;
  json::array reasons;
  for (const UnreadyReason& reason : unready) {
    reasons.push_back({{"code", std::string(name_of(reason.code))},
                       {"message", reason.message},
                       {"detail", reason.detail}});
  }
  const auto paused = engine.budget().paused_until(now.boot);
  const auto& counts = engine.counts();
  json::value trouble = nullptr;
  if (engine.gate().trouble()) {
    trouble = json::object{{"what", engine.gate().trouble()->words},
                           {"since", format_iso8601(engine.gate().trouble()->since)},
                           {"failures", engine.gate().trouble()->failures}};
  }
  const auto next_call = engine.next_call_in(now);
  json::object status{
      {"version", version},
      {"summary", status_line(engine, now)},
      {"ready", unready.empty()},
      {"not_ready", std::move(reasons)},
      {"members", std::move(members)},
      {"upkeep",
       {{"fits", upkeep.capacity()}, {"kept", upkeep.kept()}, {"left_out", upkeep.left_out()}}},
      {"first_issues",
       {{"waiting", standing.first_issues},
        {"issued", standing.kept - standing.first_issues},
        {"of", standing.kept},
        {"left_ms", standing.first_issues_left.count()}}},
      {"tokens_to_revoke", census.revoking()},
      {"doubts", engine.journal().doubts()},
      {"rows_set_aside", engine.rows_set_aside()},
      {"waiting_clients", engine.waits()},
      {"upstream",
       {{"breaker", std::string(name_of(engine.gate().breaker().state()))},
        {"trouble", std::move(trouble)},
        {"next_call_in_ms", next_call ? json::value(next_call->count()) : nullptr},
        {"calls_in_flight", engine.gate().in_flight()},
        {"window_used", engine.budget().used(now.boot)},
        {"window_limit", engine.budget().limit()},
        {"paused_ms", paused ? (*paused - now.boot).count() : 0},
        {"clock_skew_ms", engine.clock().skew(now).count()},
        {"clock_confirmed", engine.clock().confirmed()},
        {"clock_doubted", engine.clock().doubted()},
        {"early_refresh_useless", engine.facts().early_refresh_useless},
        {"access_token_lifetime_ms", engine.facts().access_lifetime.count()}}},
      {"calls",
       {{"issued", counts.issues},
        {"refreshed", counts.refreshes},
        {"revoked", counts.revocations},
        {"failed", counts.failures},
        {"throttled", counts.throttled}}},
      {"store", {{"commits", engine.outbox().error() ? "failing" : "ok"}}}};
  // It may be long, and was written down when it was held.
  const RosterPlan* held = engine.held_plan();
  std::string text = json::serialize(status);
  text.pop_back();
  text += R"(,"roster_plan_held":)";
  text += held != nullptr ? std::string_view(held->json) : "null";
  text += '}';
  return text;
}

Result<std::string> members_json(const Engine& engine, Now now, std::string_view state,
                                 std::string_view after, std::size_t limit) {
  std::optional<MemberState> wanted;
  for (const auto candidate : kMemberStates) {
    if (name_of(candidate) == state) wanted = candidate;
  }
  if (!state.empty() && !wanted) {
    return fail(ErrorKind::kInvalid,
                "state is none of active, retiring, retired, blocked, unknown, mismatched");
  }
  const Members::ByKey& by_key = engine.members().by_key();
  auto it = by_key.begin();
  if (!after.empty()) {
    ROTA_ASSIGN(const MemberKey last, MemberKey::parse(after));
    it = by_key.upper_bound(last);
  }
  json::array members;
  json::value next = nullptr;
  for (; it != by_key.end(); ++it) {
    const MemberSlot& slot = engine.members().at(it->second);
    if (it->first != primary_key(slot.record)) continue;  // listed once, by its first name
    if (wanted && slot.record.state != *wanted) continue;
    if (!members.empty() && members.size() >= limit) {
      next = members.back().at("key");
      break;
    }
    members.emplace_back(member_object(engine, slot, now));
  }
  return json::serialize(json::object{{"members", std::move(members)}, {"next", std::move(next)}});
}

std::optional<std::string> member_json(const Engine& engine, Now now, std::string_view key) {
  const MemberSlot* slot = engine.find(key);
  if (slot == nullptr) return std::nullopt;
  return json::serialize(member_object(engine, *slot, now));
}

std::string audit_json(const AuditPage& page) {
  const auto text_or_null = [](const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
  };
  const auto id_or_null = [](std::uint32_t id) {
    return id == AuditCaller::kNoId ? json::value(nullptr) : json::value(id);
  };
  json::array entries;
  for (const AuditEntry& entry : page.entries) {
    const AuditCaller& caller = entry.caller;
    entries.push_back({{"id", entry.id},
                       {"at", format_iso8601(entry.at)},
                       {"last_at", format_iso8601(entry.last_at)},
                       {"count", entry.count},
                       {"event", std::string(name_of(entry.event))},
                       {"member", text_or_null(entry.member)},
                       {"uid", id_or_null(caller.uid)},
                       {"gid", id_or_null(caller.gid)},
                       {"pid", caller.pid == 0 ? json::value(nullptr) : json::value(caller.pid)},
                       {"token", text_or_null(entry.token)},
                       {"detail", entry.detail}});
  }
  return json::serialize(
      json::value{{"entries", std::move(entries)},
                  {"next", page.next ? json::value(*page.next) : json::value(nullptr)}});
}

std::vector<MemberKey> left_out_of(const Engine& engine, const Roster& roster) {
  struct Wanted {
    WallTime last_used;
    std::size_t place;  // in the roster
  };
  std::vector<Wanted> wanted;
  for (std::size_t place = 0; place < roster.entries.size(); ++place) {
    const RosterEntry& entry = roster.entries[place];
    if (entry.retired) continue;
    const MemberSlot* slot = engine.members().find(entry.key);
    wanted.push_back(
        {.last_used = slot != nullptr ? slot->record.last_used : WallTime{}, .place = place});
  }
  std::ranges::sort(wanted, [](const Wanted& a, const Wanted& b) {
    return a.last_used != b.last_used ? a.last_used > b.last_used : a.place < b.place;
  });
  std::vector<MemberKey> left_out;
  for (std::size_t i = engine.members().upkeep().capacity(); i < wanted.size(); ++i) {
    left_out.push_back(roster.entries[wanted[i].place].key);
  }
  return left_out;
}

std::string status_line(Engine& engine, Now now) {
  Census& census = engine.census();
  const WallTime circle = engine.circle_now(now);
  std::string line;
  if (engine.outbox().error()) {
    line += "commits fail; ";
  }
  if (engine.gate().breaker().state() != BreakerState::kClosed) {
    line += fmt::format("upstream {}; ", name_of(engine.gate().breaker().state()));
  }
  // The other states say as much themselves.
  const bool says_why = engine.gate().breaker().state() == BreakerState::kAppTokenRefused ||
                        engine.gate().breaker().state() == BreakerState::kNotEligible;
  if (engine.gate().trouble() && !says_why) line += describe(*engine.gate().trouble()) + "; ";
  if (engine.held_plan() != nullptr) {
    line += fmt::format("roster plan {} held for approval; ", engine.held_plan()->id);
  }
  const std::size_t active = census.in_state(MemberState::kActive);
  line += fmt::format("{} of {} {} fresh", grouped(census.fresh(circle)), grouped(active),
                      active == 1 ? "member" : "members");
  if (const Health::Members standing = count_members(engine, now); standing.first_issues > 0) {
    line += fmt::format("; first tokens: {} of {} issued",
                        grouped(standing.kept - standing.first_issues), grouped(standing.kept));
    // Nobody knows that while calls fail.
    if (!engine.gate().trouble()) {
      const auto minutes = std::chrono::ceil<std::chrono::minutes>(standing.first_issues_left);
      line +=
          fmt::format(", about {} min to go", grouped(static_cast<std::size_t>(minutes.count())));
    }
  }
  if (engine.members().upkeep().left_out() > 0) {
    line += fmt::format("; the budget keeps {} fresh, {} are issued on demand",
                        grouped(engine.members().upkeep().capacity()),
                        grouped(engine.members().upkeep().left_out()));
  }
  if (census.revoking() > 0)
    line += fmt::format("; {} {} to revoke", grouped(census.revoking()),
                        census.revoking() == 1 ? "token" : "tokens");
  if (const auto holds = census.first_end(circle); holds && engine.gate().trouble()) {
    line += fmt::format("; tokens hold until {} UTC", minute_of(*holds));
  }
  if (const auto left = engine.next_call_in(now)) {
    // Rounded up: "0 s" is for a call that is made now.
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*left).count();
    line += fmt::format("; next call in {} s", grouped(static_cast<std::size_t>(seconds)));
  }
  return line;
}

std::string operation_json(const OperatorReport& report) {
  json::array revocations;
  for (const RevocationLine& line : report.revocations) {
    revocations.push_back({{"kind", std::string(name_of(line.kind))},
                           {"fingerprint", format_fingerprint(line.fingerprint)},
                           {"result", line.result},
                           {"alive", line.alive}});
  }
  return json::serialize(json::value{{"done", is_success(report.end)},
                                     {"state", std::string(name_of(report.state))},
                                     {"detail", describe(report)},
                                     {"revocations", std::move(revocations)},
                                     {"doubts", report.doubts}});
}

}  // namespace rota

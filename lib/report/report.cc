#include "report/report.h"

#include <algorithm>
#include <boost/json.hpp>

namespace rota {
namespace {

namespace json = boost::json;

}  // namespace

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
                       {"client", text_or_null(caller.client)},
                       {"token", text_or_null(entry.token)},
                       {"detail", entry.detail}});
  }
  return json::serialize(
      json::value{{"entries", std::move(entries)},
                  {"next", page.next ? json::value(*page.next) : json::value(nullptr)},
                  {"last", page.last}});
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

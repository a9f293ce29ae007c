// The audit trail in the database: rows that are appended, read, and removed, in each share from
// the oldest on.

#include <fmt/format.h>

#include <string>

#include "store/audit_filter.h"
#include "store/sqlite_store.h"

namespace rota {
namespace {

std::int64_t number(WallTime time) { return time.time_since_epoch().count(); }

Result<AuditEntry> entry_of(const Statement& row) {
  AuditEntry entry{.id = row.integer(0),
                   .at = WallTime{Duration{row.integer(1)}},
                   .last_at = WallTime{Duration{row.integer(2)}},
                   .count = static_cast<std::uint64_t>(row.integer(3)),
                   .event = static_cast<AuditEvent>(row.integer(4)),
                   .member = std::string(row.text(5)),
                   .caller = {.uid = static_cast<std::uint32_t>(row.integer(6)),
                              .gid = static_cast<std::uint32_t>(row.integer(7)),
                              .pid = static_cast<std::int32_t>(row.integer(8))},
                   .token = std::string(row.text(9)),
                   .detail = std::string(row.text(10))};
  if (entry.event < AuditEvent::kTokenFetched || entry.event > AuditEvent::kStopped) {
    return fail(ErrorKind::kCorrupt, fmt::format("the audit trail has an event {}, and there is "
                                                 "none such",
                                                 row.integer(4)));
  }
  return entry;
}

}  // namespace

Result<void> SqliteStore::append_audit(std::span<const AuditNote> notes, const AuditBounds& bounds,
                                       WallTime now) {
  return in_transaction([&] { return append_all(notes, bounds, now); });
}

Result<void> SqliteStore::append_all(std::span<const AuditNote> notes, const AuditBounds& bounds,
                                     WallTime now) {
  for (const AuditNote& note : notes) {
    const AuditKey& key = note.key;
    const std::string token = key.token == 0 ? "" : sealer_.audit_name(key.token);
    ROTA_TRY(statements_.append_audit.run(
        number(note.at), number(note.last_at), static_cast<std::int64_t>(note.count),
        static_cast<std::int64_t>(key.event), std::string_view(note.member),
        std::int64_t{key.caller.uid}, std::int64_t{key.caller.gid}, std::int64_t{key.caller.pid},
        std::string_view(token), std::string_view(key.detail),
        static_cast<std::int64_t>(share_of(key.event))));
  }
  constexpr auto kPrune = static_cast<std::int64_t>(kAuditPruneMax);
  for (const AuditShare each : {AuditShare::kFetches, AuditShare::kRotations, AuditShare::kDeeds}) {
    const auto share = static_cast<std::int64_t>(each);
    ROTA_TRY(statements_.prune_audit_to_rows.run(share, static_cast<std::int64_t>(bounds.rows_max),
                                                 kPrune));
    ROTA_TRY(statements_.prune_audit_before.run(share, number(now - bounds.keep), kPrune));
  }
  return {};
}

Result<AuditPage> SqliteStore::read_audit(const AuditQuery& query) {
  const std::string token = query.token ? sealer_.audit_name(*query.token) : "";
  const bool all = !query.since && !query.token && query.members.empty();
  const std::size_t scan = all ? query.limit : kAuditScanMax;
  AuditPage page;
  std::int64_t last = query.after;
  std::size_t looked_at = 0;
  bool full = false;
  const auto take = [&](const Statement& row) -> Result<void> {
    if (full) return {};
    ++looked_at;
    ROTA_ASSIGN(AuditEntry entry, entry_of(row));
    last = entry.id;
    if (wanted_by(query, token, entry)) page.entries.push_back(std::move(entry));
    full = page.entries.size() >= query.limit;
    return {};
  };
  ROTA_TRY(statements_.read_audit.for_each(take, query.after, static_cast<std::int64_t>(scan)));
  if (full || looked_at == scan) page.next = last;
  return page;
}

}  // namespace rota

// The audit trail in the database: its rows are appended, read, and removed, the oldest of each
// share first.

#include <optional>
#include <string>

#include "sqlite/sqlite_store.h"
#include "sqlite/statements.h"
#include "store/audit_filter.h"

namespace rota {
namespace {

std::int64_t number(WallTime time) { return time.time_since_epoch().count(); }

// Nullopt if the row's event does not exist.
std::optional<AuditEntry> entry_of(const Statement& row) {
  AuditEntry entry{.id = row.integer(0),
                   .at = WallTime{Duration{row.integer(1)}},
                   .last_at = WallTime{Duration{row.integer(2)}},
                   .count = static_cast<std::uint64_t>(row.integer(3)),
                   .event = static_cast<AuditEvent>(row.integer(4)),
                   .member = std::string(row.text(5)),
                   .caller = {.uid = static_cast<std::uint32_t>(row.integer(6)),
                              .gid = static_cast<std::uint32_t>(row.integer(7)),
                              .pid = static_cast<std::int32_t>(row.integer(8)),
                              .client = std::string(row.text(11))},
                   .token = std::string(row.text(9)),
                   .detail = std::string(row.text(10))};
  if (entry.event < kAuditEvents.front() || entry.event > kAuditEvents.back()) return std::nullopt;
  return entry;
}

constexpr std::int64_t kAuditNumberMax = std::int64_t{1} << 53;

}  // namespace

Result<void> SqliteStore::mend_audit_numbers() {
  ROTA_ASSIGN(const std::int64_t highest, database_.number(sql::kAuditNumberMax));
  if (highest < kAuditNumberMax) return {};
  // The triggers refuse every change of an entry.
  ROTA_TRY(database_.run_triggers(false));
  Result<void> moved = in_transaction([this] { return database_.execute(sql::kMoveFarAudit); });
  Result<void> on_again = database_.run_triggers(true);
  return moved ? on_again : moved;
}

Result<void> SqliteStore::append_audit(std::span<const AuditNote> notes, const AuditBounds& bounds,
                                       std::optional<WallTime> now) {
  return in_transaction([&] { return append_all(notes, bounds, now); });
}

Result<void> SqliteStore::append_all(std::span<const AuditNote> notes, const AuditBounds& bounds,
                                     std::optional<WallTime> now) {
  for (const AuditNote& note : notes) {
    const AuditKey& key = note.key;
    const std::string token = key.token == 0 ? "" : sealer_.audit_name(key.token);
    ROTA_TRY(statements_.append_audit.run(
        number(note.at), number(note.last_at), static_cast<std::int64_t>(note.count),
        static_cast<std::int64_t>(key.event), std::string_view(note.member),
        std::int64_t{key.caller.uid}, std::int64_t{key.caller.gid}, std::int64_t{key.caller.pid},
        std::string_view(token), std::string_view(key.detail),
        static_cast<std::int64_t>(share_of(key.event)), std::string_view(key.caller.client)));
  }
  constexpr auto kPrune = static_cast<std::int64_t>(kAuditPruneMax);
  for (const AuditShare each : {AuditShare::kFetches, AuditShare::kRotations, AuditShare::kDeeds}) {
    const auto share = static_cast<std::int64_t>(each);
    ROTA_TRY(statements_.prune_audit_to_rows.run(share, static_cast<std::int64_t>(bounds.rows_max),
                                                 kPrune));
    if (!now) continue;
    ROTA_TRY(statements_.prune_audit_before.run(share, number(*now - bounds.keep), kPrune,
                                                number(*now), kAuditAgeStep.count()));
  }
  return {};
}

Result<AuditPage> SqliteStore::read_audit(const AuditQuery& query) {
  const std::string token = query.token ? sealer_.audit_name(*query.token) : "";
  const bool all = !query.since && !query.token && query.members.empty() && !query.notable;
  const std::size_t scan = all ? query.limit : kAuditScanMax;
  AuditPage page;
  std::int64_t last = query.after;
  std::size_t looked_at = 0;
  bool full = false;
  const auto take = [&](const Statement& row) -> Result<void> {
    if (full) return {};
    ++looked_at;
    last = row.integer(0);
    std::optional<AuditEntry> entry = entry_of(row);
    if (entry && wanted_by(query, token, *entry)) page.entries.push_back(*std::move(entry));
    full = page.entries.size() >= query.limit;
    return {};
  };
  ROTA_TRY(statements_.read_audit.for_each(take, query.after, static_cast<std::int64_t>(scan)));
  if (full || looked_at == scan) page.next = last;
  page.last = last;
  return page;
}

}  // namespace rota

#pragma once

// All statements on the tables of schema.cc, by name. Times are milliseconds since 1970.

namespace rota::sql {

inline constexpr const char* kBegin = "BEGIN IMMEDIATE";
inline constexpr const char* kCommit = "COMMIT";

// Members. An upsert, not a REPLACE, which would lose `last_used`.
inline constexpr const char* kPutMember =
    "INSERT INTO member (id, state, state_since, community_member_id, community_id,"
    " renew_not_before, seal, salt, login_epoch, signed_out_at)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
    " ON CONFLICT (id) DO UPDATE SET state = excluded.state, state_since = excluded.state_since,"
    " community_member_id = excluded.community_member_id,"
    " community_id = excluded.community_id, renew_not_before = excluded.renew_not_before,"
    " seal = excluded.seal, salt = excluded.salt, login_epoch = excluded.login_epoch,"
    " signed_out_at = excluded.signed_out_at";
inline constexpr const char* kSaltOf = "SELECT salt FROM member WHERE id = ?1";
inline constexpr const char* kPutUse = "UPDATE member SET last_used = ?2 WHERE id = ?1";
inline constexpr const char* kForgetMember = "DELETE FROM member WHERE id = ?1";
inline constexpr const char* kClearSelectors = "DELETE FROM selector WHERE member = ?1";
inline constexpr const char* kPutSelector =
    "INSERT INTO selector (member, position, kind, value, in_roster, retired, name, resolved_at,"
    " was_in_roster) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
inline constexpr const char* kClearTags = "DELETE FROM tag WHERE member = ?1";
inline constexpr const char* kPutTag =
    "INSERT INTO tag (member, selector, position, value) VALUES (?1, ?2, ?3, ?4)";
inline constexpr const char* kClearEnrolments = "DELETE FROM enrolment WHERE member = ?1";
inline constexpr const char* kPutEnrolment =
    "INSERT INTO enrolment (member, selector, position, client, since) VALUES (?1, ?2, ?3, ?4, ?5)";
inline constexpr const char* kClearEnrolmentTags = "DELETE FROM enrolment_tag WHERE member = ?1";
inline constexpr const char* kPutEnrolmentTag =
    "INSERT INTO enrolment_tag (member, selector, enrolment, position, value)"
    " VALUES (?1, ?2, ?3, ?4, ?5)";
inline constexpr const char* kClearHandles = "DELETE FROM handle WHERE member = ?1";
inline constexpr const char* kPutHandle =
    "INSERT INTO handle (member, holder, number) VALUES (?1, ?2, ?3)";

// Tokens. The row is always written whole: a token that moves or changes its state is sealed again.
inline constexpr const char* kPutToken =
    "INSERT INTO token (id, member, kind, status, issued_at, expires_at, status_since, key_id,"
    " sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    " ON CONFLICT (id) DO UPDATE SET member = excluded.member, kind = excluded.kind,"
    " status = excluded.status, issued_at = excluded.issued_at, expires_at = excluded.expires_at,"
    " status_since = excluded.status_since, key_id = excluded.key_id, sealed = excluded.sealed";
// A token with the salt of its member, which its seal is bound to.
inline constexpr const char* kFindToken =
    "SELECT token.id, token.member, token.kind, token.status, token.issued_at, token.expires_at,"
    " token.status_since, token.key_id, token.sealed, member.salt"
    " FROM token LEFT JOIN member ON member.id = token.member WHERE token.id = ?1";
inline constexpr const char* kEraseToken = "DELETE FROM token WHERE id = ?1";

// The call journal.
inline constexpr const char* kPutCall =
    "INSERT INTO call (id, kind, member, opened_at, closed_at, fate, doubt_until, boot, "
    "closed_boot)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
    " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, member = excluded.member,"
    " opened_at = excluded.opened_at, closed_at = excluded.closed_at, fate = excluded.fate,"
    " doubt_until = excluded.doubt_until, boot = excluded.boot,"
    " closed_boot = excluded.closed_boot";
inline constexpr const char* kEraseCall = "DELETE FROM call WHERE id = ?1";

// Single numbers.
inline constexpr const char* kPutMeta =
    "INSERT INTO meta (key, value) VALUES (?1, ?2)"
    " ON CONFLICT (key) DO UPDATE SET value = excluded.value";
inline constexpr const char* kRaiseNextId =
    "INSERT INTO next_id (kind, value) VALUES (?1, ?2)"
    " ON CONFLICT (kind) DO UPDATE SET value = excluded.value WHERE excluded.value > value";

// The audit trail. Each prune removes the oldest entries of one share, at most ?3 of them.
inline constexpr const char* kAppendAudit =
    "INSERT INTO audit (at, last_at, count, event, member, uid, gid, pid, token, detail, share,"
    " client, place) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,"
    " 1 + coalesce((SELECT max(place) FROM audit WHERE share = ?11), 0))";
inline constexpr const char* kPruneAuditToRows =
    "DELETE FROM audit WHERE share = ?1"
    " AND place <= (SELECT max(place) FROM audit WHERE share = ?1) - ?2"
    " AND place < (SELECT min(place) FROM audit WHERE share = ?1) + ?3";
// Removes entries older than ?2, but at most a time of ?5 from the oldest entry on. Entries with a
// time after ?4 do not keep the entries after them.
inline constexpr const char* kPruneAuditBefore =
    "WITH first AS (SELECT min(place) AS place FROM audit WHERE share = ?1),"
    " old AS (SELECT min(?2, coalesce((SELECT last_at + ?5 FROM audit"
    " WHERE share = ?1 AND last_at <= ?4 ORDER BY place LIMIT 1), ?2)) AS before),"
    " kept AS (SELECT coalesce((SELECT place FROM audit WHERE share = ?1"
    " AND last_at >= (SELECT before FROM old) AND last_at <= ?4"
    " AND place < (SELECT place FROM first) + ?3 ORDER BY place LIMIT 1),"
    " (SELECT place FROM first) + ?3) AS place)"
    " DELETE FROM audit WHERE share = ?1 AND place <= (SELECT max(place) FROM audit"
    " WHERE share = ?1 AND place < (SELECT place FROM kept)"
    " AND last_at < (SELECT before FROM old))";
// The highest number of an entry. No Rota reaches 2^53. kMoveFarAudit moves all entries from 2^52
// on, so that it also moves those that were written after a wrong one.
inline constexpr const char* kAuditNumberMax =
    "SELECT max(coalesce((SELECT max(id) FROM audit), 0),"
    " coalesce((SELECT max(place) FROM audit WHERE share = 1), 0),"
    " coalesce((SELECT max(place) FROM audit WHERE share = 2), 0),"
    " coalesce((SELECT max(place) FROM audit WHERE share = 3), 0),"
    " coalesce((SELECT max(seq) FROM sqlite_sequence), 0))";
inline constexpr const char* kMoveFarAudit =
    "CREATE TEMP TABLE far AS SELECT * FROM audit"
    " WHERE max(id, place) >= 4503599627370496 OR min(id, place) < 1;"
    "DELETE FROM audit WHERE max(id, place) >= 4503599627370496 OR min(id, place) < 1;"
    "INSERT INTO audit (id, at, last_at, count, event, member, uid, gid, pid, token, detail, share,"
    " client, place) SELECT coalesce((SELECT max(id) FROM audit), 0) + row_number() OVER (ORDER BY "
    "id, "
    "place),"
    " at, last_at, count, event, member, uid, gid, pid, token, detail, share, client,"
    " coalesce((SELECT max(place) FROM audit AS near WHERE near.share = far.share), 0)"
    " + row_number() OVER (PARTITION BY share ORDER BY id, place) FROM far;"
    "DROP TABLE far;"
    "UPDATE sqlite_sequence SET seq = (SELECT coalesce(max(id), 0) FROM audit) WHERE name = "
    "'audit'";
inline constexpr const char* kReadAudit =
    "SELECT id, at, last_at, count, event, member, uid, gid, pid, token, detail, client FROM audit"
    " WHERE id > ?1 ORDER BY id LIMIT ?2";

// The key check.
inline constexpr const char* kPutKeyCheck =
    "INSERT INTO key_check (id, key_id, sealed, database) VALUES (1, ?1, ?2, ?3)"
    " ON CONFLICT (id) DO UPDATE SET key_id = excluded.key_id, sealed = excluded.sealed,"
    " database = excluded.database";
inline constexpr const char* kLoadKeyCheck = "SELECT key_id, sealed, database FROM key_check";

// For a start. Each query reads its table in the order of its key, so SQLite need not sort.
inline constexpr const char* kLoadMembers =
    "SELECT id, state, state_since, community_member_id, community_id, renew_not_before, last_used,"
    " seal, salt, login_epoch, signed_out_at FROM member ORDER BY id";
inline constexpr const char* kLoadSelectors =
    "SELECT member, kind, value, in_roster, retired, name, resolved_at, was_in_roster"
    " FROM selector ORDER BY member, position";
inline constexpr const char* kLoadTags =
    "SELECT member, selector, value FROM tag ORDER BY member, selector, position";
inline constexpr const char* kLoadEnrolments =
    "SELECT member, selector, client, since FROM enrolment ORDER BY member, selector, position";
inline constexpr const char* kLoadEnrolmentTags =
    "SELECT member, selector, enrolment, value FROM enrolment_tag"
    " ORDER BY member, selector, enrolment, position";
inline constexpr const char* kLoadHandles =
    "SELECT member, holder, number FROM handle ORDER BY member, holder";
inline constexpr const char* kLoadTokens =
    "SELECT id, member, kind, status, issued_at, expires_at, status_since, key_id, sealed"
    " FROM token ORDER BY id";
inline constexpr const char* kLoadCalls =
    "SELECT id, kind, member, opened_at, closed_at, fate, doubt_until, boot, closed_boot FROM call"
    " ORDER BY id";
inline constexpr const char* kLoadMeta = "SELECT key, value FROM meta";
inline constexpr const char* kLoadCommits =
    "SELECT coalesce((SELECT value FROM meta WHERE key = 12), 0)";
// For the head of a backup.
inline constexpr const char* kCountMembers = "SELECT count(*) FROM member";
inline constexpr const char* kOneCommunity =
    "SELECT coalesce((SELECT community_id FROM member WHERE community_id IS NOT NULL"
    " ORDER BY id DESC LIMIT 1), 0)";
inline constexpr const char* kLoadNextIds = "SELECT kind, value FROM next_id";

}  // namespace rota::sql

// The shape of the database:
//
//   rota.db   := member* token* call* meta* next_id{0..3} key_check audit*
//   member    := id state state_since community ids last_used signed_out_at,
//                login_epoch seal salt, selector+ handle*                    a MemberRecord
//   selector  := kind value in_roster retired name resolved_at was_in_roster,
//                tag* enrolment*                                             one of its names
//   enrolment := client since enrolment_tag*                                 an Enrolment
//   handle    := holder number                                               a HandleCount
//   token     := id member kind status times, key_id sealed                  see sealer.cc
//   call      := id kind member times fate                                   a CallRow
//   meta      := MetaKey number
//   next_id   := IdKind the next free id: never lowered, so that no id is given twice
//   key_check := key_id sealed database             a sealed constant: does the store key fit?
//                                                   `database`: random bytes, the database's id
//   audit     := id share place event times count member caller client keyed-hash detail   an
//   AuditEntry
//
// Enums are stored as their numbers, times as milliseconds since 1970. If a member goes,
// SqliteStore erases its names and tokens: the foreign keys below only say what belongs to what
// (see database_file.cc). Its calls stay, because they have used slots of the budget. No table
// holds a token or a fingerprint in clear: the fingerprint is computed again from each token that
// opens.
//
// The audit trail grows only at its end, and each of its shares is removed only from its own
// beginning. The triggers refuse everything else, so no statement of this program can change the
// trail by mistake. A person who has the file can.

#include "sqlite/schema.h"

#include <fmt/format.h>

#include <array>

namespace rota {
namespace {

constexpr const char* kFirst = R"sql(
CREATE TABLE member (
  id INTEGER PRIMARY KEY,
  state INTEGER NOT NULL,
  state_since INTEGER NOT NULL,
  community_member_id INTEGER,
  community_id INTEGER,
  renew_not_before INTEGER NOT NULL
) STRICT;

CREATE TABLE selector (
  member INTEGER NOT NULL REFERENCES member (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  value TEXT NOT NULL,
  in_roster INTEGER NOT NULL,
  retired INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (member, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag (
  member INTEGER NOT NULL REFERENCES member (id) ON DELETE CASCADE,
  selector INTEGER NOT NULL,
  position INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (member, selector, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  id INTEGER PRIMARY KEY,
  member INTEGER NOT NULL REFERENCES member (id) ON DELETE CASCADE,
  kind INTEGER NOT NULL,
  status INTEGER NOT NULL,
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  status_since INTEGER NOT NULL,
  key_id BLOB NOT NULL,
  sealed BLOB NOT NULL
) STRICT;
-- For forgetting a member: without it each would cost a scan of all tokens.
CREATE INDEX token_by_member ON token (member);

CREATE TABLE call (
  id INTEGER PRIMARY KEY,
  kind INTEGER NOT NULL,
  member INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER,
  fate INTEGER NOT NULL,
  doubt_until INTEGER
) STRICT;

CREATE TABLE meta (key INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;

CREATE TABLE next_id (kind INTEGER PRIMARY KEY, value INTEGER NOT NULL) STRICT;

CREATE TABLE key_check (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  key_id BLOB NOT NULL,
  sealed BLOB NOT NULL
) STRICT;
)sql";

// When a client last asked for the member's token, and a call's end on the boot clock.
constexpr const char* kSecond = R"sql(
ALTER TABLE member ADD COLUMN last_used INTEGER NOT NULL DEFAULT 0;
ALTER TABLE call ADD COLUMN boot INTEGER;
ALTER TABLE call ADD COLUMN closed_boot INTEGER;
)sql";

// The audit trail. AUTOINCREMENT: no id is given twice, even if all rows are gone.
constexpr const char* kThird = R"sql(
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  count INTEGER NOT NULL,
  event INTEGER NOT NULL,
  member TEXT NOT NULL,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  token TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
CREATE TRIGGER audit_goes_from_its_beginning BEFORE DELETE ON audit
  WHEN old.id <> (SELECT min(id) FROM audit) BEGIN
  SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
CREATE TRIGGER audit_grows_at_its_end AFTER INSERT ON audit
  WHEN new.id <> (SELECT max(id) FROM audit) BEGIN
  SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
)sql";

// Frequent entries must not push out rare ones, so each share of the trail counts its own places.
constexpr const char* kFourth = R"sql(
DROP TRIGGER audit_is_not_changed;
DROP TRIGGER audit_goes_from_its_beginning;
DROP TRIGGER audit_grows_at_its_end;
ALTER TABLE audit ADD COLUMN share INTEGER NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
UPDATE audit SET share = CASE WHEN event = 1 THEN 1 WHEN event IN (2, 3, 4, 5, 6, 7) THEN 2 ELSE 3 END;
UPDATE audit SET place = counted.place FROM
  (SELECT id, row_number() OVER (PARTITION BY share ORDER BY id) AS place FROM audit) AS counted
  WHERE counted.id = audit.id;
CREATE UNIQUE INDEX audit_by_place ON audit (share, place);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN
  SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
CREATE TRIGGER audit_goes_from_its_beginning BEFORE DELETE ON audit
  WHEN old.place <> (SELECT min(place) FROM audit WHERE share = old.share) BEGIN
  SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
CREATE TRIGGER audit_grows_at_its_end AFTER INSERT ON audit
  WHEN new.id <> (SELECT max(id) FROM audit)
    OR new.place <> (SELECT max(place) FROM audit WHERE share = new.share) BEGIN
  SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
)sql";

// The keyed hash of a member's record, and the salt to which its tokens are bound.
// SqliteStore::seal_anew() fills them.
constexpr const char* kFifth = R"sql(
ALTER TABLE member ADD COLUMN seal BLOB NOT NULL DEFAULT x'';
ALTER TABLE member ADD COLUMN salt BLOB NOT NULL DEFAULT x'';
)sql";

// The database's id, to which the seals of the newest form are bound. SqliteStore::seal_anew()
// fills it.
constexpr const char* kSixth =
    R"sql(
ALTER TABLE key_check ADD COLUMN database BLOB NOT NULL DEFAULT x'';
)sql"
    // When a name last led to its member. For a member that is active or unknown, about when its
    // pair came: with 0 it would not be served until its names were asked for again.
    R"sql(
ALTER TABLE selector ADD COLUMN resolved_at INTEGER NOT NULL DEFAULT 0;
UPDATE selector SET resolved_at = max(1, coalesce(
  (SELECT max(issued_at) FROM token
   WHERE token.member = selector.member AND token.kind = 2 AND token.status = 1), 1))
  WHERE (SELECT state FROM member WHERE member.id = selector.member) IN (1, 5);
)sql";

// Members that clients enrolled. Every name of before was in a roster. An empty login epoch is 16
// zeros.
constexpr const char* kSeventh = R"sql(
ALTER TABLE member ADD COLUMN signed_out_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN login_epoch BLOB NOT NULL DEFAULT x'';
ALTER TABLE selector ADD COLUMN was_in_roster INTEGER NOT NULL DEFAULT 1;
ALTER TABLE audit ADD COLUMN client TEXT NOT NULL DEFAULT '';

CREATE TABLE enrolment (
  member INTEGER NOT NULL REFERENCES member (id) ON DELETE CASCADE,
  selector INTEGER NOT NULL,
  position INTEGER NOT NULL,
  client TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (member, selector, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolment_tag (
  member INTEGER NOT NULL REFERENCES member (id) ON DELETE CASCADE,
  selector INTEGER NOT NULL,
  enrolment INTEGER NOT NULL,
  position INTEGER NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (member, selector, enrolment, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE handle (
  member INTEGER NOT NULL REFERENCES member (id) ON DELETE CASCADE,
  holder TEXT NOT NULL,
  number INTEGER NOT NULL,
  PRIMARY KEY (member, holder)
) STRICT, WITHOUT ROWID;
)sql";

// Each token that came or went wrote a page of this index. Without it, SQLite could find the tokens
// of a member that goes only by a look at all of them, so it is not asked to: foreign keys are off.
constexpr const char* kEighth = "DROP INDEX token_by_member;";

// Step n leads from version n to version n + 1. A step that was released never changes.
constexpr std::array kMigrations{kFirst, kSecond, kThird,   kFourth,
                                 kFifth, kSixth,  kSeventh, kEighth};

Result<void> run_step(Database& database, std::size_t version) {
  ROTA_TRY(database.execute("BEGIN IMMEDIATE"));
  ROTA_TRY(database.execute(kMigrations[version]));
  const std::string mark = fmt::format("PRAGMA application_id = {}; PRAGMA user_version = {}",
                                       kApplicationId, version + 1);
  ROTA_TRY(database.execute(mark.c_str()));
  return database.execute("COMMIT");
}

}  // namespace

std::int64_t schema_version() { return static_cast<std::int64_t>(kMigrations.size()); }

Result<void> migrate(Database& database, std::int64_t target) {
  ROTA_ASSIGN(const std::int64_t found, database.number("PRAGMA user_version"));
  const auto end = static_cast<std::size_t>(target);
  for (auto version = static_cast<std::size_t>(found); version < end; ++version) {
    if (Result<void> done = run_step(database, version); !done) {
      database.roll_back();
      return done;
    }
  }
  return {};
}

}  // namespace rota

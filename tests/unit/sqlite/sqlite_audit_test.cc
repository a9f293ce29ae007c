// The audit trail in the file: append-only, without a token's own hash, and there after an upgrade.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "raw_sqlite.h"

namespace rota {
namespace {

using ::testing::HasSubstr;
using testing::make_member;
using ::testing::Not;
using testing::RawSqlite;

AuditNote fetch_of(std::string_view token) {
  return {.key = {.event = AuditEvent::kTokenFetched,
                  .member = MemberId{1},
                  .token = fingerprint_of(token)},
          .member = "id:42",
          .at = testing::at(1),
          .last_at = testing::at(1)};
}

class SqliteAudit : public testing::SqliteTest {
 protected:
  static void append(SqliteStore& store, const std::vector<AuditNote>& notes) {
    const auto done = store.append_audit(notes, {}, testing::at(1));
    ASSERT_TRUE(done) << done.error().message;
  }
  static std::vector<AuditEntry> entries(SqliteStore& store) {
    auto page = store.read_audit({});
    EXPECT_TRUE(page);
    return page.value_or(AuditPage{}).entries;
  }
  // What SQLite answers to a statement that is tried: "" when it was let through.
  std::string attempt(const std::string& sql) {
    sqlite3* database = nullptr;
    EXPECT_EQ(SQLITE_OK, sqlite3_open(path().c_str(), &database));
    const int code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    std::string message = code == SQLITE_OK ? "" : sqlite3_errmsg(database);
    sqlite3_close(database);
    return message;
  }
};

TEST_F(SqliteAudit, OnlyGrowsAtItsEndAndGoesFromItsBeginning) {
  {
    auto store = open();
    append(*store, {fetch_of("a"), fetch_of("b"), fetch_of("c")});
  }
  const std::string no = "the audit trail is append-only";
  EXPECT_EQ(no, attempt("UPDATE audit SET uid = 0"));
  EXPECT_EQ(no, attempt("DELETE FROM audit WHERE id = 2"));
  EXPECT_EQ(no, attempt("DELETE FROM audit WHERE id = 3"));
  const auto insert = [this](const char* how, int id, int place) {
    return attempt(fmt::format(
        "{} INTO audit SELECT {}, 0, 0, 1, 1, '', 0, 0, 0, '', '', 1, {}, ''", how, id, place));
  };
  EXPECT_EQ(no, insert("INSERT OR REPLACE", 1, 9));
  EXPECT_EQ(no, insert("INSERT", -1, 9));
  EXPECT_EQ(no, insert("INSERT", 9, -1));
  EXPECT_EQ(3U, entries(*open()).size());
  EXPECT_EQ("", attempt("DELETE FROM audit WHERE id <= 2"));
  EXPECT_EQ(1U, entries(*open()).size());
}

TEST_F(SqliteAudit, NamesATokenByAKeyedHashAlone) {
  std::string with_one_key;
  {
    auto store = open();
    append(*store, {fetch_of("token")});
    with_one_key = entries(*store).at(0).token;
  }
  const auto files = testing::read_all(folder_.path());
  EXPECT_THAT(files.at("rota.db"), HasSubstr(with_one_key));
  EXPECT_THAT(files.at("rota.db"), Not(HasSubstr(format_fingerprint(fingerprint_of("token")))));
  const Result<Sealer> other = Sealer::create(Secret(std::string(kStoreKeyBytes, 'x')));
  ASSERT_TRUE(other);
  EXPECT_NE(with_one_key, other->audit_name(fingerprint_of("token")));
}

// After an entry with the last number that there is, SQLite would give none any more.
TEST_F(SqliteAudit, AnEntryWithANumberThatNobodyReachesStopsNothing) {
  constexpr const char* kChanges[] = {
      "UPDATE audit SET id = 9223372036854775807 WHERE id = 2",
      "UPDATE audit SET id = 9007199254740992 WHERE id = 2",
      "UPDATE audit SET place = 9223372036854775807 WHERE id = 2",
      "UPDATE sqlite_sequence SET seq = 9223372036854775807",
      "UPDATE audit SET id = 9223372036854775807 - id, place = 9223372036854775806 - place",
      // Of no event.
      "UPDATE audit SET event = 77 WHERE id = 2",
  };
  {
    auto store = open();
    append(*store, {fetch_of("a"), fetch_of("b"), fetch_of("c")});
  }
  const std::string whole = testing::read_bytes(path());
  for (const std::string change : kChanges) {
    SCOPED_TRACE(change);
    testing::write_bytes(path(), whole);
    {
      RawSqlite raw(path());
      const std::string trigger =
          raw.value("SELECT sql FROM sqlite_schema WHERE name = 'audit_is_not_changed'");
      raw.run("DROP TRIGGER audit_is_not_changed;" + change + ";" + trigger);
    }
    const std::size_t shown = change.find("event") == std::string::npos ? 3 : 2;
    for (const std::size_t more : {1U, 2U}) {
      auto store = open();
      append(*store, {fetch_of("d")});
      const auto all = entries(*store);
      ASSERT_EQ(shown + more, all.size());
      EXPECT_LT(all.back().id, 10);
    }
    EXPECT_EQ("the audit trail is append-only", attempt("UPDATE audit SET uid = 0"));
    auto store = open();
    ASSERT_TRUE(store->append_audit({}, {.rows_max = 1}, testing::at(1)));
    EXPECT_EQ(1U, entries(*store).size()) << "and it goes from its beginning";
  }
}

TEST_F(SqliteAudit, ADatabaseOfTheSchemaBeforeGetsOne) {
  open().reset();
  testing::make_older(path(), 2);
  auto store = open();
  append(*store, {fetch_of("token")});
  EXPECT_EQ(1U, entries(*store).size());
}

TEST_F(SqliteAudit, TheTrailOfTheSchemaBeforeGetsItsShares) {
  const auto note_of = [](AuditEvent event) {
    AuditNote note = fetch_of("a");
    note.key.event = event;
    return note;
  };
  const AuditNote fetch = note_of(AuditEvent::kTokenFetched);
  {
    auto store = open();
    append(*store, {fetch, note_of(AuditEvent::kRevokeAsked), fetch,
                    note_of(AuditEvent::kTokenRefreshed), fetch});
  }
  testing::make_older(path(), 3);
  auto store = open();
  ASSERT_TRUE(store->append_audit(std::vector{fetch}, {.rows_max = 2}, testing::at(1)));
  std::vector<std::int64_t> ids;
  for (const AuditEntry& entry : entries(*store)) ids.push_back(entry.id);
  EXPECT_THAT(ids, ::testing::ElementsAre(2, 4, 5, 6));
  store.reset();
  EXPECT_EQ("the audit trail is append-only", attempt("UPDATE audit SET uid = 0"));
}

TEST_F(SqliteAudit, TheTrailOfTheSchemaBeforeHasNoClients) {
  {
    auto store = open();
    append(*store, {fetch_of("a")});
  }
  testing::seal_as(path(), SealForm::kThird);
  testing::make_older(path(), 6);
  AuditNote named = fetch_of("b");
  named.key.caller = {.client = "web"};
  auto store = open();
  append(*store, {named});
  const auto all = entries(*store);
  ASSERT_EQ(2U, all.size());
  EXPECT_EQ("", all[0].caller.client);
  EXPECT_EQ("web", all[1].caller.client);
}

// Each event that there was goes into the share that a note of it gets today.
TEST_F(SqliteAudit, TheMigrationSharesEveryEventAsANoteOfItIs) {
  std::vector<AuditNote> notes;
  for (const AuditEvent event : kAuditEvents) {
    if (event > AuditEvent::kStopped) break;
    notes.push_back(fetch_of("a"));
    notes.back().key.event = event;
  }
  {
    auto store = open();
    append(*store, notes);
  }
  testing::make_older(path(), 3);
  open().reset();
  RawSqlite raw(path());
  for (const AuditNote& note : notes) {
    const int event = static_cast<int>(note.key.event);
    EXPECT_EQ(fmt::format("{}", static_cast<int>(share_of(note.key.event))),
              raw.value(fmt::format("SELECT share FROM audit WHERE event = {}", event)))
        << "event " << event;
  }
}

}  // namespace
}  // namespace rota

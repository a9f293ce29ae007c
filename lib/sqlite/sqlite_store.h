#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sqlite/database.h"
#include "sqlite/files.h"
#include "sqlite/lock_file.h"
#include "sqlite/mark_file.h"
#include "sqlite/sealer.h"
#include "store/token_store.h"

namespace rota {

// The tokens in a SQLite file, each sealed before SQLite sees it. One thread at a time, not
// necessarily the same; every call blocks on the disk.
class SqliteStore : public TokenStore {
 public:
  // Opens or creates the database at `path`, whose folder must exist; files are made 0600. Holds it
  // alone until destroyed.
  //   kBusy     another daemon has it; the message says which
  //   kConfig   no such folder, no right to the file, or the store key does not fit
  //   kCorrupt  not a database, not Rota's or of a newer schema: left as it is, byte by byte
  //   kFull, kIo
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& path,
                                                   Sealer sealer);

  // Tokens that do not open, and members whose record is not as Rota sealed it, with their tokens,
  // are set aside: left in the file, counted, not loaded.
  // kCorrupt: a row that no Rota writes.
  Result<Snapshot> load() override;

  // kIo, and nothing counts as durable, once a file of the database was moved, removed or replaced.
  Result<void> commit(std::span<const Mutation> mutations) override;
  Result<void> look_after() override;

  // sqlite_audit.cc
  Result<void> append_audit(std::span<const AuditNote> notes, const AuditBounds& bounds,
                            std::optional<WallTime> now) override;
  Result<AuditPage> read_audit(const AuditQuery& query) override;

 private:
  struct Statements {
    Statement begin, commit;
    Statement put_member, salt_of, put_use, forget_member, clear_selectors, put_selector,
        clear_tags, put_tag;
    Statement put_token, erase_token, put_call, erase_call, put_meta, raise_next_id;
    Statement append_audit, prune_audit_to_rows, prune_audit_before, read_audit;
  };
  struct Applier;

  SqliteStore(std::filesystem::path path, LockFile lock, MarkFile mark, Sealer sealer,
              Database database, Statements statements)
      : path_(std::move(path)),
        lock_(std::move(lock)),
        mark_(std::move(mark)),
        sealer_(std::move(sealer)),
        database_(std::move(database)),
        statements_(std::move(statements)) {}

  static Result<Statements> prepare(Database& database);
  // sqlite_load.cc
  Result<Snapshot> load(SealForm form);
  // sqlite_age.cc: sees whether the database is the one that this machine used last.
  Result<void> compare_with_mark();
  // Brings a database of an older form to the newest and gives it an id, all or nothing.
  Result<void> seal_anew(SealForm form);
  // Runs `work` in a transaction: all of what it wrote is durable, or nothing of it is there.
  template <class Work>
  Result<void> in_transaction(Work work) {
    const auto all = [&]() -> Result<void> {
      ROTA_TRY(statements_.begin.run());
      ROTA_TRY(work());
      return statements_.commit.run();
    };
    // Looked at again at the end: the files may have gone meanwhile, and the batch with them.
    ROTA_TRY(require_in_place());
    if (Result<void> done = all(); !done) {
      database_.roll_back();
      return done;
    }
    return require_in_place();
  }
  Result<void> apply(std::span<const Mutation> mutations);
  // Entries with numbers that no Rota reaches get the next ones instead: past them there are none.
  Result<void> mend_audit_numbers();
  // The files that SQLite has open are those that stand at their paths.
  Result<void> require_in_place() const;
  void remember_files();
  void scrub_if_owed();
  Result<void> append_all(std::span<const AuditNote> notes, const AuditBounds& bounds,
                          std::optional<WallTime> now);

  // In this order: the statements go before the database, the lock last of all.
  const std::filesystem::path path_;
  LockFile lock_;
  MarkFile mark_;
  Sealer sealer_;
  Database database_;
  Statements statements_;
  std::vector<std::pair<std::filesystem::path, FileIdentity>> files_;  // that SQLite has open
  std::int64_t commits_ = 0;  // of this database, since it was made
  bool is_new_ = false;       // made by this start
  std::optional<OtherDatabase> other_;
  bool scrub_owed_ = true;  // a log that a dead process left may hold erased bytes
};

}  // namespace rota

#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sqlite/backup_job.h"
#include "sqlite/database.h"
#include "sqlite/files_in_place.h"
#include "sqlite/lock_file.h"
#include "sqlite/mark_file.h"
#include "sqlite/sealer.h"
#include "sqlite/token_opener.h"
#include "store/token_store.h"

namespace rota {

// The store in one SQLite file. Each token is sealed before SQLite sees it. One thread at a time,
// not always the same one. Every call blocks on the disk.
class SqliteStore : public TokenStore {
 public:
  // Opens the database at `path`, or creates it; its folder must exist. New files have mode 0600.
  // No other process can open the database until this object is destroyed. What another program
  // overwrites meanwhile is left as it is, with the log beside it.
  //   kBusy     another daemon or program has it; the message says which daemon
  //   kConfig   no such folder, no right to the file, or the store key does not fit
  //   kCorrupt  not a database, not Rota's, changed by somebody else, or of a newer schema: not a
  //             byte of it is changed
  //   kFull, kIo
  static Result<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& path,
                                                   Sealer sealer);
  // Seals everything anew with another key, all or nothing: after a failure the database has the
  // one key or the other, and open() tells which. Rows that load() sets aside stay as they are, and
  // are set aside for ever. No sealed bytes of before are in the files once close() is tidy.
  Result<void> rekey(Sealer next);

  // Moves all of the log into the database file and closes both. The lock stays with the caller, so
  // that nobody opens the database meanwhile. kIo, kFull: the log could not be moved; it stays
  // beside the database.
  struct Closed {
    LockFile lock;
    Result<void> tidy;
  };
  static Closed close(std::unique_ptr<SqliteStore> store);
  ~SqliteStore() override;
  SqliteStore(const SqliteStore&) = delete;
  SqliteStore& operator=(const SqliteStore&) = delete;

  // Sets aside tokens that do not open, and members whose record is not as Rota sealed it, with
  // their tokens, and rows that no Rota can have written: they stay in the file and are counted and
  // named, but not loaded; of calls, see Snapshot.
  Result<Snapshot> load() override;

  // kIo once a file of the database was moved, removed, replaced or overwritten; then nothing
  // counts as durable.
  Result<void> commit(std::span<const Mutation> mutations) override;
  Result<OpenedTokens> open_tokens(std::span<const TokenId> tokens) override;
  Result<void> look_after() override;

  const DatabaseId& database_id() const { return sealer_.database(); }
  // How many commits the database had.
  std::int64_t commits() const { return commits_; }
  // From now on commits have larger numbers than this.
  void count_commits_from(std::int64_t commits) { commits_ = std::max(commits_, commits); }

  // sqlite_audit.cc
  Result<void> append_audit(std::span<const AuditNote> notes, const AuditBounds& bounds,
                            std::optional<WallTime> now) override;
  Result<AuditPage> read_audit(const AuditQuery& query) override;

  // backup_job.cc
  Result<std::optional<Backup>> continue_backup(WallTime now) override;

 private:
  struct Statements {
    Statement begin, commit;
    Statement put_member, salt_of, put_use, forget_member, clear_selectors, put_selector,
        clear_tags, put_tag;
    Statement clear_enrolments, put_enrolment, clear_enrolment_tags, put_enrolment_tag,
        clear_handles, put_handle;
    Statement put_token, find_token, erase_token, put_call, erase_call, put_meta, raise_next_id;
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
  Result<Snapshot> load(SealForm form, TokenOpener::Values values = TokenOpener::Values::kAll);
  // sqlite_age.cc: is the database the one that this machine used last?
  Result<void> compare_with_mark();
  // Brings a database of an older form to the newest, all or nothing. It gets an id if it has none.
  Result<void> seal_anew(SealForm form);
  // All mutations and the key check, in one transaction. `salts`: from now on members have others.
  enum class Salts { kStay, kNew };
  Result<void> write_sealed(std::span<const Mutation> all, Salts salts);
  // Runs `work` in a transaction. After a success, all that it wrote is durable. After a failure it
  // may be durable or not, but never a part of it.
  template <class Work>
  Result<void> in_transaction(Work work) {
    const auto all = [&]() -> Result<void> {
      ROTA_TRY(statements_.begin.run());
      ROTA_TRY(work());
      return statements_.commit.run();
    };
    // Checked at both ends: if the files went meanwhile, the batch went with them.
    ROTA_TRY(files_.require(database_));
    Result<void> done = all();
    if (!done) database_.roll_back();
    files_.note_own_writes(database_);
    if (!done) return done;
    return files_.require(database_);
  }
  Result<void> apply(std::span<const Mutation> mutations);
  // Gives entries with numbers that no Rota reaches the next free ones instead: after such numbers
  // there would be none left.
  Result<void> mend_audit_numbers();
  void scrub_if_owed();
  Result<void> checkpoint();
  Result<void> append_all(std::span<const AuditNote> notes, const AuditBounds& bounds,
                          std::optional<WallTime> now);

  // One thread at a time. In this order, so that the statements go before the database, and the
  // lock goes after both.
  const std::filesystem::path path_;
  std::optional<LockFile> lock_;  // none: close() has it
  MarkFile mark_;
  Sealer sealer_;
  Database database_;
  Statements statements_;
  FilesInPlace files_;
  std::int64_t commits_ = 0;  // of this database, since it was made
  bool is_new_ = false;       // open() made the database
  std::optional<OtherDatabase> other_;
  // Tokens that were set aside, by their members. Nobody else knows them, and they go with their
  // member.
  std::multimap<MemberId, TokenId> tokens_set_aside_;
  bool scrub_owed_ = true;  // at first: the log of a process that died may hold erased bytes
  WaitingBackups waiting_backups_{path_};
  std::optional<BackupJob> backup_;  // under way; last, since it goes before the database
};

}  // namespace rota

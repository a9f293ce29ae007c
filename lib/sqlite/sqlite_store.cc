#include "sqlite/sqlite_store.h"

#include <algorithm>
#include <utility>

#include "sqlite/database_file.h"
#include "sqlite/files.h"
#include "sqlite/schema.h"
#include "sqlite/statements.h"
#include "sqlite/token_row.h"
#include "store/validate.h"

namespace rota {
namespace {

std::int64_t number(WallTime time) { return time.time_since_epoch().count(); }

std::optional<std::int64_t> number(std::optional<WallTime> time) {
  if (!time) return std::nullopt;
  return number(*time);
}

template <class Enum>
  requires std::is_enum_v<Enum>
std::int64_t number(Enum value) {
  return static_cast<std::int64_t>(std::to_underlying(value));
}

std::int64_t number(bool value) { return value ? 1 : 0; }

}  // namespace

// Applies one batch inside its transaction, and notes the highest ids that the batch used.
struct SqliteStore::Applier {
  Statements& sql;
  const Sealer& sealer;
  std::multimap<MemberId, TokenId>& set_aside;
  std::int64_t highest_member = 0;
  std::int64_t highest_token = 0;
  std::int64_t highest_call = 0;
  bool scrub = false;
  LostTokens lost{};
  // Of the last token: the changes of one member come one after another.
  MemberId salted{};
  MemberSalt salt_of_salted{};

  // Nullopt if there is no such row, or it has no salt yet.
  Result<std::optional<MemberSalt>> salt_of(MemberId member) {
    std::optional<MemberSalt> salt;
    const auto take = [&](const Statement& row) -> Result<void> {
      salt = read_salt(row.bytes(0));
      return {};
    };
    ROTA_TRY(sql.salt_of.for_each(take, number(member)));
    return salt;
  }

  Result<void> operator()(const PutMember& put) {
    const MemberRecord& row = put.row;
    const std::int64_t id = number(row.id);
    highest_member = std::max(highest_member, id);
    salted = {};
    ROTA_ASSIGN(std::optional<MemberSalt> salt, salt_of(row.id));
    if (!salt) salt = Sealer::draw_salt();
    const MemberSeal seal = sealer.seal(row, *salt);
    ROTA_TRY(sql.put_member.run(
        id, number(row.state), number(row.state_since), row.community_member_id.optional(),
        row.community_id.optional(), number(row.renew_not_before),
        std::span<const unsigned char>(seal), std::span<const unsigned char>(*salt),
        std::span<const unsigned char>(row.login_epoch), number(row.signed_out_at)));
    ROTA_TRY(clear_names(id));
    std::int64_t position = 0;
    for (const Selector& selector : row.selectors) {
      ROTA_TRY(sql.put_selector.run(
          id, position, number(selector.key.kind), std::string_view(selector.key.value),
          number(selector.in_roster), number(selector.retired), std::string_view(selector.name),
          number(selector.resolved_at), number(selector.was_in_roster)));
      std::int64_t place = 0;
      for (const std::string& tag : selector.tags) {
        ROTA_TRY(sql.put_tag.run(id, position, place++, std::string_view(tag)));
      }
      ROTA_TRY(put_enrolments(id, position, selector));
      ++position;
    }
    for (const HandleCount& handle : row.handles) {
      ROTA_TRY(
          sql.put_handle.run(id, std::string_view(handle.holder), std::int64_t{handle.number}));
    }
    return {};
  }

  // And what hangs on them.
  Result<void> clear_names(std::int64_t member) {
    for (Statement* const clear : {&sql.clear_selectors, &sql.clear_tags, &sql.clear_enrolments,
                                   &sql.clear_enrolment_tags, &sql.clear_handles}) {
      ROTA_TRY(clear->run(member));
    }
    return {};
  }

  Result<void> put_enrolments(std::int64_t member, std::int64_t position,
                              const Selector& selector) {
    std::int64_t place = 0;
    for (const Enrolment& enrolment : selector.enrolments) {
      ROTA_TRY(sql.put_enrolment.run(member, position, place, std::string_view(enrolment.client),
                                     number(enrolment.since)));
      std::int64_t tag_place = 0;
      for (const std::string& tag : enrolment.tags) {
        ROTA_TRY(
            sql.put_enrolment_tag.run(member, position, place, tag_place++, std::string_view(tag)));
      }
      ++place;
    }
    return {};
  }

  Result<void> operator()(const ForgetMember& forget) {
    salted = {};
    lost.forget(forget.member);
    ROTA_TRY(clear_names(number(forget.member)));
    const auto [first, last] = set_aside.equal_range(forget.member);
    for (auto it = first; it != last; ++it) ROTA_TRY(sql.erase_token.run(number(it->second)));
    return sql.forget_member.run(number(forget.member));
  }

  Result<void> operator()(const PutUse& put) {
    return sql.put_use.run(number(put.member), number(put.at));
  }

  Result<void> operator()(const PutToken& put) {
    const Token& token = put.token;
    highest_token = std::max(highest_token, number(token.id));
    if (salted != put.member) {
      ROTA_ASSIGN(const std::optional<MemberSalt> salt, salt_of(put.member));
      if (!salt) return no_such_member(put);
      salt_of_salted = *salt;
      salted = put.member;
    }
    SecretPtr value = token.value;
    if (value != nullptr) {
      lost.put(put, true);
    } else {
      ROTA_ASSIGN(const std::optional<StoredToken> stored,
                  find_token(sql.find_token, sealer, token.id));
      lost.put(put, stored.has_value());
      if (!stored) return {};
      if (stored->value == nullptr) {
        set_aside.emplace(stored->owner, token.id);
        return {};
      }
      value = stored->value;
    }
    const SealedBytes sealed = sealer.seal(*value, binding_of(token, put.member, salt_of_salted));
    return sql.put_token.run(number(token.id), number(put.member), number(token.kind),
                             number(token.status), number(token.issued_at),
                             number(token.expires_at), number(token.status_since),
                             std::span(sealer.key_id()), std::span(sealed));
  }

  Result<void> operator()(const EraseToken& erase) {
    lost.erase(erase.token);
    return sql.erase_token.run(number(erase.token));
  }

  Result<void> operator()(const PutCall& put) {
    const CallRow& row = put.row;
    highest_call = std::max(highest_call, number(row.id));
    std::optional<std::int64_t> boot, closed_boot;
    if (row.closed_stamp) {
      boot = number(row.closed_stamp->boot);
      closed_boot = row.closed_stamp->at.time_since_epoch().count();
    }
    return sql.put_call.run(number(row.id), number(row.kind), number(row.member),
                            number(row.opened_at), number(row.closed_at), number(row.fate),
                            number(row.doubt_until), boot, closed_boot);
  }

  Result<void> operator()(const EraseCall& erase) { return sql.erase_call.run(number(erase.call)); }

  Result<void> operator()(const Scrub&) {
    scrub = true;
    return {};
  }

  Result<void> operator()(const PutMeta& put) {
    return sql.put_meta.run(number(put.key), put.value);
  }

  // In the same transaction, after all mutations: an id that was used stays used, even if its row
  // is erased.
  Result<void> raise_next_ids() {
    for (const auto& [kind, highest] :
         {std::pair{IdKind::kMember, highest_member}, std::pair{IdKind::kToken, highest_token},
          std::pair{IdKind::kCall, highest_call}}) {
      if (highest > 0) ROTA_TRY(sql.raise_next_id.run(number(kind), highest + 1));
    }
    return {};
  }
};

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& path,
                                                       Sealer sealer) {
  const std::filesystem::path absolute = std::filesystem::absolute(path);
  ROTA_TRY(require_directory_of(absolute));
  ROTA_ASSIGN(LockFile lock, LockFile::acquire(absolute));
  BackupJob::remove_copy(absolute);
  WaitingBackups::remove_all(absolute);
  ROTA_ASSIGN(DatabaseFile file, open_database_file(absolute, sealer));
  ROTA_ASSIGN(Statements statements, prepare(file.database));
  std::unique_ptr<SqliteStore> store(new SqliteStore(absolute, std::move(lock), MarkFile(absolute),
                                                     std::move(sealer), std::move(file.database),
                                                     std::move(statements)));
  store->files_.remember(absolute, store->database_);
  store->is_new_ = file.is_new;
  ROTA_TRY(store->mend_audit_numbers());
  if (file.form != kNewestForm) ROTA_TRY(store->seal_anew(file.form));
  ROTA_TRY(store->compare_with_mark());
  return store;
}

// The key check says which form the file has, so it changes in the same transaction. If the attempt
// is cut off, the next start makes it again. A database that has an id keeps it, and its tokens,
// which are bound to it already: it is still the database that this machine used last.
Result<void> SqliteStore::seal_anew(SealForm form) {
  ROTA_ASSIGN(const Snapshot found, load(form));
  const bool has_id = has_database_id(form);
  if (!has_id) sealer_.bind_to(Sealer::draw_database_id());
  std::vector<Mutation> all;
  for (const MemberRecord& member : found.members) {
    all.emplace_back(PutMember{member});
    if (has_id) continue;
    for (const Token& token : member.tokens) all.emplace_back(PutToken{member.id, token});
  }
  // load(form) did not look at tokens that have the newest form already. They must not open with a
  // record that was believed without a seal.
  return write_sealed(all, has_id ? Salts::kStay : Salts::kNew);
}

Result<void> SqliteStore::rekey(Sealer next) {
  ROTA_ASSIGN(const Snapshot found, load(kNewestForm));
  next.bind_to(sealer_.database());
  std::vector<Mutation> all;
  for (const MemberRecord& member : found.members) {
    all.emplace_back(PutMember{member});
    for (const Token& token : member.tokens) all.emplace_back(PutToken{member.id, token});
  }
  std::swap(sealer_, next);
  Result<void> done = write_sealed(all, Salts::kStay);
  if (!done) std::swap(sealer_, next);
  return done;
}

Result<void> SqliteStore::write_sealed(std::span<const Mutation> all, Salts salts) {
  const SealedBytes sealed = sealer_.seal_key_check();
  ROTA_TRY(in_transaction([&]() -> Result<void> {
    if (salts == Salts::kNew) ROTA_TRY(database_.execute("UPDATE member SET salt = x''"));
    ROTA_TRY(apply(all));
    ROTA_ASSIGN(Statement put, database_.prepare(sql::kPutKeyCheck));
    return put.run(std::span(sealer_.key_id()), std::span(sealed), std::span(sealer_.database()));
  }));
  // Until the checkpoint, the database file itself still has the older seals, and without its log
  // it would be the database of before again.
  scrub_owed_ = true;
  scrub_if_owed();
  return {};
}

Result<SqliteStore::Statements> SqliteStore::prepare(Database& database) {
  Statements all;
  const std::pair<Statement*, const char*> texts[] = {
      {&all.begin, sql::kBegin},
      {&all.commit, sql::kCommit},
      {&all.put_member, sql::kPutMember},
      {&all.salt_of, sql::kSaltOf},
      {&all.put_use, sql::kPutUse},
      {&all.forget_member, sql::kForgetMember},
      {&all.clear_selectors, sql::kClearSelectors},
      {&all.put_selector, sql::kPutSelector},
      {&all.clear_tags, sql::kClearTags},
      {&all.put_tag, sql::kPutTag},
      {&all.clear_enrolments, sql::kClearEnrolments},
      {&all.put_enrolment, sql::kPutEnrolment},
      {&all.clear_enrolment_tags, sql::kClearEnrolmentTags},
      {&all.put_enrolment_tag, sql::kPutEnrolmentTag},
      {&all.clear_handles, sql::kClearHandles},
      {&all.put_handle, sql::kPutHandle},
      {&all.put_token, sql::kPutToken},
      {&all.find_token, sql::kFindToken},
      {&all.erase_token, sql::kEraseToken},
      {&all.put_call, sql::kPutCall},
      {&all.erase_call, sql::kEraseCall},
      {&all.put_meta, sql::kPutMeta},
      {&all.raise_next_id, sql::kRaiseNextId},
      {&all.append_audit, sql::kAppendAudit},
      {&all.prune_audit_to_rows, sql::kPruneAuditToRows},
      {&all.prune_audit_before, sql::kPruneAuditBefore},
      {&all.read_audit, sql::kReadAudit},
  };
  for (const auto& [statement, text] : texts) {
    ROTA_ASSIGN(*statement, database.prepare(text));
  }
  return all;
}

Result<void> SqliteStore::commit(std::span<const Mutation> mutations) {
  if (mutations.empty()) return {};
  ROTA_TRY(in_transaction([&]() -> Result<void> {
    ROTA_TRY(apply(mutations));
    return statements_.put_meta.run(number(MetaKey::kCommitNumber), commits_ + 1);
  }));
  mark_.write({.database = sealer_.database(), .commit = ++commits_});
  // The batch is durable even if the log cannot be cut now; it is cut later.
  scrub_if_owed();
  return {};
}

Result<OpenedTokens> SqliteStore::open_tokens(std::span<const TokenId> tokens) {
  OpenedTokens opened;
  for (const TokenId token : tokens) {
    ROTA_ASSIGN(const std::optional<StoredToken> stored,
                find_token(statements_.find_token, sealer_, token));
    if (stored && stored->value == nullptr) tokens_set_aside_.emplace(stored->owner, token);
    opened.emplace(token, stored ? stored->value : nullptr);
  }
  return opened;
}

void SqliteStore::scrub_if_owed() {
  if (scrub_owed_ && checkpoint()) scrub_owed_ = false;
}

Result<void> SqliteStore::checkpoint() {
  ROTA_TRY(files_.require(database_));
  Result<void> done = database_.checkpoint();
  files_.note_own_writes(database_);
  return done;
}

// The log has what the file lacks. To move it into a file that is not ours any more would lose it.
SqliteStore::~SqliteStore() {
  if (files_.overwritten(database_)) static_cast<void>(database_.leave_as_is_on_close());
}

SqliteStore::Closed SqliteStore::close(std::unique_ptr<SqliteStore> store) {
  Result<void> tidy = store->checkpoint();
  LockFile lock = *std::exchange(store->lock_, std::nullopt);
  store.reset();
  return {.lock = std::move(lock), .tidy = std::move(tidy)};
}

Result<void> SqliteStore::look_after() {
  ROTA_TRY(files_.require(database_));
  scrub_if_owed();
  return {};
}

Result<void> SqliteStore::apply(std::span<const Mutation> mutations) {
  Applier applier{statements_, sealer_, tokens_set_aside_};
  for (const Mutation& mutation : mutations) {
    ROTA_TRY(validate(mutation));
    ROTA_TRY(std::visit(applier, mutation));
  }
  ROTA_TRY(applier.lost.none());
  ROTA_TRY(applier.raise_next_ids());
  scrub_owed_ = scrub_owed_ || applier.scrub;
  return {};
}

}  // namespace rota

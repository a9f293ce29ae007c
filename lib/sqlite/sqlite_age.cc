// Whether the database is the one that this machine used last, and what Rota does if it is not.

#include <algorithm>
#include <vector>

#include "sqlite/sqlite_store.h"
#include "sqlite/statements.h"

namespace rota {

// If somebody put back an older copy, or another database, it knows less than Circle does. Its
// access tokens may have been revoked since. So each becomes superseded, and none is served until
// Circle has answered a call about its member. This is committed together with the new count of
// commits, so a start that is cut off does not forget it.
Result<void> SqliteStore::compare_with_mark() {
  ROTA_ASSIGN(const std::int64_t commits, database_.number(sql::kLoadCommits));
  commits_ = std::clamp<std::int64_t>(commits, 0, MarkFile::kCommitMax);
  const std::optional<MarkFile::Mark> mark = mark_.read();
  const bool is_the_one = mark && mark->database == sealer_.database();
  if (mark && !is_the_one) {
    other_ = is_new_ ? OtherDatabase{.kind = OtherDatabase::Kind::kNew}
                     : OtherDatabase{.kind = OtherDatabase::Kind::kAnother};
  } else if (mark && mark->commit > commits_) {
    other_ = {.kind = OtherDatabase::Kind::kOlder, .commits_missing = mark->commit - commits_};
    commits_ = mark->commit;
  }
  if (other_ && other_->kind != OtherDatabase::Kind::kNew) {
    ROTA_ASSIGN(const Snapshot found, load(kNewestForm));
    std::vector<Mutation> replaced;
    for (const MemberRecord& member : found.members) {
      for (Token token : member.tokens) {
        if (token.kind != TokenKind::kAccess || token.status != TokenStatus::kCurrent) continue;
        token.status = TokenStatus::kSuperseded;
        replaced.emplace_back(PutToken{member.id, token});
      }
    }
    // With these, the roster on disk is compared again, and there is something to commit even if no
    // token changed.
    replaced.emplace_back(PutMeta{MetaKey::kRosterFingerprint, 0});
    replaced.emplace_back(PutMeta{MetaKey::kApprovedRoster, 0});
    ROTA_TRY(commit(replaced));
  }
  mark_.write({.database = sealer_.database(), .commit = commits_});
  return {};
}

}  // namespace rota

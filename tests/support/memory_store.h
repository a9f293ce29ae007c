#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <unordered_map>

#include "base/result.h"
#include "store/token_store.h"

namespace rota {

// A TokenStore whose disk is memory: what is committed is there as long as the object lives, so a
// simulated restart is a new engine on the same store. It keeps the contract of TokenStore,
// including its failures. But one read_audit() may look at all entries.
class MemoryStore : public TokenStore {
 public:
  Result<Snapshot> load() override;
  Result<void> commit(std::span<const Mutation> mutations) override;
  Result<OpenedTokens> open_tokens(std::span<const TokenId> tokens) override;
  Result<void> append_audit(std::span<const AuditNote> notes, const AuditBounds& bounds,
                            std::optional<WallTime> now) override;
  Result<AuditPage> read_audit(const AuditQuery& query) override;

  // The next `times` loads, commits, openings and appends fail with this kind and change nothing.
  void fail_next(ErrorKind kind, int times = 1);

  // What load() gives if it does not fail, but with all values.
  Snapshot snapshot() const;
  // Null: it is not on record.
  const Token* find_token(TokenId token) const;
  // Batches committed so far, without empty ones.
  std::int64_t commits() const { return commits_; }
  // How often a batch had a Scrub.
  std::int64_t scrubs() const { return scrubs_; }
  const std::map<MemberId, MemberRecord>& members() const { return members_; }
  const std::map<CallId, CallRow>& calls() const { return calls_; }
  const std::deque<AuditEntry>& audit() const { return audit_; }

 private:
  struct Applier;

  std::optional<Error> injected_failure();
  Result<void> validate_all(std::span<const Mutation> mutations) const;
  void drop_token(TokenId token);
  void prune_audit(AuditShare share, const AuditBounds& bounds, std::optional<WallTime> now);
  void erase_audit(AuditShare share, std::size_t count);

  // In the order of the ids, as from a database. Each record has its tokens, in the order of their
  // ids too.
  std::map<MemberId, MemberRecord> members_;
  std::unordered_map<TokenId, MemberId> token_owners_;
  std::map<CallId, CallRow> calls_;
  Meta meta_;
  MemberId next_member_{1};
  TokenId next_token_{1};
  CallId next_call_{1};
  std::deque<AuditEntry> audit_;  // in the order of their ids
  std::int64_t next_audit_ = 1;

  ErrorKind failure_kind_ = ErrorKind::kIo;
  int failures_left_ = 0;
  std::int64_t commits_ = 0;
  std::int64_t scrubs_ = 0;
};

}  // namespace rota

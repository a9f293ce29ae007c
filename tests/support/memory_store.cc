#include "support/memory_store.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/check.h"
#include "store/audit_filter.h"
#include "store/validate.h"

namespace rota {
namespace {

template <class Id>
void keep_past(Id& next, Id used) {
  next = std::max(next, Id{std::to_underlying(used) + 1});
}

// There is no key, but the trail must not show the fingerprint itself here either.
std::string audit_name(Fingerprint token) {
  return format_fingerprint(fingerprint_of("memory store " + format_fingerprint(token)));
}

}  // namespace

// Only for batches that validate_all() has accepted, so nothing here can fail.
struct MemoryStore::Applier {
  MemoryStore& store;
  // Tokens of a member that the batch forgot: it must move or erase them itself.
  std::set<TokenId>& without_member;

  void operator()(const PutMember& put) const {
    MemberRecord& row = store.members_[put.row.id];
    SlimVector<Token> tokens = std::move(row.tokens);
    const WallTime last_used = row.last_used;
    row = put.row;
    row.tokens = std::move(tokens);
    row.last_used = last_used;
    keep_past(store.next_member_, put.row.id);
  }
  void operator()(const ForgetMember& forget) const {
    const auto found = store.members_.find(forget.member);
    if (found == store.members_.end()) return;
    for (const Token& token : found->second.tokens) {
      store.token_owners_.erase(token.id);
      without_member.insert(token.id);
    }
    store.members_.erase(found);
  }
  void operator()(const PutUse& put) const {
    const auto found = store.members_.find(put.member);
    if (found != store.members_.end()) found->second.last_used = put.at;
  }
  void operator()(const PutToken& put) const {
    const Token* const before = store.find_token(put.token.id);
    if (put.token.value == nullptr && before == nullptr) return;
    Token token = put.token;
    if (token.value == nullptr) token.value = before->value;
    token.fingerprint = fingerprint_of(token.value->reveal());
    store.drop_token(put.token.id);
    without_member.erase(put.token.id);
    SlimVector<Token>& tokens = store.members_.at(put.member).tokens;
    const auto place = std::ranges::lower_bound(tokens, put.token.id, {}, &Token::id);
    tokens.insert(place, std::move(token));
    store.token_owners_[put.token.id] = put.member;
    keep_past(store.next_token_, put.token.id);
  }
  void operator()(const EraseToken& erase) const {
    store.drop_token(erase.token);
    without_member.erase(erase.token);
  }
  void operator()(const PutCall& put) const {
    store.calls_[put.row.id] = put.row;
    keep_past(store.next_call_, put.row.id);
  }
  void operator()(const EraseCall& erase) const { store.calls_.erase(erase.call); }
  void operator()(const Scrub&) const { ++store.scrubs_; }
  void operator()(const PutMeta& put) const {
    ROTA_CHECK(take_over(store.meta_, put.key, put.value));
  }
};

Result<Snapshot> MemoryStore::load() {
  if (std::optional<Error> error = injected_failure()) return std::unexpected(*std::move(error));
  Snapshot loaded = snapshot();
  for (MemberRecord& record : loaded.members) {
    for (Token& token : record.tokens) {
      if (token.kind == TokenKind::kRefresh) token.value.reset();
    }
  }
  return loaded;
}

Result<OpenedTokens> MemoryStore::open_tokens(std::span<const TokenId> tokens) {
  if (std::optional<Error> error = injected_failure()) return std::unexpected(*std::move(error));
  OpenedTokens opened;
  for (const TokenId id : tokens) {
    const Token* const token = find_token(id);
    opened.emplace(id, token != nullptr ? token->value : nullptr);
  }
  return opened;
}

Snapshot MemoryStore::snapshot() const {
  Snapshot snapshot;
  snapshot.members.reserve(members_.size());
  for (const auto& [id, row] : members_) snapshot.members.push_back(row);
  for (const auto& [id, row] : calls_) snapshot.calls.push_back(row);
  snapshot.meta = meta_;
  snapshot.next_member = next_member_;
  snapshot.next_token = next_token_;
  snapshot.next_call = next_call_;
  return snapshot;
}

Result<void> MemoryStore::commit(std::span<const Mutation> mutations) {
  if (mutations.empty()) return {};
  if (std::optional<Error> error = injected_failure()) return std::unexpected(*std::move(error));
  ROTA_TRY(validate_all(mutations));
  std::set<TokenId> without_member;
  for (const Mutation& mutation : mutations) std::visit(Applier{*this, without_member}, mutation);
  ROTA_CHECK(without_member.empty());
  ++commits_;
  return {};
}

Result<void> MemoryStore::append_audit(std::span<const AuditNote> notes, const AuditBounds& bounds,
                                       std::optional<WallTime> now) {
  if (std::optional<Error> error = injected_failure()) return std::unexpected(*std::move(error));
  for (const AuditNote& note : notes) {
    const AuditKey& key = note.key;
    audit_.push_back({.id = next_audit_++,
                      .at = note.at,
                      .last_at = note.last_at,
                      .count = note.count,
                      .event = key.event,
                      .member = note.member,
                      .caller = key.caller,
                      .token = key.token == 0 ? "" : audit_name(key.token),
                      .detail = key.detail});
  }
  for (const AuditShare share :
       {AuditShare::kFetches, AuditShare::kRotations, AuditShare::kDeeds}) {
    prune_audit(share, bounds, now);
  }
  return {};
}

void MemoryStore::prune_audit(AuditShare share, const AuditBounds& bounds,
                              std::optional<WallTime> now) {
  std::vector<WallTime> times;
  for (const AuditEntry& entry : audit_) {
    if (share_of(entry.event) == share) times.push_back(entry.last_at);
  }
  const std::size_t over = times.size() - std::min(times.size(), bounds.rows_max);
  const std::size_t by_rows = std::min(over, kAuditPruneMax);
  erase_audit(share, by_rows);
  times.erase(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(by_rows));
  if (!now) return;
  WallTime before = *now - bounds.keep;
  const auto oldest = std::ranges::find_if(times, [&](WallTime time) { return time <= *now; });
  if (oldest != times.end()) before = std::min(before, *oldest + kAuditAgeStep);
  std::size_t by_age = 0;
  for (std::size_t i = 0; i < std::min(times.size(), kAuditPruneMax); ++i) {
    if (times[i] < before) by_age = i + 1;
    if (times[i] >= before && times[i] <= *now) break;
  }
  erase_audit(share, by_age);
}

void MemoryStore::erase_audit(AuditShare share, std::size_t count) {
  std::erase_if(audit_, [&](const AuditEntry& entry) {
    if (count == 0 || share_of(entry.event) != share) return false;
    --count;
    return true;
  });
}

Result<AuditPage> MemoryStore::read_audit(const AuditQuery& query) {
  const std::string token = query.token ? audit_name(*query.token) : "";
  AuditPage page{.entries = {}, .next = {}, .last = query.after};
  for (auto entry = std::ranges::upper_bound(audit_, query.after, {}, &AuditEntry::id);
       entry != audit_.end(); ++entry) {
    page.last = entry->id;
    if (wanted_by(query, token, *entry)) page.entries.push_back(*entry);
    if (page.entries.size() < query.limit) continue;
    page.next = entry->id;
    break;
  }
  return page;
}

void MemoryStore::fail_next(ErrorKind kind, int times) {
  failure_kind_ = kind;
  failures_left_ = times;
}

std::optional<Error> MemoryStore::injected_failure() {
  if (failures_left_ == 0) return std::nullopt;
  --failures_left_;
  return Error{failure_kind_, "the store was told to fail"};
}

// Checks the whole batch before any of it is applied, so that all of it is applied or none.
Result<void> MemoryStore::validate_all(std::span<const Mutation> mutations) const {
  std::map<MemberId, bool> there;  // whether a member is on record, if the batch has changed that
  std::set<TokenId> erased;        // by the batch so far
  std::set<TokenId> put;
  LostTokens lost;
  for (const Mutation& mutation : mutations) {
    ROTA_TRY(validate(mutation));
    if (const auto* member = std::get_if<PutMember>(&mutation)) {
      there[member->row.id] = true;
    } else if (const auto* forget = std::get_if<ForgetMember>(&mutation)) {
      there[forget->member] = false;
      lost.forget(forget->member);
    } else if (const auto* token = std::get_if<PutToken>(&mutation)) {
      const auto changed = there.find(token->member);
      const bool known =
          changed == there.end() ? members_.contains(token->member) : changed->second;
      if (!known) return no_such_member(*token);
      const TokenId id = token->token.id;
      const bool is_there = put.contains(id) || (find_token(id) != nullptr && !erased.contains(id));
      lost.put(*token, is_there);
      if (token->token.value != nullptr) put.insert(id);
    } else if (const auto* erase = std::get_if<EraseToken>(&mutation)) {
      lost.erase(erase->token);
      erased.insert(erase->token);
      put.erase(erase->token);
    }
  }
  return lost.none();
}

const Token* MemoryStore::find_token(TokenId token) const {
  const auto owner = token_owners_.find(token);
  if (owner == token_owners_.end()) return nullptr;
  return &*std::ranges::find(members_.at(owner->second).tokens, token, &Token::id);
}

void MemoryStore::drop_token(TokenId token) {
  const auto owner = token_owners_.find(token);
  if (owner == token_owners_.end()) return;
  erase_if(members_.at(owner->second).tokens,
           [token](const Token& held) { return held.id == token; });
  token_owners_.erase(owner);
}

}  // namespace rota

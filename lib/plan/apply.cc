#include "plan/apply.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "model/expiry.h"
#include "plan/freshness.h"
#include "plan/identity.h"
#include "plan/next_action.h"

namespace rota {
namespace {

// Of a token at rest only the fingerprint tells which it is.
Token* find_same(MemberRecord& record, TokenKind kind, const SecretPtr& value,
                 Fingerprint fingerprint) {
  const auto it = std::ranges::find_if(record.tokens, [&](const Token& token) {
    return token.kind == kind && token.fingerprint == fingerprint &&
           (token.value == nullptr || value == nullptr || *token.value == *value);
  });
  return it == record.tokens.end() ? nullptr : &*it;
}

void set_status(Token& token, TokenStatus status, WallTime now, RecordChange& change) {
  if (token.status == status) return;
  token.status = status;
  token.status_since = now;
  change.put.push_back(token.id);
}

void erase(MemberRecord& record, TokenId id, RecordChange& change) {
  const auto gone = erase_if(record.tokens, [id](const Token& t) { return t.id == id; });
  if (gone > 0) change.erased.push_back(id);
}

// The status of a token that another one replaces.
TokenStatus status_when_replaced(TokenKind kind) {
  // Some client may still use a replaced access token. Nobody else has a replaced refresh token,
  // and we no longer need it.
  return kind == TokenKind::kAccess ? TokenStatus::kSuperseded : TokenStatus::kRevoking;
}

// Puts a received token on the ledger with `status`. Returns whether it is new to the ledger.
bool receive(MemberRecord& record, TokenKind kind, const SecretPtr& value, WallTime expires_at,
             TokenStatus status, WallTime now, TokenIds& ids, RecordChange& change) {
  const Fingerprint fingerprint = fingerprint_of(value->reveal());
  if (Token* same = find_same(record, kind, value, fingerprint)) {
    if (same->expires_at != expires_at) {
      same->expires_at = expires_at;
      change.put.push_back(same->id);
    }
    // P4: a token that must be revoked stays so, whichever call brings it again.
    if (same->status == status || same->status == TokenStatus::kRevoking) return false;
    if (status == TokenStatus::kCurrent) {
      if (Token* old = current(record, kind)) {
        set_status(*old, status_when_replaced(kind), now, change);
      }
    }
    set_status(*same, status, now, change);
    return false;
  }
  if (status == TokenStatus::kCurrent) {
    if (Token* old = current(record, kind)) {
      set_status(*old, status_when_replaced(kind), now, change);
    }
  }
  record.tokens.push_back({.id = ids.take(),
                           .kind = kind,
                           .status = status,
                           .value = value,
                           .fingerprint = fingerprint,
                           .issued_at = now,
                           .expires_at = expires_at,
                           .status_since = now});
  change.put.push_back(record.tokens.back().id);
  return true;
}

// One visit for each kind of outcome. A visit changes `record_` and notes that in `change_`.
class Applier {
 public:
  Applier(MemberRecord& record, CallKind call, TokenId token, WallTime now, TokenIds& ids, Use use)
      : record_(record), call_(call), token_(token), now_(now), ids_(ids), use_(use) {}

  Progress operator()(const Issued& issued) {
    const TokenPair& pair = issued.pair;
    if (is_other_identity(record_, pair)) {
      change_.merge(enter(record_, LifecycleEvent::kOtherIdentity, now_));
      // The tokens are another member's, and Circle may have given the same ones to that member. So
      // until an operator has said who this is, we neither serve nor revoke them, but only remember
      // them. A leaver's are revoked like its others.
      const TokenStatus status = record_.state == MemberState::kMismatched
                                     ? TokenStatus::kSuperseded
                                     : TokenStatus::kRevoking;
      receive(record_, TokenKind::kRefresh, pair.refresh, pair.refresh_expires_at, status, now_,
              ids_, change_);
      receive(record_, TokenKind::kAccess, pair.access.value, pair.access.expires_at, status, now_,
              ids_, change_);
      return Progress::kMismatched;
    }
    if (!record_.community_member_id) {
      record_.community_member_id = pair.community_member_id;
      record_.community_id = pair.community_id;
      change_.row = true;
    }
    change_.merge(enter(record_, LifecycleEvent::kCircleIssued, now_));

    change_.merge(revoke_gone_tokens(record_, now_));
    const Token* old_refresh = current(record_, TokenKind::kRefresh);
    const WallTime old_end = old_refresh ? old_refresh->expires_at : WallTime{};
    receive(record_, TokenKind::kRefresh, pair.refresh, pair.refresh_expires_at,
            status_of_received(TokenKind::kRefresh), now_, ids_, change_);
    // If a renewal brought the same end again, another one before that end would do so too.
    const WallTime renew_not_before =
        old_end == pair.refresh_expires_at ? pair.refresh_expires_at : WallTime{};
    if (record_.renew_not_before != renew_not_before) {
      record_.renew_not_before = renew_not_before;
      change_.row = true;
    }
    return take_access(pair.access);
  }

  Progress operator()(const Refreshed& refreshed) {
    change_.merge(revoke_gone_tokens(record_, now_));
    if (refreshed.refresh) {
      take_refresh(*refreshed.refresh, status_of_received(TokenKind::kRefresh));
    }
    return take_access(refreshed.access);
  }
  Progress operator()(const Revoked&) { return dead(); }
  Progress operator()(const AlreadyDead&) { return dead(); }
  // `status_since` moves with each such answer: the time until the next try grows with it.
  Progress operator()(const MemberGone&) {
    ROTA_CHECK(call_ == CallKind::kRevokeRefresh || call_ == CallKind::kRevokeAccess);
    const auto it = std::ranges::find(record_.tokens, token_, &Token::id);
    if (it == record_.tokens.end()) return Progress::kNothing;
    it->status = TokenStatus::kMemberGone;
    it->status_since = now_;
    change_.put.push_back(token_);
    return Progress::kMemberGone;
  }
  Progress operator()(const RefreshTokenDead&) {
    erase(record_, token_, change_);
    return Progress::kPairLost;
  }
  Progress operator()(const MemberUnknown&) {
    change_.merge(enter(record_, LifecycleEvent::kCircleKnowsNone, now_));
    return Progress::kUnknown;
  }
  Progress operator()(const AppTokenRefused&) { return Progress::kNothing; }
  Progress operator()(const NotEligible&) { return Progress::kNothing; }
  Progress operator()(const Throttled&) { return Progress::kNothing; }
  Progress operator()(const Transient&) { return Progress::kNothing; }

  RecordChange take_change() { return std::move(change_); }

 private:
  TokenStatus status_of_received(TokenKind kind) const {
    const bool kept =
        use_ == Use::kKeep || (use_ == Use::kRevokeAccess && kind == TokenKind::kRefresh);
    return keeps_tokens(record_.state) && kept ? TokenStatus::kCurrent : TokenStatus::kRevoking;
  }

  // If the reply does not say when the token ends: as late as on record, otherwise as documented.
  void take_refresh(const NewRefreshToken& token, TokenStatus status) {
    const Token* same =
        find_same(record_, TokenKind::kRefresh, token.value, fingerprint_of(token.value->reveal()));
    const WallTime unsaid =
        same != nullptr ? same->expires_at : now_ + UpstreamFacts{}.refresh_lifetime;
    receive(record_, TokenKind::kRefresh, token.value, token.expires_at.value_or(unsaid), status,
            now_, ids_, change_);
    if (record_.renew_not_before == WallTime{}) return;
    record_.renew_not_before = {};
    change_.row = true;
  }

  Progress take_access(const AccessToken& access) {
    TokenStatus status = status_of_received(TokenKind::kAccess);
    // A token that is dead on arrival goes on the ledger, but does not replace a live one.
    const Token* before = current(record_, TokenKind::kAccess);
    const bool stays = status == TokenStatus::kCurrent && before != nullptr &&
                       alive(before->expires_at, now_) && !alive(access.expires_at, now_) &&
                       *before->value != *access.value;
    if (stays) status = TokenStatus::kSuperseded;
    const bool is_new = receive(record_, TokenKind::kAccess, access.value, access.expires_at,
                                status, now_, ids_, change_);
    const Token* in_use = current(record_, TokenKind::kAccess);
    const bool unusable = in_use == nullptr || *in_use->value != *access.value;
    if (unusable && !stays) return Progress::kUnusable;
    return is_new ? Progress::kRotated : Progress::kSame;
  }

  Progress dead() {
    ROTA_CHECK(call_ == CallKind::kRevokeRefresh || call_ == CallKind::kRevokeAccess);
    erase(record_, token_, change_);
    return Progress::kRevocation;
  }

  MemberRecord& record_;
  const CallKind call_;
  const TokenId token_;
  const WallTime now_;
  TokenIds& ids_;
  const Use use_;
  RecordChange change_;
};

}  // namespace

void RecordChange::merge(RecordChange other) {
  row = row || other.row;
  put.insert(put.end(), other.put.begin(), other.put.end());
  erased.insert(erased.end(), other.erased.begin(), other.erased.end());
  ends_logins = ends_logins || other.ends_logins;
}

Applied apply(MemberRecord& record, CallKind call, TokenId token, const Outcome& outcome,
              WallTime now, TokenIds& ids, Use use) {
  Applier applier(record, call, token, now, ids, use);
  Applied applied{.progress = std::visit(applier, outcome), .change = {}};
  applied.change = applier.take_change();
  return applied;
}

RecordChange enter(MemberRecord& record, LifecycleEvent event, WallTime now) {
  const MemberState state = next_state(record.state, event, is_wanted(record));
  if (state == record.state) {
    return event == LifecycleEvent::kOperatorRevokes ? revoke_gone_tokens(record, now)
                                                     : RecordChange{};
  }
  record.state = state;
  record.state_since = now;
  RecordChange change{.row = true, .put = {}, .erased = {}};
  // While the member is out, no call shows where its names lead. Those of one that Circle does not
  // know lead to nobody.
  if (!keeps_tokens(state) || state == MemberState::kUnknown ||
      event == LifecycleEvent::kOperatorReinstates) {
    forget_resolutions(record);
  }
  if (!keeps_tokens(state)) {
    record.handles.clear();
    record.signed_out_at = {};
    change.ends_logins = true;
  }
  if (state == MemberState::kBlocked) change.merge(revoke_all_tokens(record, now));
  // Of the tokens of a removed member Circle has said already what it can say.
  if (state == MemberState::kRetiring) {
    for (Token& token : record.tokens) {
      if (token.status == TokenStatus::kMemberGone) continue;
      set_status(token, TokenStatus::kRevoking, now, change);
    }
  }
  return change;
}

RecordChange sign_out(MemberRecord& record, WallTime now) {
  RecordChange change{.row = true, .put = {}, .erased = {}, .ends_logins = true};
  record.handles.clear();
  record.signed_out_at = now;
  for (Token& token : record.tokens) {
    if (token.kind == TokenKind::kAccess) set_status(token, TokenStatus::kRevoking, now, change);
  }
  return change;
}

RecordChange revoke_access_token(MemberRecord& record, TokenId id, WallTime now) {
  RecordChange change;
  const auto token = std::ranges::find(record.tokens, id, &Token::id);
  if (token == record.tokens.end()) return change;
  if (token->status == TokenStatus::kCurrent) {
    record.signed_out_at = now;
    change.row = true;
  }
  set_status(*token, TokenStatus::kRevoking, now, change);
  return change;
}

RecordChange revoke_all_tokens(MemberRecord& record, WallTime now) {
  RecordChange change;
  for (Token& token : record.tokens) set_status(token, TokenStatus::kRevoking, now, change);
  return change;
}

RecordChange revoke_gone_tokens(MemberRecord& record, WallTime now) {
  RecordChange change;
  for (Token& token : record.tokens) {
    if (token.status == TokenStatus::kMemberGone) {
      set_status(token, TokenStatus::kRevoking, now, change);
    }
  }
  return change;
}

RecordChange housekeep(MemberRecord& record, std::optional<Duration> revoke_superseded_after,
                       WallTime now) {
  RecordChange change;
  erase_if(record.tokens, [&](const Token& token) {
    const bool over =
        token.status != TokenStatus::kCurrent && token.expires_at + kLedgerSlack <= now;
    if (over) change.erased.push_back(token.id);
    return over;
  });
  // A mismatched record may hold another member's tokens, which we must not revoke.
  if (record.state == MemberState::kMismatched) return change;
  for (Token& token : record.tokens) {
    if (revoke_superseded_after && token.status == TokenStatus::kSuperseded &&
        token.kind == TokenKind::kAccess && token.status_since + *revoke_superseded_after <= now) {
      set_status(token, TokenStatus::kRevoking, now, change);
    }
  }
  return change;
}

bool is_other_identity(const MemberRecord& record, const TokenPair& pair) {
  return (record.community_member_id && *record.community_member_id != pair.community_member_id) ||
         (record.community_id && *record.community_id != pair.community_id) ||
         std::ranges::any_of(record.selectors, [&](const Selector& selector) {
           return selector.key.kind == SelectorKind::kCommunityMemberId &&
                  selector.key.id() != pair.community_member_id;
         });
}

RecordChange accept_identity(MemberRecord& record, WallTime now) {
  RecordChange change = enter(record, LifecycleEvent::kOperatorReinstates, now);
  change.row = true;
  record.community_member_id.reset();
  record.community_id.reset();
  record.renew_not_before = {};
  change.merge(revoke_all_tokens(record, now));
  return change;
}

RecordChange take_tokens(MemberRecord& into, MemberRecord& from, WallTime now) {
  RecordChange change;
  for (Token& token : from.tokens) {
    if (Token* same = find_same(into, token.kind, token.value, token.fingerprint)) {
      same->expires_at = std::max(same->expires_at, token.expires_at);
      if (token.status == TokenStatus::kRevoking) set_status(*same, token.status, now, change);
      change.put.push_back(same->id);
      change.erased.push_back(token.id);
      continue;
    }
    if (token.status == TokenStatus::kCurrent) {
      Token* old = current(into, token.kind);
      const bool newer = old == nullptr || old->expires_at < token.expires_at;
      if (old != nullptr && newer) set_status(*old, status_when_replaced(token.kind), now, change);
      if (!newer) {
        token.status = status_when_replaced(token.kind);
        token.status_since = now;
      }
    }
    change.put.push_back(token.id);
    into.tokens.push_back(std::move(token));
  }
  from.tokens.clear();
  return change;
}

RecordChange merge_records(MemberRecord& into, MemberRecord& from, WallTime now) {
  RecordChange change = take_tokens(into, from, now);
  change.row = true;
  into.selectors.append(std::make_move_iterator(from.selectors.begin()),
                        std::make_move_iterator(from.selectors.end()));
  from.selectors.clear();
  unite_spellings(into);
  forget_stale_tags(into);
  into.last_used = std::max(into.last_used, from.last_used);
  into.signed_out_at = std::max(into.signed_out_at, from.signed_out_at);
  if (retired_by_roster(into)) end_enrolments(into);
  const bool wanted = is_wanted(into);
  change.merge(enter(into, wanted ? LifecycleEvent::kWanted : LifecycleEvent::kDropped, now));
  // A member that an operator blocked under one name stays out under every name.
  if (from.state == MemberState::kBlocked) {
    change.merge(enter(into, LifecycleEvent::kOperatorRevokes, now));
  }
  if (!keeps_tokens(into.state) && into.state != MemberState::kMismatched) {
    change.merge(revoke_all_tokens(into, now));
  }
  return change;
}

}  // namespace rota

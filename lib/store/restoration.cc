#include "store/restoration.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "plan/apply.h"
#include "plan/lifecycle.h"

namespace rota {
namespace {

std::int64_t number(MemberId id) { return std::to_underlying(id); }

// The members of a snapshot by the names and by Circle's id.
class Index {
 public:
  explicit Index(std::vector<MemberRecord>& members) {
    for (MemberRecord& member : members) {
      if (member.community_member_id) by_circle_id_.emplace(*member.community_member_id, &member);
      for (const Selector& selector : member.selectors) {
        by_key_.emplace(selector.key.text(), &member);
      }
    }
  }

  // Whoever is pinned to the same member of Circle. Otherwise whoever has one of the names, unless
  // both are pinned: then they are two people who had one address, one after the other.
  MemberRecord* find(const MemberRecord& like) const {
    if (like.community_member_id) {
      const auto found = by_circle_id_.find(*like.community_member_id);
      if (found != by_circle_id_.end()) return found->second;
    }
    for (const Selector& selector : like.selectors) {
      const auto found = by_key_.find(selector.key.text());
      if (found == by_key_.end()) continue;
      if (like.community_member_id && found->second->community_member_id) continue;
      return found->second;
    }
    return nullptr;
  }
  bool has(const MemberKey& key) const { return by_key_.contains(key.text()); }

 private:
  std::map<std::int64_t, MemberRecord*> by_circle_id_;
  std::map<std::string, MemberRecord*> by_key_;
};

// The numbers of the present database, all but those of its roster: the clocks that the journal's
// rows count by, pauses, and who is held back.
std::vector<Mutation> numbers_of(const Meta& meta) {
  const auto milliseconds = [](WallTime time) { return time.time_since_epoch().count(); };
  std::vector<Mutation> all;
  const auto put = [&all](MetaKey key, std::int64_t value) {
    all.emplace_back(PutMeta{key, value});
  };
  if (meta.last_circle_time) put(MetaKey::kLastCircleTimeMs, milliseconds(*meta.last_circle_time));
  put(MetaKey::kClockSkewMs, meta.clock_skew.count());
  put(MetaKey::kEarlyRefreshUseless, meta.early_refresh_useless ? 1 : 0);
  put(MetaKey::kRefreshRotates, meta.refresh_rotates ? 1 : 0);
  if (meta.early_probe_at) put(MetaKey::kEarlyProbeAtMs, milliseconds(*meta.early_probe_at));
  put(MetaKey::kPausedBoot, std::to_underlying(meta.paused_until.boot));
  put(MetaKey::kPausedUntilMs, meta.paused_until.at.time_since_epoch().count());
  put(MetaKey::kClockBoot, std::to_underlying(meta.clock_boot));
  put(MetaKey::kClockOffsetMs, meta.clock_offset.count());
  put(MetaKey::kCommitBoot, std::to_underlying(meta.last_commit.boot));
  put(MetaKey::kCommitAtMs, meta.last_commit.at.time_since_epoch().count());
  for (std::size_t i = 0; i < kHeldClientKeys.size(); ++i) {
    put(kHeldClientKeys.at(i), static_cast<std::int64_t>(meta.held_clients.at(i)));
  }
  return all;
}

// With these the roster on disk is compared with all records.
void forget_roster(std::vector<Mutation>& mutations) {
  mutations.emplace_back(PutMeta{MetaKey::kRosterFingerprint, 0});
  mutations.emplace_back(PutMeta{MetaKey::kApprovedRoster, 0});
}

void supersede_access(MemberRecord& record, WallTime now) {
  for (Token& token : record.tokens) {
    if (token.kind != TokenKind::kAccess || token.status != TokenStatus::kCurrent) continue;
    token.status = TokenStatus::kSuperseded;
    token.status_since = now;
  }
}

void put_whole(const MemberRecord& record, std::vector<Mutation>& mutations) {
  mutations.emplace_back(PutMember{record});
  for (const Token& token : record.tokens) mutations.emplace_back(PutToken{record.id, token});
}

class Carrier {
 public:
  Carrier(Snapshot copy, Snapshot present, bool same_database, WallTime now, const DrawEpoch& draw)
      : copy_(std::move(copy)),
        present_(std::move(present)),
        same_database_(same_database),
        now_(now),
        draw_(draw),
        in_copy_(copy_.members),
        in_present_(present_.members),
        token_ids_(std::max(copy_.next_token, present_.next_token)),
        next_member_(std::max(number(copy_.next_member), number(present_.next_member))) {}

  Restoration run() {
    give_new_ids();
    std::vector<MemberRecord*> newcomers;
    for (MemberRecord& now_there : present_.members) {
      MemberRecord* const then = in_copy_.find(now_there);
      if (then == nullptr) {
        newcomers.push_back(&now_there);
      } else {
        became_[then->id].push_back(&now_there);
        carried_.emplace(now_there.id, then->id);
      }
    }
    for (MemberRecord& then : copy_.members) restore(then);
    for (MemberRecord* const newcomer : newcomers) add(*newcomer);
    carry_calls();
    std::ranges::move(numbers_of(present_.meta), std::back_inserter(result_.mutations));
    forget_roster(result_.mutations);
    for (auto* const list : {&result_.blocked, &result_.left, &result_.came, &result_.let_in}) {
      std::ranges::sort(*list, {}, &MemberKey::text);
    }
    return std::move(result_);
  }

 private:
  // Both databases gave ids on their own since the copy was made.
  void give_new_ids() {
    for (MemberRecord& member : present_.members) {
      for (Token& token : member.tokens) token.id = token_ids_.take();
    }
  }

  // The records of the present database that are this member, or that it has become a part of.
  std::vector<MemberRecord*> records_now(const MemberRecord& then) const {
    const auto found = became_.find(then.id);
    if (found != became_.end()) return found->second;
    MemberRecord* const part_of = in_present_.find(then);
    return part_of == nullptr ? std::vector<MemberRecord*>{} : std::vector{part_of};
  }

  void restore(MemberRecord& then) {
    const MemberKey key = primary_key(then);
    const MemberState before = then.state;
    const std::vector<MemberRecord*> records = records_now(then);
    then.login_epoch = draw_();
    then.handles.clear();
    for (MemberRecord* const now_there : records) {
      take_names(then, *now_there);
      take_logins(then, *now_there);
      take_ledger(then, *now_there);
    }
    supersede_access(then, now_);
    const auto any_is = [&records](MemberState state) {
      return std::ranges::any_of(records,
                                 [state](const auto* each) { return each->state == state; });
    };
    if (any_is(MemberState::kBlocked)) {
      enter_state(then, LifecycleEvent::kOperatorRevokes);
      if (before != MemberState::kBlocked) result_.blocked.push_back(key);
    } else if (any_is(MemberState::kMismatched)) {
      enter_state(then, LifecycleEvent::kOtherIdentity);
    } else if (is_gone(records)) {
      drop(then);
      if (keeps_tokens(before)) result_.left.push_back(key);
    } else if (before == MemberState::kBlocked && !records.empty()) {
      result_.let_in.push_back(key);
    }
    put_whole(then, result_.mutations);
  }

  // Members that the same database no longer has were out, and are forgotten. If some of its rows
  // cannot be read, that is no proof.
  bool is_gone(const std::vector<MemberRecord*>& records) const {
    if (records.empty()) return same_database_ && present_.rows_set_aside == 0;
    return std::ranges::none_of(records,
                                [](const auto* each) { return keeps_tokens(each->state); });
  }

  void enter_state(MemberRecord& then, LifecycleEvent event) {
    if (enter(then, event, now_).ends_logins) then.login_epoch = draw_();
  }

  // The present database knows better who is enrolled and whom the roster names.
  void take_names(MemberRecord& then, const MemberRecord& now_there) {
    for (Selector& selector : then.selectors) {
      const auto same = std::ranges::find(now_there.selectors, selector.key, &Selector::key);
      if (same != now_there.selectors.end()) {
        selector = *same;
      } else if (same_database_) {
        selector.in_roster = false;
        selector.enrolments.clear();
      }
    }
    for (const Selector& selector : now_there.selectors) {
      if (!in_copy_.has(selector.key) && names_taken_.insert(selector.key.text()).second) {
        then.selectors.push_back(selector);
      }
    }
    if (!then.community_member_id) {
      then.community_member_id = now_there.community_member_id;
      then.community_id = now_there.community_id;
    }
  }

  static void take_logins(MemberRecord& then, const MemberRecord& now_there) {
    then.login_epoch = now_there.login_epoch;
    then.handles = now_there.handles;
    then.signed_out_at = now_there.signed_out_at;
    then.last_used = std::max(then.last_used, now_there.last_used);
  }

  void take_ledger(MemberRecord& then, MemberRecord& now_there) {
    for (const Token& token : now_there.tokens) {
      const bool known = std::ranges::any_of(
          then.tokens, [&token](const Token& own) { return own.fingerprint == token.fingerprint; });
      if (!known && token.expires_at > now_) ++result_.tokens;
    }
    take_tokens(then, now_there, now_);
  }

  // A roster that names the member brings it back.
  void drop(MemberRecord& then) {
    for (Selector& selector : then.selectors) {
      selector.in_roster = false;
      selector.enrolments.clear();
    }
    enter_state(then, LifecycleEvent::kDropped);
  }

  void add(MemberRecord& newcomer) {
    const MemberKey key = primary_key(newcomer);
    carried_.emplace(newcomer.id, MemberId{next_member_});
    newcomer.id = MemberId{next_member_++};
    for (const Token& token : newcomer.tokens) result_.tokens += token.expires_at > now_ ? 1 : 0;
    supersede_access(newcomer, now_);
    (newcomer.state == MemberState::kBlocked ? result_.blocked : result_.came).push_back(key);
    put_whole(newcomer, result_.mutations);
  }

  void carry_calls() {
    std::int64_t next =
        std::max(std::to_underlying(copy_.next_call), std::to_underlying(present_.next_call));
    for (CallRow row : present_.calls) {
      const auto carried = carried_.find(row.member);
      row.member = carried == carried_.end() ? MemberId{} : carried->second;
      const bool in_copy = same_database_ && row.id < copy_.next_call;
      if (!in_copy) {
        row.id = CallId{next++};
        ++result_.calls;
      }
      result_.mutations.emplace_back(PutCall{row});
    }
  }

  Snapshot copy_;
  Snapshot present_;
  const bool same_database_;
  const WallTime now_;
  const DrawEpoch& draw_;
  const Index in_copy_;
  const Index in_present_;
  TokenIds token_ids_;
  std::int64_t next_member_;
  std::map<MemberId, std::vector<MemberRecord*>> became_;  // of the copy's members, by their ids
  std::map<MemberId, MemberId> carried_;  // members of the present database, and who they become
  std::set<std::string> names_taken_;     // new names that a member of the copy has got
  Restoration result_;
};

}  // namespace

Restoration carry_over(Snapshot copy, Snapshot present, bool same_database, WallTime now,
                       const DrawEpoch& draw) {
  return Carrier(std::move(copy), std::move(present), same_database, now, draw).run();
}

Restoration start_from(Snapshot copy, std::size_t unknown_calls, WallTime now,
                       const DrawEpoch& draw) {
  Restoration result;
  for (MemberRecord& member : copy.members) {
    member.login_epoch = draw();
    member.handles.clear();
    supersede_access(member, now);
    put_whole(member, result.mutations);
  }
  // Without a stamp, a row counts as closed when the daemon starts.
  std::int64_t next = std::to_underlying(copy.next_call);
  for (std::size_t i = 0; i < unknown_calls; ++i) {
    result.mutations.emplace_back(PutCall{{.id = CallId{next++},
                                           .kind = CallKind::kIssue,
                                           .member = MemberId{},
                                           .opened_at = now,
                                           .closed_at = now,
                                           .closed_stamp = std::nullopt,
                                           .fate = CallFate::kAnswered,
                                           .doubt_until = std::nullopt}});
  }
  forget_roster(result.mutations);
  return result;
}

}  // namespace rota

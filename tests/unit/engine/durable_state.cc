#include "tests/unit/engine/durable_state.h"

#include <algorithm>
#include <variant>

namespace rota::test {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

template <class Id>
void raise(std::int64_t& most, Id id) {
  most = std::max(most, static_cast<std::int64_t>(id));
}

}  // namespace

void DurableState::apply(const std::vector<Mutation>& mutations) {
  for (const Mutation& mutation : mutations) {
    std::visit(
        Overloaded{
            [&](const PutMember& m) {
              const auto old = members_.find(m.row.id);
              const WallTime last_used = old == members_.end() ? WallTime{} : old->second.last_used;
              members_.insert_or_assign(m.row.id, m.row).first->second.last_used = last_used;
              raise(member_max_, m.row.id);
            },
            [&](const ForgetMember& m) {
              members_.erase(m.member);
              std::erase_if(tokens_, [&](const auto& t) { return t.second.member == m.member; });
            },
            [&](const PutUse& m) {
              const auto it = members_.find(m.member);
              if (it != members_.end()) it->second.last_used = m.at;
            },
            [&](const Scrub&) { ++scrubs_; },
            [&](const PutToken& m) {
              tokens_.insert_or_assign(m.token.id, Held{m.member, m.token});
              raise(token_max_, m.token.id);
            },
            [&](const EraseToken& m) { tokens_.erase(m.token); },
            [&](const PutCall& m) {
              calls_.insert_or_assign(m.row.id, m.row);
              raise(call_max_, m.row.id);
            },
            [&](const EraseCall& m) { calls_.erase(m.call); },
            [&](const PutMeta& m) {
              switch (m.key) {
                case MetaKey::kCommitNumber:
                  break;  // the store's own
                case MetaKey::kLastCircleTimeMs:
                  last_circle_time_ = WallTime{Duration{m.value}};
                  break;
                case MetaKey::kEarlyRefreshUseless:
                  early_refresh_useless_ = m.value == 1;
                  break;
                case MetaKey::kRefreshRotates:
                  refresh_rotates_ = m.value == 1;
                  break;
                case MetaKey::kEarlyProbeAtMs:
                  early_probe_at_ = WallTime{Duration{m.value}};
                  break;
                case MetaKey::kPausedBoot:
                  paused_until_.boot = BootId{m.value};
                  break;
                case MetaKey::kPausedUntilMs:
                  paused_until_.at = BootTime{Duration{m.value}};
                  break;
                case MetaKey::kClockBoot:
                  clock_boot_ = BootId{m.value};
                  break;
                case MetaKey::kClockOffsetMs:
                  clock_offset_ = Duration{m.value};
                  break;
                case MetaKey::kRosterFingerprint:
                  roster_ = static_cast<Fingerprint>(m.value);
                  break;
                case MetaKey::kApprovedRoster:
                  approved_roster_ = static_cast<Fingerprint>(m.value);
                  break;
                case MetaKey::kCommitBoot:
                  last_commit_.boot = BootId{m.value};
                  break;
                case MetaKey::kCommitAtMs:
                  last_commit_.at = BootTime{Duration{m.value}};
                  break;
                case MetaKey::kClockSkewMs:
                  clock_skew_ = Duration{m.value};
                  break;
              }
            },
        },
        mutation);
  }
}

Snapshot DurableState::snapshot() const {
  Snapshot snapshot;
  for (const auto& [id, record] : members_) {
    snapshot.members.push_back(record);
    for (const auto& [token_id, held] : tokens_) {
      if (held.member == id) snapshot.members.back().tokens.push_back(held.token);
    }
  }
  for (const auto& [id, row] : calls_) snapshot.calls.push_back(row);
  snapshot.last_circle_time = last_circle_time_;
  snapshot.early_refresh_useless = early_refresh_useless_;
  snapshot.refresh_rotates = refresh_rotates_;
  snapshot.early_probe_at = early_probe_at_;
  snapshot.paused_until = paused_until_;
  snapshot.clock_boot = clock_boot_;
  snapshot.clock_offset = clock_offset_;
  snapshot.last_commit = last_commit_;
  snapshot.clock_skew = clock_skew_;
  snapshot.roster = roster_;
  snapshot.approved_roster = approved_roster_;
  snapshot.next_member = MemberId{member_max_ + 1};
  snapshot.next_token = TokenId{token_max_ + 1};
  snapshot.next_call = CallId{call_max_ + 1};
  return snapshot;
}

const Token* DurableState::find_token(std::string_view value) const {
  for (const auto& [id, held] : tokens_) {
    if (held.token.value->reveal() == value) return &held.token;
  }
  return nullptr;
}

const CallRow* DurableState::find_call(CallId call) const {
  const auto it = calls_.find(call);
  return it == calls_.end() ? nullptr : &it->second;
}

const MemberRecord* DurableState::find_member(MemberId member) const {
  const auto it = members_.find(member);
  return it == members_.end() ? nullptr : &it->second;
}

std::size_t DurableState::open_calls() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      calls_, [](const auto& row) { return row.second.fate == CallFate::kOpen; }));
}

}  // namespace rota::test

#include "api/watch_stream.h"

#include <algorithm>
#include <utility>

#include "api/token_api.h"
#include "base/check.h"
#include "http/event_stream.h"
#include "http/limits.h"

namespace rota {

WatchStream::WatchStream(std::vector<MemberKey> keys, const PeerIdentity& peer,
                         TokenService& tokens, const AccessPolicy& policy,
                         std::move_only_function<void()> wake)
    : peer_(peer), tokens_(tokens), policy_(policy), wake_(std::move(wake)) {
  Subscriber& self = *this;
  if (keys.empty()) {
    tokens_.subscriptions().subscribe_to_all(self);
    return;
  }
  tokens_.subscriptions().subscribe(self, keys);
  for (MemberKey& key : keys) followed_.push_back({.key = std::move(key), .refused = {}});
}

WatchStream::~WatchStream() { tokens_.subscriptions().unsubscribe(*this); }

void WatchStream::on_key_changed(std::size_t index) {
  followed_.at(index).changed = true;
  wake_();
}

void WatchStream::on_any_changed() { wake_(); }

void WatchStream::grants_changed() {
  for (Followed& each : followed_) each.changed = true;
  position_ = 0;
  wake_();
}

void WatchStream::fill(Buffer& out) {
  for (Followed& each : followed_) {
    if (out.size() >= kOutputBytesMax) return;
    if (std::exchange(each.changed, false)) tell(each, out);
  }
  if (!followed_.empty()) return;
  for (std::size_t looked_at = 0; out.size() < kOutputBytesMax; ++looked_at) {
    const Published* row = tokens_.table().next_changed(position_);
    if (row == nullptr) return;
    if (looked_at == kWatchMembersPerTurn) return wake_();
    tell(*row, out);
    position_ = row->change;
    seen_ = std::max(seen_, position_);
  }
}

void WatchStream::tell(Followed& followed, Buffer& out) {
  const Published* row = tokens_.table().find(followed.key);
  const auto refusal = policy_.may_read(peer_, followed.key, row)
                           ? refusal_of(row)
                           : std::optional(ErrorCode::kForbidden);
  if (refusal) {
    if (followed.refused != refusal) append_retired_event(out, followed.key, *refusal);
    followed.refused = refusal;
    followed.member = MemberId{};
    return;
  }
  const bool same = followed.member == row->member;
  if (same && followed.sign_outs != row->sign_outs) append_signed_out_event(out, followed.key);
  followed.member = row->member;
  followed.sign_outs = row->sign_outs;
  // Also for a member without a token: if members are issued on demand, a watch is the demand.
  tokens_.note_use(*row);
  if (!has_live_token(*row, tokens_.circle_now())) return;
  if (!followed.refused && followed.told == row->fingerprint) return;
  append_token_event(out, followed.key, *row);
  tokens_.note_fetch(*row, caller_of(peer_));
  followed.told = row->fingerprint;
  followed.refused.reset();
}

void WatchStream::tell(const Published& row, Buffer& out) {
  const Mark told = told_of(row.member);
  const auto refusal =
      policy_.may_read(peer_, row) ? refusal_of(&row) : std::optional(ErrorCode::kForbidden);
  if (refusal) {
    if (told != 0) append_retired_event(out, row.keys.front(), *refusal);
    return note_told(row.member, 0);
  }
  const Mark mark = mark_of(row);
  if (told != 0 && told != mark) {
    append_signed_out_event(out, row.keys.front());
    note_told(row.member, mark);
  }
  const bool known = told != 0 && row.change <= seen_;
  if (known || !has_live_token(row, tokens_.circle_now())) return;
  append_token_event(out, row.keys.front(), row);
  tokens_.note_fetch(row, caller_of(peer_));
  note_told(row.member, mark);
}

// One byte a member, as there may be many watches of many members. It is the same again after 255
// sign-outs of which a watch has seen none.
WatchStream::Mark WatchStream::mark_of(const Published& row) {
  constexpr std::uint32_t kMarks = 255;
  return static_cast<Mark>(1 + row.sign_outs % kMarks);
}

WatchStream::Mark WatchStream::told_of(MemberId member) const {
  const auto place = static_cast<std::size_t>(std::to_underlying(member));
  return place < told_.size() ? told_[place] : Mark{0};
}

void WatchStream::note_told(MemberId member, Mark mark) {
  const auto place = static_cast<std::size_t>(std::to_underlying(member));
  if (place >= told_.size()) {
    if (mark == 0) return;
    told_.resize(place + 1);
  }
  told_[place] = mark;
}

}  // namespace rota

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
    return;
  }
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
  const bool told = was_told(row.member);
  const auto refusal =
      policy_.may_read(peer_, row) ? refusal_of(&row) : std::optional(ErrorCode::kForbidden);
  if (refusal) {
    if (told) append_retired_event(out, row.keys.front(), *refusal);
    return note_told(row.member, false);
  }
  const bool known = told && row.change <= seen_;
  if (known || !has_live_token(row, tokens_.circle_now())) return;
  append_token_event(out, row.keys.front(), row);
  tokens_.note_fetch(row, caller_of(peer_));
  note_told(row.member, true);
}

bool WatchStream::was_told(MemberId member) const {
  const auto place = static_cast<std::size_t>(std::to_underlying(member));
  return place < told_.size() && told_[place];
}

void WatchStream::note_told(MemberId member, bool told) {
  const auto place = static_cast<std::size_t>(std::to_underlying(member));
  if (place >= told_.size()) {
    if (!told) return;
    told_.resize(place + 1);
  }
  told_[place] = told;
}

}  // namespace rota

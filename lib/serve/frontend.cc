#include "serve/frontend.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "serve/admin_api.h"
#include "serve/health_api.h"
#include "serve/query.h"
#include "serve/token_api.h"

namespace rota {
namespace {

// Whether the roster on disk could make another answer of it.
bool depends_on_roster(const Answer& answer) {
  if (std::holds_alternative<WatchReply>(answer)) return true;
  const auto* error = std::get_if<ErrorReply>(&answer);
  if (error == nullptr) return false;
  return error->code == ErrorCode::kForbidden || error->code == ErrorCode::kMemberUnknown ||
         error->code == ErrorCode::kMemberRetired;
}

}  // namespace

Answer Frontend::answer(const RequestHead& request, const PeerIdentity& peer) const {
  if (admin_ != nullptr && !policy_->may_administer(peer)) {
    return error_reply(ErrorCode::kForbidden);
  }
  if (tokens_ != nullptr && request.path == "/v1/token") {
    return unless_too_early(answer_for_token(request, peer));
  }
  if (tokens_ != nullptr && request.path == "/v1/watch") {
    return unless_too_early(answer_watch(request, peer));
  }
  // Not on the token socket: how much Rota has to do is not every client's business.
  const bool with_metrics = admin_ != nullptr || tokens_ == nullptr;
  // Who restarts it and asks at once how it is would hear of the roster alone.
  const bool held = refusals_ == Refusals::kHeld;
  if (auto health = answer_health(request, health_, with_metrics)) {
    const auto* json = std::get_if<JsonReply>(&*health);
    if (held && json != nullptr && json->unavailable) return HoldReply{};
    return *std::move(health);
  }
  if (held && admin_ != nullptr && request.path == "/v1/status") return HoldReply{};
  if (admin_ != nullptr) return answer_admin(request, caller_of(peer), *admin_);
  return error_reply(ErrorCode::kNotFound);
}

Answer Frontend::answer_for_token(const RequestHead& request, const PeerIdentity& peer) const {
  if (request.method != "GET") return method_not_allowed("GET");
  auto query = parse_token_query(request.query);
  if (!query) return error_reply(ErrorCode::kBadRequest, std::move(query).error().message);
  Answer answer = decide_token(*query, peer, *policy_, tokens_->table(), tokens_->circle_now());
  note_use(*query, answer);
  return answer;
}

Answer Frontend::unless_too_early(Answer answer) const {
  switch (refusals_) {
    case Refusals::kGiven:
      return answer;
    case Refusals::kHeld:
      if (depends_on_roster(answer)) return HoldReply{};
      return answer;
    case Refusals::kPutOff: {
      if (!depends_on_roster(answer)) return answer;
      ErrorReply later = error_reply(ErrorCode::kTokenUnavailable);
      later.retry_after = kRetryAfterDefault;
      return later;
    }
  }
  ROTA_CHECK(false);
}

Answer Frontend::answer_watch(const RequestHead& request, const PeerIdentity& peer) const {
  if (request.method != "GET") return method_not_allowed("GET");
  auto keys = parse_watch_query(request.query);
  if (!keys) return error_reply(ErrorCode::kBadRequest, std::move(keys).error().message);
  const bool granted =
      keys->empty() ? policy_->may_read_some(peer)
                    : std::ranges::all_of(*keys, [&](const MemberKey& key) {
                        return policy_->may_read(peer, key, tokens_->table().find(key.text()));
                      });
  if (!granted) return error_reply(ErrorCode::kForbidden);
  return WatchReply{*std::move(keys)};
}

std::unique_ptr<WatchStream> Frontend::open_watch(WatchReply watch, const PeerIdentity& peer,
                                                  std::move_only_function<void()> wake) const {
  return std::make_unique<WatchStream>(std::move(watch.keys), peer, *tokens_, *policy_,
                                       std::move(wake));
}

// Who waits is seen by the rotation anyway.
void Frontend::note_use(const TokenQuery& query, const Answer& answer) const {
  if (const auto* token = std::get_if<TokenReply>(&answer)) {
    tokens_->note_use(*token->row);
    return;
  }
  const auto* error = std::get_if<ErrorReply>(&answer);
  if (error == nullptr || error->code != ErrorCode::kTokenUnavailable) return;
  const Published* row = tokens_->table().find(query.key.text());
  if (row == nullptr) return;
  tokens_->note_use(*row);
  if (query.refused) tokens_->note_refused(row->member, *query.refused);
}

TokenOutcome Frontend::settle(const MemberKey& asked, const WaitAnswer& wait,
                              const PeerIdentity& peer) const {
  return settle_token(asked, wait, peer, *policy_, tokens_->table(), tokens_->circle_now());
}

}  // namespace rota

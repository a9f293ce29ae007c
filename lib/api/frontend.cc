#include "api/frontend.h"

#include <utility>

#include "api/admin_api.h"
#include "api/health_api.h"
#include "api/token_api.h"
#include "http/query.h"

namespace rota {
Answer Frontend::answer(const RequestHead& request, const PeerIdentity& peer) const {
  if (admin_ != nullptr && !policy_->may_administer(peer)) {
    return error_reply(ErrorCode::kForbidden);
  }
  if (tokens_ != nullptr && request.path == "/v1/token") {
    if (request.method != "GET") return method_not_allowed("GET");
    auto query = parse_token_query(request.query);
    if (!query) {
      return error_reply(ErrorCode::kBadRequest, std::move(query).error().message);
    }
    settle_name(query->member, peer, *policy_, tokens_->table());
    Answer answer = decide_token(*query, peer, *policy_, tokens_->table(), tokens_->circle_now());
    note_use(*query, answer);
    return answer;
  }
  if (tokens_ != nullptr && request.path == "/v1/watch") return answer_watch(request, peer);
  // Not on the token socket: clients need not know how much Rota has to do.
  const bool with_metrics = admin_ != nullptr || tokens_ == nullptr;
  if (auto health = answer_health(request, health_, with_metrics)) return *std::move(health);
  if (admin_ != nullptr) return answer_admin(request, caller_of(peer), *admin_);
  return error_reply(ErrorCode::kNotFound);
}

Answer Frontend::answer_watch(const RequestHead& request, const PeerIdentity& peer) const {
  if (request.method != "GET") return method_not_allowed("GET");
  auto members = parse_watch_query(request.query);
  if (!members) return error_reply(ErrorCode::kBadRequest, std::move(members).error().message);
  bool granted = !members->empty() || policy_->may_read_some(peer);
  WatchReply watch;
  for (NamedMember& member : *members) {
    settle_name(member, peer, *policy_, tokens_->table());
    granted &= look_up(member.key, peer, *policy_, tokens_->table()).granted;
    watch.keys.push_back(std::move(member.key));
  }
  if (!granted) return error_reply(ErrorCode::kForbidden);
  return watch;
}

std::unique_ptr<WatchStream> Frontend::open_watch(WatchReply watch, const PeerIdentity& peer,
                                                  std::move_only_function<void()> wake) const {
  return std::make_unique<WatchStream>(std::move(watch.keys), peer, *tokens_, *policy_,
                                       std::move(wake));
}

// The engine sees clients that wait anyway.
void Frontend::note_use(const TokenQuery& query, const Answer& answer) const {
  if (const auto* token = std::get_if<TokenReply>(&answer)) {
    tokens_->note_use(*token->row);
    return;
  }
  const auto* error = std::get_if<ErrorReply>(&answer);
  if (error == nullptr || error->code != ErrorCode::kTokenUnavailable) return;
  const Published* row = tokens_->table().find(query.member.key);
  if (row == nullptr) return;
  tokens_->note_use(*row);
  if (query.refused) tokens_->note_refused(row->member, *query.refused);
}

TokenOutcome Frontend::settle(const Asked& asked, const WaitAnswer& wait,
                              const PeerIdentity& peer) const {
  return settle_token(asked, wait, peer, *policy_, tokens_->table(), tokens_->circle_now());
}

}  // namespace rota

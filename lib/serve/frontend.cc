#include "serve/frontend.h"

#include <utility>

#include "serve/admin_api.h"
#include "serve/query.h"
#include "serve/token_api.h"

namespace rota {
Answer Frontend::answer(const RequestHead& request, const PeerIdentity& peer) const {
  if (admin_ != nullptr && !policy_.may_administer(peer)) return error_reply(ErrorCode::kForbidden);
  if (request.path == "/v1/token") {
    if (request.method != "GET") return method_not_allowed("GET");
    auto query = parse_token_query(request.query);
    if (!query) {
      return error_reply(ErrorCode::kBadRequest, std::move(query).error().message);
    }
    return decide_token(*query, peer, policy_, tokens_.table(), tokens_.circle_now());
  }
  if (request.path == "/healthz") {
    if (request.method != "GET") return method_not_allowed("GET");
    return JsonReply{R"({"status":"ok"})"};
  }
  if (admin_ != nullptr) return answer_admin(request, *admin_);
  return error_reply(ErrorCode::kNotFound);
}

TokenOutcome Frontend::settle(MemberId member, const WaitAnswer& wait,
                              const PeerIdentity& peer) const {
  return settle_token(member, wait, peer, policy_, tokens_.table(), tokens_.circle_now());
}

}  // namespace rota

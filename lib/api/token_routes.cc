#include "api/token_routes.h"

#include <utility>

#include "api/token_api.h"

namespace rota {

void note_use(const TokenQuery& query, const Answer& answer, TokenService& tokens) {
  if (const auto* token = std::get_if<TokenReply>(&answer)) {
    tokens.note_use(*token->row);
    return;
  }
  const auto* error = std::get_if<ErrorReply>(&answer);
  if (error == nullptr || error->code != ErrorCode::kTokenUnavailable) return;
  const Published* row = tokens.table().find(query.member.key);
  if (row == nullptr) return;
  tokens.note_use(*row);
  if (query.refused) tokens.note_refused(row->member, *query.refused);
}

Answer answer_token(const Asking& asking, const TokenServices& services) {
  auto query = parse_token_query(asking.head.query);
  if (!query) return bad_request(std::move(query).error());
  TokenService& tokens = services.tokens;
  settle_name(query->member, asking.peer, services.policy, tokens.table());
  Answer answer =
      decide_token(*query, asking.peer, services.policy, tokens.table(), tokens.circle_now());
  note_use(*query, answer, tokens);
  return answer;
}

Answer answer_authorization(const Asking& asking, const TokenServices& services) {
  Answer answer = answer_token(asking, services);
  if (auto* error = std::get_if<ErrorReply>(&answer)) {
    const bool nobody = !names_a_member(asking.head.query);
    return as_authorization(std::move(*error),
                            nobody ? ErrorCode::kUnauthorized : ErrorCode::kForbidden);
  }
  if (auto* token = std::get_if<TokenReply>(&answer))
    token->asked.shape = TokenShape::kAuthorization;
  if (auto* wait = std::get_if<WaitReply>(&answer)) wait->asked.shape = TokenShape::kAuthorization;
  return answer;
}

Answer answer_watch(const Asking& asking, const TokenServices& services) {
  auto members = parse_watch_query(asking.head.query);
  if (!members) return bad_request(std::move(members).error());
  const Table& table = services.tokens.table();
  bool granted = !members->empty() || services.policy.may_read_some(asking.peer);
  WatchReply watch;
  for (NamedMember& member : *members) {
    settle_name(member, asking.peer, services.policy, table);
    granted &= look_up(member.key, asking.peer, services.policy, table).granted;
    watch.keys.push_back(std::move(member.key));
  }
  if (!granted) return error_reply(ErrorCode::kForbidden);
  return watch;
}

}  // namespace rota

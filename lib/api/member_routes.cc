#include "api/member_routes.h"

#include <boost/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/admin_query.h"
#include "api/operation_reply.h"
#include "api/token_api.h"
#include "base/check.h"
#include "base/text.h"
#include "http/query.h"

namespace rota {
namespace {

constexpr std::size_t kNameBytesMax = 200;

Result<NamedMember> named_by_path(const Asking& asking) {
  ROTA_ASSIGN(const std::string text, percent_decode(asking.key));
  return read_member(text, asking.key, &MemberKey::parse);
}

// No body, or {"name":"…"}.
Result<std::string> name_of_body(std::string_view body) {
  const auto wrong = [] {
    return fail(ErrorKind::kInvalid, "the body must be empty or {\"name\":\"…\"}");
  };
  if (trim(body).empty()) return std::string();
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse(body, error);
  const auto* object = error ? nullptr : value.if_object();
  if (object == nullptr || object->size() > 1) return wrong();
  if (object->empty()) return std::string();
  const auto* name = object->if_contains("name");
  const auto* text = name == nullptr ? nullptr : name->if_string();
  if (text == nullptr) return wrong();
  std::string result(text->begin(), text->end());
  if (result.size() > kNameBytesMax || has_control(result)) {
    return fail(ErrorKind::kInvalid, "a name has at most 200 bytes, and no control characters");
  }
  return result;
}

using PlainDone = std::move_only_function<void(PlainReply)>;

std::move_only_function<void(Result<OperatorReport>)> replying(PlainDone done) {
  return [done = std::move(done)](Result<OperatorReport> report) mutable {
    if (report) {
      done(operation_reply(*report));
    } else if (report.error().kind == ErrorKind::kInvalid) {
      done(error_reply(ErrorCode::kMemberUnknown, std::move(report).error().message));
    } else {
      done(service_error(std::move(report).error()));
    }
  };
}

void note_asked(const OperatorRequest& request, const Asking& asking, TokenService& tokens) {
  tokens.note_asked({.event = event_of(request.action),
                     .member = request.member,
                     .called = request.called,
                     .caller = caller_of(asking.peer)});
}

// What a peer asks for one member, if it has the right to.
struct Order {
  Right right = Right::kSignOut;
  OperatorAction action = OperatorAction::kSignOut;
  // kEndEnrolment: whose enrolment ends.
  std::string client;
};

Answer start_order(const Asking& asking, const TokenServices& services, Order order) {
  auto named = named_by_path(asking);
  if (!named) return bad_request(std::move(named).error());
  TokenService& tokens = services.tokens;
  settle_name(*named, asking.peer, services.policy, tokens.table(), order.right);
  const auto [row, granted] =
      look_up(named->key, asking.peer, services.policy, tokens.table(), order.right);
  if (!granted) return error_reply(ErrorCode::kForbidden);
  if (row == nullptr) return error_reply(ErrorCode::kMemberUnknown);
  // The engine would end everybody's.
  ROTA_CHECK(order.action != OperatorAction::kEndEnrolment || !order.client.empty());
  OperatorRequest request{.member = row->member,
                          .action = order.action,
                          .called = named->key.text(),
                          .client = std::move(order.client)};
  note_asked(request, asking, tokens);
  return LaterReply{[&tokens, request = std::move(request)](PlainDone done) {
    tokens.operate(request, replying(std::move(done)));
  }};
}

Answer start_operators_order(const Asking& asking, const AdminServices& services,
                             OperatorAction action) {
  AdminService& admin = services.admin;
  const auto named = named_by_path(asking);
  if (!named) return bad_request(named.error());
  const Meant meant = meant_by(*named, admin);
  if (!meant.member) return error_reply(ErrorCode::kMemberUnknown);
  OperatorRequest request{
      .member = *meant.member, .action = action, .called = meant.names.front().text()};
  note_asked(request, asking, services.tokens);
  return LaterReply{[&admin, request = std::move(request)](PlainDone done) mutable {
    admin.operate(std::move(request), replying(std::move(done)));
  }};
}

}  // namespace

Answer answer_enrolment(const Asking& asking, const TokenServices& services) {
  auto right = services.policy.enrolment_of(asking.peer);
  if (!right) return error_reply(ErrorCode::kForbidden);
  auto named = named_by_path(asking);
  if (!named) return bad_request(std::move(named).error());
  auto wait = parse_wait_query(asking.head.query);
  if (!wait) return bad_request(std::move(wait).error());
  auto name = name_of_body(asking.body);
  if (!name) return bad_request(std::move(name).error());
  const Table& table = services.tokens.table();
  settle_name(*named, asking.peer, services.policy, table, Right::kEnrol);
  const Published* row = table.find(named->key);
  EnrolRequest enrol{.key = named->key,
                     .name = *std::move(name),
                     .client = std::move(right->holder),
                     .tags = std::move(right->tags),
                     .caller = caller_of(asking.peer),
                     .ask_anyway = true};
  // A name that leads to nobody is not noted, or a flood of made-up names would push everything
  // else off the trail. If it becomes a member, the entry of the enrolment has it.
  services.tokens.note_asked({.event = AuditEvent::kEnrolAsked,
                              .member = row == nullptr ? MemberId{} : row->member,
                              .called = row == nullptr ? std::string() : enrol.key.text(),
                              .detail = row == nullptr ? "a name that is no member" : "",
                              .caller = enrol.caller});
  return WaitReply{.request = {.member = row == nullptr ? MemberId{} : row->member,
                               .min_ttl = {},
                               .refused = {},
                               .wait = *wait,
                               .enrol = std::make_shared<const EnrolRequest>(std::move(enrol)),
                               .wait_for = WaitFor::kIdentity},
                   .asked = {.key = std::move(named->key), .shape = TokenShape::kMember},
                   .or_enrol = std::move(named->as_form)};
}

// Its own enrolments are those that it has made in this name. It may have lost the right to enrol
// since: then the name is that by which it may remove.
Answer start_own_removal(const Asking& asking, const TokenServices& services) {
  auto right = services.policy.enrolment_of(asking.peer);
  return start_order(asking, services,
                     {.right = Right::kRemove,
                      .action = OperatorAction::kEndEnrolment,
                      .client = right ? std::move(right->holder)
                                      : services.policy.holder_of(asking.peer, Right::kRemove)});
}

Answer start_sign_out(const Asking& asking, const TokenServices& services) {
  return start_order(asking, services,
                     {.right = Right::kSignOut, .action = OperatorAction::kSignOut, .client = {}});
}

Answer start_removal(const Asking& asking, const AdminServices& services) {
  return start_operators_order(asking, services, OperatorAction::kEndEnrolment);
}

Answer start_signing_out(const Asking& asking, const AdminServices& services) {
  return start_operators_order(asking, services, OperatorAction::kSignOut);
}

}  // namespace rota

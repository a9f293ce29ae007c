#include "api/admin_api.h"

#include <boost/json.hpp>
#include <functional>
#include <utility>

#include "api/admin_query.h"
#include "api/operation_reply.h"
#include "http/query.h"
#include "model/member_key.h"
#include "report/member_view.h"
#include "report/report.h"
#include "report/status.h"

namespace rota {
namespace {

using PlainDone = std::move_only_function<void(PlainReply)>;

// Turns what a service ends with into a reply: `text_of` makes the JSON of its value.
template <class Value, class TextOf>
std::move_only_function<void(Result<Value>)> replying(PlainDone done, TextOf text_of) {
  return [done = std::move(done), text_of](Result<Value> result) mutable {
    if (result) {
      done(JsonReply{text_of(*std::move(result))});
    } else {
      done(service_error(std::move(result).error()));
    }
  };
}

std::move_only_function<void(Result<OperatorReport>)> reporting(PlainDone done) {
  return replying<OperatorReport>(std::move(done), operation_json);
}

Result<Meant> meant_by_path(const Asking& asking, const AdminService& admin) {
  ROTA_ASSIGN(const std::string text, percent_decode(asking.key));
  ROTA_ASSIGN(const NamedMember named, read_member(text, asking.key, &MemberKey::parse));
  return meant_by(named, admin);
}

Answer start_operation(const Asking& asking, const AdminServices& services, OperatorAction action) {
  AdminService& admin = services.admin;
  const auto meant = meant_by_path(asking, admin);
  if (!meant) return bad_request(meant.error());
  if (!meant->member) return error_reply(ErrorCode::kMemberUnknown);
  OperatorRequest request{
      .member = *meant->member, .action = action, .called = meant->names.front().text()};
  services.tokens.note_asked({.event = event_of(action),
                              .member = request.member,
                              .called = request.called,
                              .caller = caller_of(asking.peer)});
  return LaterReply{[&admin, request = std::move(request)](PlainDone done) mutable {
    admin.operate(std::move(request), reporting(std::move(done)));
  }};
}

}  // namespace

Answer answer_status(const Asking& /*asking*/, const AdminServices& services) {
  return JsonReply{status_json(services.health.health())};
}

Answer answer_members(const Asking& asking, const AdminServices& services) {
  const auto wanted = parse_members_query(asking.head.query, services.admin);
  if (!wanted) return bad_request(wanted.error());
  return JsonReply{members_json(services.admin.members(*wanted))};
}

Answer answer_member(const Asking& asking, const AdminServices& services) {
  const auto meant = meant_by_path(asking, services.admin);
  if (!meant) return bad_request(meant.error());
  if (!meant->member) return error_reply(ErrorCode::kMemberUnknown);
  return JsonReply{member_json(services.admin.member(*meant->member))};
}

Answer start_rotation(const Asking& asking, const AdminServices& services) {
  return start_operation(asking, services, OperatorAction::kRotate);
}

Answer start_revocation(const Asking& asking, const AdminServices& services) {
  return start_operation(asking, services, OperatorAction::kRevoke);
}

Answer start_reinstatement(const Asking& asking, const AdminServices& services) {
  return start_operation(asking, services, OperatorAction::kReinstate);
}

Answer start_revoke_all(const Asking& asking, const AdminServices& services) {
  AdminService& admin = services.admin;
  services.tokens.note_asked(
      {.event = AuditEvent::kRevokeAllAsked, .caller = caller_of(asking.peer)});
  return LaterReply{[&admin](PlainDone done) { admin.revoke_all(reporting(std::move(done))); }};
}

Answer start_lift_removals(const Asking& asking, const AdminServices& services) {
  AdminService& admin = services.admin;
  auto client = parse_lift_query(asking.head.query);
  if (!client) return bad_request(std::move(client).error());
  services.tokens.note_asked({.event = AuditEvent::kRemovalsLiftAsked,
                              .detail = *client,
                              .caller = caller_of(asking.peer)});
  return LaterReply{[&admin, client = *std::move(client)](PlainDone done) mutable {
    const auto to_json = [client](bool was_held_back) {
      return boost::json::serialize(
          boost::json::object{{"client", client}, {"was_held_back", was_held_back}});
    };
    admin.lift_removals(client, replying<bool>(std::move(done), to_json));
  }};
}

Answer start_plan(const Asking& /*asking*/, const AdminServices& services) {
  AdminService& admin = services.admin;
  return LaterReply{[&admin](PlainDone done) {
    admin.plan(replying<RosterPlanPtr>(std::move(done),
                                       [](const RosterPlanPtr& plan) { return plan->json; }));
  }};
}

Answer start_reload(const Asking& asking, const AdminServices& services) {
  AdminService& admin = services.admin;
  auto approve = parse_reload_query(asking.head.query);
  if (!approve) return bad_request(std::move(approve).error());
  services.tokens.note_asked(
      {.event = approve->empty() ? AuditEvent::kReloadAsked : AuditEvent::kApproveAsked,
       .detail = *approve,
       .caller = caller_of(asking.peer)});
  return LaterReply{[&admin, approve = *std::move(approve)](PlainDone done) mutable {
    admin.reload(std::move(approve), replying<std::string>(std::move(done), std::identity{}));
  }};
}

Answer start_backup(const Asking& asking, const AdminServices& services) {
  AdminService& admin = services.admin;
  services.tokens.note_asked({.event = AuditEvent::kBackupAsked, .caller = caller_of(asking.peer)});
  return LaterReply{[&admin](PlainDone done) {
    admin.back_up(replying<Backup>(std::move(done), [](const Backup& backup) {
      return boost::json::serialize(
          boost::json::object{{"path", backup.path},
                              {"bytes", backup.bytes},
                              {"made_at", format_iso8601(backup.made_at)}});
    }));
  }};
}

Answer start_audit(const Asking& asking, const AdminServices& services) {
  AdminService& admin = services.admin;
  auto request = parse_audit_query(asking.head.query, admin);
  if (!request) return bad_request(std::move(request).error());
  return LaterReply{[&admin, request = *std::move(request)](PlainDone done) mutable {
    admin.audit(std::move(request), replying<AuditPage>(std::move(done), audit_json));
  }};
}

}  // namespace rota

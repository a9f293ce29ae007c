#include "api/admin_api.h"

#include <utility>

#include "api/admin_query.h"
#include "base/check.h"
#include "http/limits.h"
#include "http/query.h"
#include "model/member_key.h"
#include "report/report.h"

namespace rota {
namespace {

ErrorReply reply_of(Error error) {
  ErrorCode code = ErrorCode::kInternal;
  switch (error.kind) {
    case ErrorKind::kConfig:
      code = ErrorCode::kConfigInvalid;
      break;
    case ErrorKind::kInvalid:
      code = ErrorCode::kNotPossible;
      break;
    case ErrorKind::kBusy:
    case ErrorKind::kIo:
    case ErrorKind::kFull:
      code = ErrorCode::kUnavailable;
      break;
    case ErrorKind::kCorrupt:
    case ErrorKind::kBug:
      code = ErrorCode::kInternal;
      break;
  }
  return error_reply(code, std::move(error.message));
}

using PlainDone = std::move_only_function<void(PlainReply)>;

// Turns the end of an operator's call into a reply.
std::move_only_function<void(Result<OperatorReport>)> reporting(PlainDone done) {
  return [done = std::move(done)](Result<OperatorReport> result) mutable {
    if (result) {
      done(JsonReply{operation_json(*result)});
    } else {
      done(reply_of(std::move(result).error()));
    }
  };
}

std::move_only_function<void(Result<std::string>)> text_reply(PlainDone done) {
  return [done = std::move(done)](Result<std::string> text) mutable {
    if (text) {
      done(JsonReply{*std::move(text)});
    } else {
      done(reply_of(std::move(text).error()));
    }
  };
}

AuditEvent event_of(OperatorAction action) {
  switch (action) {
    case OperatorAction::kRotate:
      return AuditEvent::kRotateAsked;
    case OperatorAction::kRevoke:
      return AuditEvent::kRevokeAsked;
    case OperatorAction::kReinstate:
      return AuditEvent::kReinstateAsked;
  }
  ROTA_CHECK(false);
}

// The member that the path names, by the name that leads to it if there is one.
Result<std::string> name_in_path(const Asking& asking, const AdminService& admin) {
  ROTA_ASSIGN(const std::string text, percent_decode(asking.key));
  ROTA_ASSIGN(const NamedMember named, read_member(text, asking.key, &MemberKey::parse));
  return names_meant(named, admin).front();
}

Answer start_operation(const Asking& asking, const AdminServices& services, OperatorAction action) {
  AdminService& admin = services.admin;
  auto name = name_in_path(asking, admin);
  if (!name) return bad_request(std::move(name).error());
  if (!admin.knows(*name)) return error_reply(ErrorCode::kMemberUnknown);
  admin.note_asked(event_of(action), *name, {}, caller_of(asking.peer));
  return LaterReply{[&admin, name = *std::move(name), action](PlainDone done) {
    admin.operate(name, action, reporting(std::move(done)));
  }};
}

}  // namespace

Answer answer_status(const Asking& /*asking*/, const AdminServices& services) {
  return JsonReply{services.admin.status_json()};
}

Answer answer_members(const Asking& asking, const AdminServices& services) {
  const AdminService& admin = services.admin;
  auto query = parse_members_query(asking.head.query);
  if (!query) return bad_request(std::move(query).error());
  const std::string after = query->after ? names_meant(*query->after, admin).front() : "";
  auto page = admin.members_json(query->state.value_or(""), after,
                                 query->limit.value_or(kMembersPageDefault));
  if (!page) return bad_request(std::move(page).error());
  return JsonReply{*std::move(page)};
}

Answer answer_member(const Asking& asking, const AdminServices& services) {
  auto name = name_in_path(asking, services.admin);
  if (!name) return bad_request(std::move(name).error());
  auto member = services.admin.member_json(*name);
  if (!member) return error_reply(ErrorCode::kMemberUnknown);
  return JsonReply{*std::move(member)};
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
  admin.note_asked(AuditEvent::kRevokeAllAsked, {}, {}, caller_of(asking.peer));
  return LaterReply{[&admin](PlainDone done) { admin.revoke_all(reporting(std::move(done))); }};
}

Answer start_plan(const Asking& /*asking*/, const AdminServices& services) {
  AdminService& admin = services.admin;
  return LaterReply{[&admin](PlainDone done) { admin.plan(text_reply(std::move(done))); }};
}

Answer start_reload(const Asking& asking, const AdminServices& services) {
  AdminService& admin = services.admin;
  auto approve = parse_reload_query(asking.head.query);
  if (!approve) return bad_request(std::move(approve).error());
  admin.note_asked(approve->empty() ? AuditEvent::kReloadAsked : AuditEvent::kApproveAsked, {},
                   *approve, caller_of(asking.peer));
  return LaterReply{[&admin, approve = *std::move(approve)](PlainDone done) mutable {
    admin.reload(std::move(approve), text_reply(std::move(done)));
  }};
}

Answer start_audit(const Asking& asking, const AdminServices& services) {
  AdminService& admin = services.admin;
  auto request = parse_audit_query(asking.head.query, admin);
  if (!request) return bad_request(std::move(request).error());
  return LaterReply{[&admin, request = *std::move(request)](PlainDone done) mutable {
    admin.audit(std::move(request), text_reply(std::move(done)));
  }};
}

}  // namespace rota

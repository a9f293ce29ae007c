#include "daemon/admin_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "daemon/version.h"
#include "report/report.h"

namespace rota {
namespace {

// Every name of the member that this one leads to, since an entry has the one of its time.
std::vector<std::string> names_of(const Engine& engine, const std::string& key) {
  std::vector<std::string> names{key};
  const MemberSlot* slot = engine.find(key);
  if (slot == nullptr) return names;
  for (const Selector& selector : slot->record.selectors) names.push_back(selector.key.text());
  if (slot->record.community_member_id) {
    names.push_back(fmt::format("id:{}", *slot->record.community_member_id));
  }
  return names;
}

}  // namespace

std::string AdminDesk::status_json() const {
  return rota::status_json(parts_.rotator.engine(), parts_.rotator.now(), kVersion,
                           unready_reasons(parts_.health.health()));
}

Result<std::string> AdminDesk::members_json(std::string_view state, std::string_view after,
                                            std::size_t limit) const {
  return rota::members_json(parts_.rotator.engine(), parts_.rotator.now(), state, after, limit);
}

bool AdminDesk::knows(std::string_view key) const {
  return parts_.rotator.engine().find(key) != nullptr;
}

std::optional<std::string> AdminDesk::member_json(std::string_view key) const {
  return rota::member_json(parts_.rotator.engine(), parts_.rotator.now(), key);
}

void AdminDesk::plan(std::move_only_function<void(Result<std::string>)> done) {
  parts_.roster.plan([done = std::move(done)](const Result<RosterPlanPtr>& plan) mutable {
    if (plan) return done((*plan)->json);
    done(std::unexpected(plan.error()));
  });
}

void AdminDesk::operate(std::string_view key, OperatorAction action,
                        std::move_only_function<void(Result<OperatorReport>)> done) {
  parts_.rotator.operate(key, action, std::move(done));
}

void AdminDesk::revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) {
  parts_.rotator.revoke_all(std::move(done));
}

void AdminDesk::note_asked(AuditEvent event, std::string_view member, std::string detail,
                           const AuditCaller& caller) {
  const MemberSlot* slot = parts_.rotator.engine().find(member);
  const MemberId id = slot == nullptr ? MemberId{} : slot->record.id;
  parts_.rotator.audit_trail().note(
      {.event = event, .member = id, .caller = caller, .detail = std::move(detail)},
      std::string(member));
}

void AdminDesk::audit(AuditRequest request,
                      std::move_only_function<void(Result<std::string>)> done) {
  AuditQuery query{.after = request.after, .limit = request.limit, .token = request.token};
  if (const auto* time = std::get_if<WallTime>(&request.since)) query.since = *time;
  if (const auto* ago = std::get_if<Duration>(&request.since)) {
    query.since = parts_.clock.now().wall - *ago;
  }
  for (const std::string& member : request.members) {
    std::ranges::move(names_of(parts_.rotator.engine(), member), std::back_inserter(query.members));
  }
  parts_.rotator.audit_trail().read(
      std::move(query), [done = std::move(done)](const Result<AuditPage>& page) mutable {
        if (page) return done(audit_json(*page));
        done(std::unexpected(page.error()));
      });
}

void AdminDesk::reload(std::string approve,
                       std::move_only_function<void(Result<std::string>)> done) {
  parts_.reloads.reload(std::move(approve), std::move(done));
}

}  // namespace rota

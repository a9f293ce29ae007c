#include "daemon/admin_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/check.h"

namespace rota {
namespace {

// Every name of the member that this one leads to, since an entry has the one of its time.
std::vector<std::string> names_of(const Engine& engine, const MemberKey& key) {
  std::vector<std::string> names{key.text()};
  const MemberSlot* slot = engine.find(key);
  if (slot == nullptr) return names;
  for (const Selector& selector : slot->record.selectors) names.push_back(selector.key.text());
  if (slot->record.community_member_id) {
    names.push_back(fmt::format("id:{}", *slot->record.community_member_id));
  }
  return names;
}

}  // namespace

std::optional<MemberId> AdminDesk::find(const MemberKey& key) const {
  const Engine& engine = parts_.rotator.engine();
  const MemberSlot* slot = engine.find(key);
  return slot == nullptr ? std::nullopt : std::optional(slot->record.id);
}

MemberView AdminDesk::member(MemberId member) const {
  const Engine& engine = parts_.rotator.engine();
  const MemberSlot* slot = engine.find(member);
  ROTA_CHECK(slot != nullptr);
  return view_of(engine, *slot, parts_.rotator.now());
}

MembersPage AdminDesk::members(const MembersWanted& wanted) const {
  return page_of_members(parts_.rotator.engine(), parts_.rotator.now(), wanted);
}

void AdminDesk::plan(std::move_only_function<void(Result<RosterPlanPtr>)> done) {
  parts_.roster.plan(std::move(done));
}

void AdminDesk::operate(OperatorRequest request,
                        std::move_only_function<void(Result<OperatorReport>)> done) {
  parts_.rotator.operate(request, std::move(done));
}

void AdminDesk::revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) {
  parts_.rotator.revoke_all(std::move(done));
}

void AdminDesk::lift_removals(const std::string& client,
                              std::move_only_function<void(Result<bool>)> done) {
  parts_.rotator.lift_removals(client, std::move(done));
}

void AdminDesk::back_up(std::move_only_function<void(Result<Backup>)> done) {
  parts_.rotator.back_up(std::move(done));
}

void AdminDesk::audit(AuditRequest request, std::move_only_function<void(Result<AuditPage>)> done) {
  AuditQuery query{.after = request.after,
                   .limit = request.limit,
                   .token = request.token,
                   .notable = request.notable};
  if (const auto* time = std::get_if<WallTime>(&request.since)) query.since = *time;
  if (const auto* ago = std::get_if<Duration>(&request.since)) {
    query.since = parts_.clock.now().wall - *ago;
  }
  for (const MemberKey& member : request.members) {
    std::ranges::move(names_of(parts_.rotator.engine(), member), std::back_inserter(query.members));
  }
  parts_.rotator.audit_trail().read(std::move(query), std::move(done));
}

void AdminDesk::reload(std::string approve,
                       std::move_only_function<void(Result<std::string>)> done) {
  parts_.reloads.reload(std::move(approve), std::move(done));
}

}  // namespace rota

#include <algorithm>
#include <utility>

#include "engine/engine.h"
#include "plan/identity.h"
#include "plan/lifecycle.h"

// Clients that want a name to be a member. A name that nobody wanted before costs a first issue, so
// it waits for its turn (engine/enrolment_turns.h). Its record comes with the journal row of that
// issue in one batch: one call and two commits to its first token.

namespace rota {
namespace {

// How long a client is asked to stay away if there are too many members.
constexpr Duration kNoRoomRetry = std::chrono::minutes{5};
constexpr Duration kBudgetPoll = std::chrono::seconds{1};

// Whether enrolling this name would make one more member. One that the roster or an operator keeps
// out stays out.
bool adds_member(const MemberSlot* slot) {
  return slot == nullptr || (!is_wanted(slot->record) && !retired_by_roster(slot->record) &&
                             slot->record.state != MemberState::kBlocked &&
                             slot->record.state != MemberState::kMismatched);
}

bool is_enrolled_by(const MemberRecord& record, const MemberKey& key, const std::string& client) {
  const auto name = std::ranges::find(record.selectors, key, &Selector::key);
  return name != record.selectors.end() &&
         std::ranges::find(name->enrolments, client, &Enrolment::client) != name->enrolments.end();
}

}  // namespace

// Of a name that the table does not show yet, the engine may already have a record.
MemberSlot* Engine::find_for(const WaitRequest& request) {
  MemberSlot* const shown = find_shown(request.member);
  return shown != nullptr ? shown : members_.find(request.enrol->key);
}

// Whether Circle may be asked about a name that is no member's.
bool Engine::may_ask_about(const MemberSlot* slot, const EnrolRequest& request, Now now) const {
  if (!adds_member(slot)) return true;
  return request.ask_anyway ? !unknown_names_.asked_just_now(request.key, now.boot)
                            : !unknown_names_.recalls(request.key, now.boot);
}

// What a client hears at once that cannot enrol this name now; none: it can.
std::optional<WaitAnswer> Engine::refusal_of(const WaitRequest& request, Now now) {
  const MemberSlot* const slot = find_for(request);
  if (!may_ask_about(slot, *request.enrol, now)) return WaitAnswer{.result = WaitResult::kUnknown};
  const bool is_full = members_.census().only_enrolled() >= policy_.enrolment.max_members;
  if (!is_full || !adds_member(slot)) return std::nullopt;
  return WaitAnswer{.result = WaitResult::kLimited, .retry_after = kNoRoomRetry};
}

void Engine::enrol_or_wait(WaitId id, const WaitRequest& request, Now now, Commands& out) {
  if (const auto refusal = refusal_of(request, now)) {
    out.emplace_back(command::Answer{.wait = id, .answer = *refusal});
    return;
  }
  WaitRequest asked = request;
  asked.member = {};
  waits_.add(id, asked, now.boot);
  if (adds_member(find_for(request))) {
    enrolment_turns_.add(id, request.enrol->client);
  } else {
    admit(id, false, now, out);
  }
}

// Those whose turn it is. A first issue goes in the lane of waiting clients, so it must leave the
// reserve of the budget to others.
void Engine::admit_enrolments(Now now, Commands& out) {
  while (!stopping_ && !enrolment_turns_.empty() && has_room_for_enrolments(now)) {
    const auto turn = enrolment_turns_.take(now.boot);
    if (!turn) return;
    // While it waited, others may have taken the last place, or Circle may have said that it knows
    // nobody of this name.
    if (const auto refusal = refusal_of(waits_.at(*turn).request, now)) {
      enrolment_turns_.give_back();
      out.emplace_back(command::Answer{.wait = *turn, .answer = *refusal});
      on_wait_cancelled(*turn);
    } else {
      admit(*turn, true, now, out);
    }
  }
}

bool Engine::has_room_for_enrolments(Now now) {
  return gate_.budget().used(now.boot) < gate_.budget().background_limit();
}

std::optional<BootTime> Engine::enrolments_wake_at(Now now) {
  if (stopping_) return std::nullopt;
  const auto turn = enrolment_turns_.next(now.boot);
  if (!turn || has_room_for_enrolments(now)) return turn;
  return std::max(*turn, now.boot + kBudgetPoll);
}

void Engine::admit(WaitId id, bool took_turn, Now now, Commands& out) {
  const WaitRequest request = waits_.at(id).request;  // begin_wait() may end the wait
  MemberSlot* const known = find_for(request);
  const bool is_new = known == nullptr || !is_wanted(known->record);
  // Somebody else's turn may have made it a member, or kept it out.
  if (took_turn && !is_new) enrolment_turns_.give_back();
  if (known != nullptr) enrol_known(*known, *request.enrol, now);
  MemberSlot& slot = known != nullptr ? *known : enrol_new(*request.enrol, now);
  waits_.assign(id, slot.record.id, is_new);
  begin_wait(slot, id, now, out);
}

MemberSlot& Engine::enrol_new(const EnrolRequest& request, Now now) {
  const WallTime circle = circle_now(now);
  MemberRecord record;
  record.id = members_.next_id();
  record.state_since = circle;
  (void)enrol(record, request.key, request.name,
              {.client = request.client, .tags = request.tags, .since = circle});
  record.login_epoch = draw_login_epoch();
  MemberSlot& slot = members_.add(std::move(record));
  slot.in_use_since = circle;
  record_change(slot, RecordChange{.row = true, .put = {}, .erased = {}});
  note_enrolled(slot, request);
  return slot;
}

// Whoever types names at a login form must not fill the audit trail with people that do not exist:
// an enrolment is noted once Circle has said who its member is.
void Engine::note_enrolled(MemberSlot& slot, const EnrolRequest& request) {
  auto& notes = slot.enrolments_to_note;
  erase_if(notes, [&request](const EnrolmentNote& note) {
    return note.key == request.key && note.client == request.client;
  });
  notes.push_back({.key = request.key, .client = request.client, .caller = request.caller});
  note_enrolments(slot);
}

void Engine::note_enrolments(MemberSlot& slot) {
  if (slot.enrolments_to_note.empty() || !is_identified(slot.record)) return;
  for (EnrolmentNote& note : std::exchange(slot.enrolments_to_note, {})) {
    if (!is_enrolled_by(slot.record, note.key, note.client)) continue;  // it has ended
    outbox_.then(command::Note{.key = {.event = AuditEvent::kEnrolled,
                                       .member = slot.record.id,
                                       .caller = std::move(note.caller),
                                       .detail = std::move(note.client)},
                               .member = note.key.text()});
  }
}

// What a start finds. If Circle has not said yet who the member is, its enrolments are not noted.
void Engine::recall_enrolments(MemberSlot& slot) {
  for (const Selector& selector : slot.record.selectors) {
    for (const Enrolment& enrolment : selector.enrolments) {
      removals_.learn_name(enrolment.client);
      if (slot.record.community_member_id) continue;
      slot.enrolments_to_note.push_back({.key = selector.key, .client = enrolment.client});
    }
  }
}

// A member that the roster or an operator keeps out stays out.
void Engine::enrol_known(MemberSlot& slot, const EnrolRequest& request, Now now) {
  MemberRecord& record = slot.record;
  if (record.state == MemberState::kBlocked || record.state == MemberState::kMismatched ||
      retired_by_roster(record)) {
    return;
  }
  if (record.state == MemberState::kUnknown && !slot.asked_anew) {
    if (!request.ask_anyway || unknown_names_.asked_just_now(request.key, now.boot)) return;
    unknown_names_.note(request.key, now.boot);  // the next one waits, whatever Circle says now
    // Until Circle answers it stays unknown.
    slot.asked_anew = true;
  }
  members_.unindex(slot);
  const bool changed =
      enrol(record, request.key, request.name,
            {.client = request.client, .tags = request.tags, .since = circle_now(now)});
  members_.index(slot);
  if (!changed && keeps_tokens(record.state)) return;
  if (changed) note_enrolled(slot, request);
  follow_wanted(slot, now);
}

// Circle has no such member, and no roster names it: it is not kept. The record goes with the
// housekeeping of this pass, or once none of its tokens is alive and no lost call can have brought
// another.
void Engine::drop_unknown(MemberSlot& slot, Now now) {
  for (const Selector& selector : slot.record.selectors) {
    unknown_names_.note(selector.key, now.boot);
  }
  end_enrolments(slot.record);
  if (slot.record.community_member_id) {
    tell(Severity::kInfo, "unknown", &slot, "Circle has no such member any more: it leaves");
    return follow_wanted(slot, now);
  }
  RecordChange change{.row = true, .put = {}, .erased = {}};
  change.merge(enter(slot.record, LifecycleEvent::kDropped, circle_now(now)));
  record_change(slot, change);
  tell(Severity::kDebug, "unknown", &slot, "Circle has no such member: it is not enrolled");
}

}  // namespace rota

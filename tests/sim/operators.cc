#include "sim/operators.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sandbox/members.h"
#include "sim/world.h"

namespace rota::sim {
namespace {

constexpr std::size_t kSelectorsEach = 3;

sandbox::MemberId member_of(std::size_t line) {
  return static_cast<sandbox::MemberId>(line / kSelectorsEach + 1);
}

MemberKey key_of(sandbox::MemberId id, std::size_t selector) {
  const sandbox::Member member = sandbox::numbered_member(id);
  return selector == 0   ? *MemberKey::from_id(id)
         : selector == 1 ? *MemberKey::from_email(member.email)
                         : *MemberKey::from_sso(member.sso_user_id);
}

}  // namespace

Operators::Operators(World& world) : world_(world), random_(world.options().seed ^ 0x0be4a7U) {
  for (std::size_t i = 0; i < world.options().members; ++i) {
    for (std::size_t selector = 0; selector < kSelectorsEach; ++selector) {
      const MemberKey key = key_of(static_cast<sandbox::MemberId>(i + 1), selector);
      const bool listed = i < world.options().listed && i % kSelectorsEach == selector;
      lines_.push_back({.key = key,
                        .in_file = listed,
                        .entry = {.key = key, .name = {}, .tags = {}, .retired = false}});
      if (listed) keys_.push_back(key);
    }
  }
  write_file();
}

void Operators::begin() {
  const WorldOptions& options = world_.options();
  world_.repeat_awake(options.mean_between_roster_edits, [this] { edit(); });
  world_.repeat_awake(options.mean_between_mass_removals, [this] { remove_many(); });
  world_.repeat_awake(options.mean_between_leavers, [this] { leave(); });
  world_.repeat_awake(options.mean_between_orders, [this] { order(); });
}

Fingerprint Operators::fingerprint_of(std::vector<RosterEntry> entries) {
  std::ranges::sort(entries, {}, &RosterEntry::key);
  std::string text;
  for (const RosterEntry& each : entries) {
    text += fmt::format("{}\n{}\n{}\n{}\n", each.key.text(), each.name, fmt::join(each.tags, ","),
                        each.retired);
  }
  return rota::fingerprint_of(text);
}

void Operators::write_file() {
  file_ = {};
  for (const Line& line : lines_) {
    if (line.in_file) file_.entries.push_back(line.entry);
  }
  // Without slices no fingerprint, so that the worlds of recorded seeds stay the same.
  if (world_.options().roster_pace) file_.fingerprint = fingerprint_of(file_.entries);
}

void Operators::may_be_asked_for(const MemberKey& key) {
  if (std::ranges::find(keys_, key) == keys_.end()) keys_.push_back(key);
}

std::vector<std::size_t> Operators::lines_in_file() const {
  std::vector<std::size_t> lines;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    if (lines_[i].in_file && !lines_[i].entry.retired) lines.push_back(i);
  }
  return lines;
}

void Operators::reload(const std::string& approve) {
  if (file_.entries.empty() || !world_.up()) return;  // the parser refuses an empty file
  world_.promises().before_roster(file_, approve);
  const ReloadId id{next_id_++};
  world_.turn([&](Commands& out) {
    world_.engine().on_roster({.roster = SortedRoster::of(file_), .approve = approve, .reload = id},
                              world_.now(), out);
  });
}

void Operators::on_reloaded(const command::Reloaded& done) {
  if (!done.plan) {
    const bool refused = done.plan.error().kind == ErrorKind::kInvalid;
    world_.note(refused ? "reload.refused" : "reload.failed");
    if (refused) world_.promises().on_roster_refused();
    return;
  }
  world_.clients().admit();
  if (!(*done.plan)->held) return;
  world_.note("plan.held");
  if (random_.below(2) == 0) stale_plan_ = (*done.plan)->id;
}

void Operators::edit() {
  Line& line = lines_[random_.below(lines_.size())];
  if (!line.in_file) {
    world_.note("edit.add");
    line.in_file = true;
    line.entry.retired = random_.below(10) == 0;
    if (std::ranges::find(keys_, line.key) == keys_.end()) keys_.push_back(line.key);
  } else if (random_.below(3) == 0) {
    world_.note("edit.remove");
    line.in_file = false;
  } else if (random_.below(2) == 0) {
    world_.note("edit.retire");
    line.entry.retired = !line.entry.retired;
  } else {
    world_.note("edit.change");
    line.entry.name = fmt::format("name {}", random_.below(1'000));
    line.entry.tags = {fmt::format("tag{}", random_.below(5))};
  }
  write_file();
  reload({});
}

void Operators::remove_many() {
  if (!removed_.empty()) return;
  auto lines = lines_in_file();
  const GuardPolicy& guard = world_.options().policy.guard;
  const auto share =
      static_cast<std::size_t>(guard.max_retire_fraction * static_cast<double>(lines.size()));
  const std::size_t many = std::max(guard.max_retire_count, share) + 1 + random_.below(3);
  if (lines.size() <= many + 1) return;
  world_.note("edit.mass_removal");
  for (std::size_t i = 0; i < many; ++i) {
    const std::size_t place = random_.below(lines.size());
    Line& line = lines_[lines[place]];
    if (random_.below(3) == 0) {
      line.entry.retired = true;
    } else {
      line.in_file = false;
    }
    removed_.push_back(lines[place]);
    lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(place));
  }
  write_file();
  reload({});
  world_.time().machine(random_.up_to(std::chrono::minutes{20}), [this] { decide(); });
}

// The usual order: several people are removed at Circle first, and a little later from the roster.
// After half an hour they are back.
void Operators::leave() {
  auto lines = lines_in_file();
  std::vector<std::size_t> leavers;
  const std::size_t many = world_.options().policy.guard.max_retire_count;
  while (leavers.size() < many && lines.size() > 1) {
    const auto place = lines.begin() + static_cast<std::ptrdiff_t>(random_.below(lines.size()));
    leavers.push_back(*place);
    lines.erase(place);
  }
  if (leavers.size() < many) return;
  world_.note("leavers");
  for (const std::size_t line : leavers) world_.circle().circle().erase_member(member_of(line));
  world_.time().machine(random_.up_to(std::chrono::seconds{30}), [this, leavers] {
    for (const std::size_t line : leavers) lines_[line].in_file = false;
    write_file();
    reload({});
  });
  world_.time().machine(std::chrono::minutes{30}, [this, leavers] { come_back(leavers); });
}

void Operators::come_back(const std::vector<std::size_t>& lines) {
  world_.note("leavers.back");
  for (const std::size_t line : lines) {
    world_.circle().circle().members().put(sandbox::numbered_member(member_of(line)));
    lines_[line].in_file = true;
  }
  write_file();
  reload({});
}

// Decides about a plan that is held: approves it, or restores the file.
void Operators::decide() {
  if (removed_.empty()) return;
  if (!world_.up()) {
    world_.time().machine(std::chrono::minutes{1}, [this] { decide(); });
    return;
  }
  if (random_.below(2) == 0) {
    world_.note("approve.stale");
    reload(stale_plan_.empty() ? "0123456789abcdef" : stale_plan_);
  }
  if (random_.below(3) > 0) {
    const RosterPlan* held = world_.engine().held_plan().get();
    if (held != nullptr) {
      world_.note("approve");
      const std::string id = held->id;
      reload(id);
      stale_plan_ = id;
    }
  } else {
    world_.note("edit.restore");
    for (const std::size_t line : removed_) {
      lines_[line].in_file = true;
      lines_[line].entry.retired = false;
    }
    write_file();
    reload({});
  }
  removed_.clear();
}

void Operators::order() {
  if (!world_.up()) return;
  constexpr std::uint64_t kAllOneIn = 60;
  if (random_.below(kAllOneIn) == 0) {
    revoke_all();
    return;
  }
  if (random_.below(3) == 0 && settle_mismatched()) return;
  const MemberKey& key = keys_[random_.below(keys_.size())];
  const auto draw = random_.below(4);
  give(draw < 2    ? OperatorAction::kReinstate
       : draw == 2 ? OperatorAction::kRevoke
                   : OperatorAction::kRotate,
       key);
}

// Rota asks an operator to decide about mismatched members, so somebody does.
bool Operators::settle_mismatched() {
  for (const MemberKey& key : keys_) {
    const MemberSlot* slot = world_.engine().find(key);
    if (slot == nullptr || slot->record.state != MemberState::kMismatched) continue;
    give(OperatorAction::kReinstate, key);
    return true;
  }
  return false;
}

void Operators::give(OperatorAction action, const MemberKey& key) {
  const MemberSlot* slot = world_.engine().find(key);
  if (slot == nullptr) return;
  const OperatorId id{next_id_++};
  const MemberId member = slot->record.id;
  const MemberState state = slot->record.state;
  switch (action) {
    case OperatorAction::kRotate:
      world_.note("order.rotate");
      break;
    case OperatorAction::kRevoke:
      world_.note("order.revoke");
      has_blocked_ = true;
      break;
    case OperatorAction::kReinstate:
      world_.note(fmt::format("order.reinstate.{}", name_of(state)));
      if (state == MemberState::kMismatched) world_.promises().on_identity_accepted(member);
      break;
    case OperatorAction::kSignOut:
    case OperatorAction::kEndEnrolment:
    case OperatorAction::kRevokeHandle:
    case OperatorAction::kRevokeToken:
      return;
  }
  expect_report(id, {.action = action, .member = member});
  world_.turn([&](Commands& out) {
    world_.engine().on_operator(id, {.member = member, .action = action, .called = key.text()},
                                world_.now(), out);
  });
}

void Operators::revoke_all() {
  world_.note("order.revoke_all");
  has_blocked_ = true;
  const OperatorId id{next_id_++};
  expect_report(id, {.action = OperatorAction::kRevoke, .member = std::nullopt});
  world_.turn([&](Commands& out) { world_.engine().on_revoke_all(id, world_.now(), out); });
}

void Operators::lift_removals(const std::string& client) {
  const OperatorId id{next_id_++};
  expect_report(id, {.action = OperatorAction::kEndEnrolment, .member = std::nullopt});
  world_.turn(
      [&](Commands& out) { world_.engine().on_lift_removals(id, client, world_.now(), out); });
}

// Half a minute is the engine's own limit. A report comes once its result is durable, so not while
// the disk is full.
void Operators::expect_report(OperatorId id, const Order& order) {
  orders_.emplace(id, order);
  constexpr Duration kLimit = std::chrono::seconds{31};
  world_.in_process(kLimit, [this, id] {
    if (orders_.erase(id) == 0 || world_.store().committing() || world_.store().full() ||
        world_.engine().outbox().error()) {
      return;
    }
    world_.breach("orders: an operator got no report in time");
  });
}

void Operators::on_report(const command::Report& report) {
  const auto it = orders_.find(report.op);
  if (it == orders_.end()) return;
  const Order order = it->second;
  orders_.erase(it);
  if (!report.report) {
    world_.note("report.refused");
    return;
  }
  world_.note(is_success(report.report->end) ? "report.done" : "report.unfinished");
  if (order.action == OperatorAction::kRevoke && is_success(report.report->end) && order.member) {
    world_.promises().on_revocation_reported(*order.member);
  }
}

void Operators::cut_off() { orders_.clear(); }

void Operators::calm_down() {
  if (!removed_.empty()) decide();
  if (!world_.up() || random_.below(2) == 0) return;
  std::vector<MemberKey> blocked;
  for (const auto& [key, member] : world_.engine().members().by_key()) {
    const MemberSlot* slot = world_.engine().find(member);
    if (slot->record.state == MemberState::kBlocked) blocked.push_back(*key);
  }
  for (const MemberKey& key : blocked) give(OperatorAction::kReinstate, key);
}

}  // namespace rota::sim

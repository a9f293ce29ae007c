#include "tests/unit/engine/engine_box.h"

#include <algorithm>
#include <limits>
#include <map>
#include <stdexcept>
#include <utility>

#include "model/expiry.h"

namespace rota::test {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};

// A commit that failed may have taken effect, and the store gets it again. It must take it then,
// too: a token of a member that it does not know is refused.
void expect_repeatable(const DurableState& durable, const std::vector<Mutation>& batch) {
  std::map<MemberId, bool> there;  // whom the batch puts or forgets
  for (int time = 1; time <= 2; ++time) {
    for (const Mutation& mutation : batch) {
      if (const auto* put = std::get_if<PutMember>(&mutation)) there[put->row.id] = true;
      if (const auto* forget = std::get_if<ForgetMember>(&mutation)) there[forget->member] = false;
      if (const auto* token = std::get_if<PutToken>(&mutation)) {
        const auto changed = there.find(token->member);
        EXPECT_TRUE(changed == there.end() ? durable.find_member(token->member) != nullptr
                                           : changed->second)
            << "P2: not when it is applied for the time " << time;
      }
    }
  }
}

// As a store loads it.
Snapshot at_rest(Snapshot snapshot) {
  for (MemberRecord& record : snapshot.members) {
    for (Token& token : record.tokens) {
      if (token.kind == TokenKind::kRefresh) token.value.reset();
    }
  }
  return snapshot;
}

}  // namespace

EngineBox::EngineBox(Snapshot snapshot, const Policy& policy, Now start, BootId boot)
    : now(start), engine(policy, at_rest(snapshot), 1, start, boot), policy_(policy) {
  // What a start finds was durable before.
  std::vector<Mutation> before;
  for (const MemberRecord& record : snapshot.members) {
    before.emplace_back(PutMember{record});
    for (const Token& token : record.tokens) before.emplace_back(PutToken{record.id, token});
  }
  for (const CallRow& row : snapshot.calls) before.emplace_back(PutCall{row});
  durable.apply(before);
}

EngineBox EngineBox::restarted(Duration downtime, Duration wall_step, BootId boot) const {
  return EngineBox(durable.snapshot(), policy_,
                   {.wall = now.wall + downtime + wall_step, .boot = now.boot + downtime}, boot);
}

void EngineBox::start() {
  Commands out;
  engine.start(now, out);
  run(std::move(out));
}

void EngineBox::advance(Duration d) {
  now.wall += d;
  now.boot += d;
  Commands out;
  engine.on_tick(now, out);
  run(std::move(out));
}

void EngineBox::run_for(Duration d) {
  const BootTime end = now.boot + d;
  settle();
  while (true) {
    const auto wake = engine.next_wake(now);
    if (!wake || *wake > end) break;
    ASSERT_GT(*wake, now.boot) << "the engine asks to be woken at once, again and again";
    advance(*wake - now.boot);
    settle();
  }
  advance(end - now.boot);
  settle();
}

void EngineBox::commit_ok() {
  ASSERT_TRUE(pending.has_value());
  durable.apply(*std::exchange(pending, std::nullopt));
  Commands out;
  const auto failure = to_open.empty() ? std::nullopt : std::exchange(fail_opening, std::nullopt);
  engine.on_committed(now, out,
                      failure ? Result<OpenedTokens>(std::unexpected(Error{*failure, "a test"}))
                              : durable.open(to_open));
  run(std::move(out));
}

void EngineBox::commit_fail(ErrorKind kind) {
  ASSERT_TRUE(pending.has_value());
  pending.reset();
  Commands out;
  engine.on_commit_failed(Error{kind, "a test"}, now, out);
  run(std::move(out));
}

void EngineBox::settle() {
  for (int i = 0; pending; ++i) {
    ASSERT_LT(i, 1'000) << "commits without end";
    commit_ok();
  }
}

void EngineBox::reply(const command::Call& call, const Outcome& outcome,
                      std::optional<WallTime> date) {
  const CallId id = call.call;
  ASSERT_EQ(unanswered_.erase(id), 1U);
  Commands out;
  engine.on_reply(id, Reply{outcome, date}, now, out);
  run(std::move(out));
}

void EngineBox::reply_last(CallKind kind, const Outcome& outcome) {
  settle();
  const auto open = open_calls();
  ASSERT_FALSE(open.empty());
  ASSERT_EQ(open.back().request.kind, kind) << name_of(open.back().request.kind);
  reply(open.back(), outcome);
  settle();
}

void EngineBox::roster(const std::vector<RosterEntry>& entries, const std::string& approve,
                       Fingerprint fingerprint) {
  Roster wanted;
  wanted.entries = entries;
  wanted.fingerprint = fingerprint;
  constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
  engine.pace_rosters({.slice_units_max = kAll, .batch_steps_max = kAll});
  request(SortedRoster::of(wanted), approve);
  engine.pace_rosters({});
}

void EngineBox::request(SortedRosterPtr roster, const std::string& approve) {
  Commands out;
  engine.on_roster(
      {.roster = std::move(roster), .approve = approve, .reload = ReloadId{next_id_++}}, now, out);
  run(std::move(out));
}

void EngineBox::plan(SortedRosterPtr roster) {
  Commands out;
  engine.on_plan(PlanId{next_id_++}, std::move(roster), now, out);
  run(std::move(out));
}

WaitId EngineBox::wait(std::int64_t member, Duration longest, std::optional<Fingerprint> refused,
                       bool strict, std::optional<Duration> min_ttl) {
  WaitRequest request;
  request.member = MemberId{member};
  request.wait = longest;
  request.refused = refused;
  request.strict = strict;
  request.min_ttl = min_ttl;
  const WaitId id{next_id_++};
  Commands out;
  engine.on_wait(id, request, now, out);
  run(std::move(out));
  return id;
}

WaitId EngineBox::enrol(std::string_view key, const Enrol& how) {
  WaitRequest request;
  request.enrol =
      std::make_shared<const EnrolRequest>(EnrolRequest{.key = MemberKey::parse(key).value(),
                                                        .name = {},
                                                        .client = how.client,
                                                        .tags = how.tags,
                                                        .caller = how.caller,
                                                        .ask_anyway = how.ask_anyway});
  request.wait = how.longest;
  request.wait_for = how.wait_for;
  const WaitId id{next_id_++};
  Commands out;
  engine.on_wait(id, request, now, out);
  run(std::move(out));
  return id;
}

OperatorId EngineBox::operate(std::string_view key, OperatorAction action, std::string client,
                              Fingerprint token) {
  const OperatorId id{next_id_++};
  Commands out;
  const MemberSlot* slot = find(key);
  engine.on_operator(id,
                     {.member = slot == nullptr ? MemberId{} : slot->record.id,
                      .action = action,
                      .called = std::string(key),
                      .client = std::move(client),
                      .token = token},
                     now, out);
  run(std::move(out));
  return id;
}

OperatorId EngineBox::revoke_all() {
  const OperatorId id{next_id_++};
  Commands out;
  engine.on_revoke_all(id, now, out);
  run(std::move(out));
  return id;
}

OperatorId EngineBox::lift_removals(const std::string& client) {
  const OperatorId id{next_id_++};
  Commands out;
  engine.on_lift_removals(id, client, now, out);
  run(std::move(out));
  return id;
}

void EngineBox::new_app_token() {
  Commands out;
  engine.on_new_app_token(now, out);
  run(std::move(out));
}

void EngineBox::used(const std::vector<MemberId>& members) {
  Commands out;
  engine.on_used(members, now, out);
  run(std::move(out));
}

void EngineBox::refused(std::int64_t member, std::string_view access) {
  Commands out;
  engine.on_refused(MemberId{member}, fingerprint_of(access), now, out);
  run(std::move(out));
}

void EngineBox::set_wall_clock(Duration by) {
  now.wall += by;
  Commands out;
  engine.on_wall_step(now, out);
  run(std::move(out));
}

void EngineBox::stop() {
  Commands out;
  engine.on_stop(now, out);
  run(std::move(out));
}

std::vector<command::Call> EngineBox::open_calls() const {
  std::vector<command::Call> open;
  for (const auto& [id, place] : unanswered_) open.push_back(calls[place]);
  return open;
}

command::Call EngineBox::oldest_call() const { return open_calls().at(0); }

command::Call EngineBox::newest_call() const {
  const auto open = open_calls();
  return open.at(open.size() - 1);
}

std::optional<WaitResult> EngineBox::answer_of(WaitId wait) const {
  const auto it = answers.find(wait);
  return it == answers.end() ? std::nullopt : std::optional(it->second.result);
}

const Result<OperatorReport>* EngineBox::report_of(OperatorId op) const {
  const auto it = reports_.find(op);
  return it == reports_.end() ? nullptr : &it->second;
}

std::size_t EngineBox::told(std::string_view event) const {
  return static_cast<std::size_t>(std::ranges::count(notices, event, &Notice::event));
}

const MemberSlot* EngineBox::find(std::string_view key) const {
  return engine.find(MemberKey::parse(key).value());
}

const MemberSlot& EngineBox::slot(std::string_view key) const {
  const MemberSlot* found = find(key);
  if (found == nullptr) throw std::out_of_range(std::string(key));
  return *found;
}

std::string EngineBox::served(std::string_view key) const {
  const Published* row = table.find(key);
  return row == nullptr || !row->access_token ? "" : std::string(row->access_token->reveal());
}

void EngineBox::run(Commands commands) {
  for (Command& command : commands) {
    std::visit(Overloaded{
                   [&](command::Commit& c) {
                     ASSERT_FALSE(pending.has_value()) << "two commits at once";
                     expect_repeatable(durable, c.mutations);
                     pending = std::move(c.mutations);
                     to_open = std::move(c.to_open);
                   },
                   [&](command::Call& c) {
                     const CallRow* row = durable.find_call(c.call);
                     ASSERT_NE(row, nullptr) << "P3: sent before its journal row was durable";
                     EXPECT_EQ(row->fate, CallFate::kOpen);
                     for (const auto& [id, place] : unanswered_) {
                       const CallRow* other = durable.find_call(id);
                       EXPECT_TRUE(other == nullptr || other->member != row->member) << "P9";
                     }
                     unanswered_.emplace(c.call, calls.size());
                     calls.push_back(std::move(c));
                   },
                   [&](command::Publish& c) { table.publish(std::move(c.row)); },
                   [&](const command::Unserve& c) { table.unserve(c.member, c.token); },
                   [&](const command::KeepTags& c) { table.keep_tags(c.member, c.tags); },
                   [&](const command::Withdraw& c) {
                     EXPECT_EQ(durable.find_member(c.member), nullptr) << "withdrawn, yet durable";
                     table.forget(c.member);
                   },
                   [&](const command::Answer& c) {
                     EXPECT_TRUE(answers.emplace(c.wait, c.answer).second) << "answered twice";
                   },
                   [&](command::Report& c) {
                     EXPECT_TRUE(reports_.emplace(c.op, std::move(c.report)).second);
                   },
                   [&](command::Reloaded& c) {
                     if (c.plan) {
                       reloads.push_back(**c.plan);
                     } else {
                       failed_reloads.push_back(c.plan.error());
                     }
                   },
                   [&](const command::RosterInForce& c) { rosters_in_force.push_back(c); },
                   [&](const command::Planned& c) { plans.push_back(*c.result); },
                   [&](command::Tell& c) { notices.push_back(std::move(c.notice)); },
                   [&](command::Note& c) { audited.push_back(std::move(c)); },
               },
               command);
  }
  check_table();
}

// P2: what is shown is what is durable. What a turn publishes first and replaces later is never
// seen.
void EngineBox::check_table() const {
  for (const auto& [key, id] : engine.members().by_key()) {
    const Published* row = table.find(id);
    if (row == nullptr) continue;
    ASSERT_NE(durable.find_member(id), nullptr) << "P2: published before it was durable";
    if (!row->access_token) continue;
    EXPECT_EQ(row->state, MemberState::kActive);
    const Token* token = durable.find_token(row->access_token->reveal());
    // A token that has ended may be off the ledger while the commit with its successor fails.
    if (alive(row->expires_at, circle())) {
      ASSERT_NE(token, nullptr) << "P2: a token is published that no commit holds";
    }
  }
}

RosterEntry entry(std::string_view key, bool retired) {
  RosterEntry e;
  e.key = MemberKey::parse(key).value();
  e.retired = retired;
  return e;
}

Snapshot snapshot_of(std::vector<MemberRecord> members, std::vector<CallRow> calls) {
  Snapshot snapshot;
  snapshot.members = std::move(members);
  snapshot.calls = std::move(calls);
  snapshot.next_member = MemberId{1'001};
  snapshot.next_token = TokenId{1'001};
  snapshot.next_call = CallId{1'001};
  return snapshot;
}

EngineBox box_with_grace(const Policy& policy) {
  EngineBox box({}, policy);
  box.start();
  box.roster({entry(kGraceKey)});
  box.settle();
  box.reply(box.oldest_call(), issued("access-1", "refresh-1", box.circle()), box.circle());
  box.settle();
  return box;
}

std::size_t finish_rosters(EngineBox& box) {
  std::size_t commits = 0;
  while (box.engine.applies_roster() || box.commit_pending()) {
    if (box.commit_pending()) {
      ++commits;
      box.commit_ok();
    }
    box.advance(Duration{0});
  }
  return commits;
}

}  // namespace rota::test

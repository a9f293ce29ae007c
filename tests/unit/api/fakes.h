#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/services.h"

namespace rota {

// Both clocks stand still until a test moves them.
class FakeClock : public Clock {
 public:
  Now now() const override { return now_; }
  void advance(Duration by) {
    now_.wall += by;
    now_.boot += by;
  }

 private:
  Now now_{WallTime{std::chrono::hours{480'000}}, BootTime{std::chrono::hours{1}}};
};

// A rotation whose waits end when the test says so.
class FakeTokenService : public TokenService {
 public:
  explicit FakeTokenService(const Clock& clock) : clock_(clock) {}

  const Table& table() const override { return table_; }
  Subscriptions& subscriptions() override { return table_.subscriptions(); }
  WallTime circle_now() const override { return clock_.now().wall; }
  WaitId wait_for_token(const WaitRequest& request,
                        std::move_only_function<void(WaitAnswer)> done) override {
    const WaitId id{++last_};
    requests.push_back(request);
    waits_.emplace(id, std::move(done));
    return id;
  }
  void cancel_wait(WaitId wait) override {
    waits_.erase(wait);
    ++cancelled;
  }
  void note_use(const Published& row) override { used.push_back(row.member); }
  void note_fetch(const Published& row, const AuditCaller& caller) override {
    fetched.emplace_back(row.member, caller);
    if (on_fetch) on_fetch();
  }
  void note_asked(AuditOrder order) override { asked.push_back(std::move(order)); }
  void note_refused(MemberId member, Fingerprint fingerprint) override {
    refused.emplace_back(member, fingerprint);
  }
  bool budget_is_short() const override { return short_budget; }
  bool community_is_refused() const override { return refused_community; }
  void operate(const OperatorRequest& request,
               std::move_only_function<void(Result<OperatorReport>)> done) override {
    operations.push_back(request);
    operation_done = std::move(done);
  }
  void raise_handle(MemberId member, std::string holder,
                    std::move_only_function<void(Result<void>)> done) override {
    raised.emplace_back(member, std::move(holder));
    raise_done = std::move(done);
  }

  // Publishes id:`id` with a token `text` that lives `left` from now.
  void publish(std::int64_t id, std::string_view text, Duration left) {
    Published row;
    row.member = MemberId{id};
    row.keys = {MemberKey::from_id(id).value()};
    row.access_token = make_secret(text);
    row.fingerprint = fingerprint_of(text);
    row.issued_at = circle_now();
    row.expires_at = circle_now() + left;
    table_.publish(std::move(row));
  }
  void publish(Published row) { table_.publish(std::move(row)); }
  void forget(std::int64_t id) { table_.forget(MemberId{id}); }
  void set_state(std::int64_t id, MemberState state) {
    Published row = *table_.find(MemberId{id});
    row.state = state;
    table_.publish(std::move(row));
  }

  // Ends the wait that was begun as the nth, counted from 1.
  void finish(std::uint64_t nth, WaitAnswer answer) {
    auto node = waits_.extract(WaitId{nth});
    node.mapped()(answer);
  }
  void finish_all(WaitAnswer answer) {
    while (!waits_.empty()) finish(std::to_underlying(waits_.begin()->first), answer);
  }
  std::size_t waiting() const { return waits_.size(); }

  std::vector<WaitRequest> requests;
  std::size_t cancelled = 0;
  std::vector<MemberId> used;
  std::vector<std::pair<MemberId, AuditCaller>> fetched;
  std::function<void()> on_fetch;
  std::vector<AuditOrder> asked;
  // Each as "event member [called] [detail] by uid", and takes them.
  std::vector<std::string> orders() {
    std::vector<std::string> lines;
    for (const AuditOrder& order : std::exchange(asked, {})) {
      const AuditCaller& by = order.caller;
      lines.push_back(std::string(name_of(order.event)) + " " +
                      std::to_string(std::to_underlying(order.member)) + " [" + order.called +
                      "] [" + order.detail + "] by " +
                      (by.client.empty() ? std::to_string(by.uid) : by.client));
    }
    return lines;
  }
  std::vector<std::pair<MemberId, Fingerprint>> refused;
  bool short_budget = false;
  bool refused_community = false;
  std::vector<OperatorRequest> operations;
  std::move_only_function<void(Result<OperatorReport>)> operation_done;  // of the last one
  std::vector<std::pair<MemberId, std::string>> raised;
  std::move_only_function<void(Result<void>)> raise_done;  // of the last one

 private:
  const Clock& clock_;
  Table table_;
  std::uint64_t last_ = 0;
  std::map<WaitId, std::move_only_function<void(WaitAnswer)>> waits_;
};

// As well as the test says.
class FakeHealthService : public HealthService {
 public:
  Health health() const override {
    Health health;
    if (!ready) health.socket_problem = "token.sock is gone";
    return health;
  }
  // What "/readyz" answers.
  std::string readiness() const {
    return ready ? R"({"ready":true,"reasons":[]})"
                 : R"({"ready":false,"reasons":[{"code":"socket_gone",)"
                   R"("message":"a socket's file is gone"}]})";
  }

  bool ready = true;
};

// Knows the members of `known`, the nth under the id n, and writes down what it is asked.
class FakeAdminService : public AdminService {
 public:
  std::optional<MemberId> find(const MemberKey& key) const override {
    ++looked_up;
    const auto found = std::ranges::find(known, key.text());
    if (found == known.end()) return std::nullopt;
    return MemberId{found - known.begin() + 1};
  }
  MemberView member(MemberId member) const override {
    MemberView view;
    view.key = MemberKey::parse(name_of(member)).value();
    return view;
  }
  MembersPage members(const MembersWanted& wanted) const override {
    calls.push_back(
        "members state=" + (wanted.state ? std::string(rota::name_of(*wanted.state)) : "") +
        (wanted.source ? " source=" + std::string(rota::name_of(*wanted.source)) : "") + " after=" +
        (wanted.after ? wanted.after->text() : "") + " limit=" + std::to_string(wanted.limit));
    return {};
  }
  void plan(std::move_only_function<void(Result<RosterPlanPtr>)> done) override {
    plan_done = std::move(done);
  }
  void operate(OperatorRequest request,
               std::move_only_function<void(Result<OperatorReport>)> done) override {
    calls.push_back("operate " + named(request.member, request.called) + " " +
                    std::to_string(std::to_underlying(request.action)));
    report_done = std::move(done);
  }
  void revoke_all(std::move_only_function<void(Result<OperatorReport>)> done) override {
    calls.push_back("revoke_all");
    report_done = std::move(done);
  }
  void lift_removals(const std::string& client,
                     std::move_only_function<void(Result<bool>)> done) override {
    calls.push_back("lift_removals " + client);
    lift_done = std::move(done);
  }
  void back_up(std::move_only_function<void(Result<Backup>)> done) override {
    calls.push_back("back_up");
    backup_done = std::move(done);
  }
  void audit(AuditRequest request, std::move_only_function<void(Result<AuditPage>)> done) override {
    audit_request = std::move(request);
    audit_done = std::move(done);
  }
  void reload(std::string approve,
              std::move_only_function<void(Result<std::string>)> done) override {
    calls.push_back("reload " + approve);
    reload_done = std::move(done);
  }

  std::vector<std::string> known{"id:42", "sso:google-oauth2|10", "sso:a/b"};
  mutable std::vector<std::string> calls;
  std::move_only_function<void(Result<OperatorReport>)> report_done;
  std::move_only_function<void(Result<bool>)> lift_done;
  std::move_only_function<void(Result<std::string>)> reload_done;
  std::move_only_function<void(Result<Backup>)> backup_done;
  AuditRequest audit_request;
  std::move_only_function<void(Result<AuditPage>)> audit_done;
  std::move_only_function<void(Result<RosterPlanPtr>)> plan_done;
  mutable int looked_up = 0;  // how often a key was

 private:
  std::string name_of(MemberId member) const {
    const auto number = static_cast<std::size_t>(member);
    return number == 0 ? "" : known.at(number - 1);
  }
  std::string named(MemberId member, const std::string& called) const {
    return called == name_of(member) ? called : called + " called " + name_of(member);
  }
};

}  // namespace rota

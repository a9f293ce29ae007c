#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "engine/commands.h"
#include "model/member_key.h"

namespace rota::sim {

class World;

// The programs that enrol members at their login, sign them out, and remove them: any name of any
// member at Circle, in the roster or not, and now and then a name that nobody has.
class Enrollers {
 public:
  explicit Enrollers(World& world);

  void begin();
  void on_answer(const command::Answer& reply);
  void on_report(const command::Report& report);
  void cut_off();
  bool waits_for(MemberId member) const;
  // When the whole crowd signed out; none: it has not.
  std::optional<Duration> crowd_out_at() const { return crowd_out_at_; }
  bool anybody_waited_since(Duration when) const {
    return !waits_.empty() || last_wait_over_ >= when;
  }

 private:
  struct Wait {
    MemberKey key;
    Duration deadline{0};
  };
  struct Order {
    MemberId member{};
    OperatorAction action{};
    std::string client{};   // whose enrolment is to end
    std::size_t lifts = 0;  // how often its removals were let through before
    // That were on record when a sign-out was asked for, or the one that is to be revoked.
    std::vector<std::string> tokens;
    LoginEpoch epoch{};  // of the logins of then
  };

  MemberKey draw_key();
  void check_answered(WaitId id, int tries);
  std::optional<Wait> end_wait(WaitId id);
  void enrol_any();
  void enrol(const MemberKey& key, const std::string& client, Duration longest);
  void sign_out_any();
  void revoke_any_token();
  void remove_any();
  void remove(const MemberKey& key, const std::string& client);
  void on_limited(const Order& order);
  void lift(const std::string& client);
  void give(const MemberKey& key, OperatorAction action, const std::string& client);
  void crowd_comes();
  void crowd_tries(std::size_t at_once);
  void crowd_signs_out();

  World& world_;
  Random random_;
  Random tokens_;  // which of them is revoked
  // Ids of their own, apart from those of Clients and Operators.
  std::uint64_t next_id_ = 1'000'000'000;
  std::map<WaitId, Wait> waits_;
  std::map<MemberKey, std::size_t> waiting_;  // how many of waits_ are about this name
  Duration last_wait_over_{0};
  std::map<OperatorId, Order> orders_;
  std::map<std::string, std::size_t> lifts_;              // by client
  std::vector<std::pair<MemberKey, std::string>> crowd_;  // who is not in yet, and by which client
  std::optional<Duration> crowd_out_at_;
};

}  // namespace rota::sim

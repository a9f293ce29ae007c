#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/commands.h"
#include "roster/roster.h"
#include "sandbox/request.h"

namespace rota::sim {

class World;

// The people who edit the roster, approve plans that the guard holds, and order rotations and
// revocations.
class Operators {
 public:
  explicit Operators(World& world);

  void begin();
  // The same for the same entries in any order.
  static Fingerprint fingerprint_of(std::vector<RosterEntry> entries);
  // The daemon reads the file as it is now. `approve` as in Engine::on_roster().
  void reload(const std::string& approve);
  void on_reloaded(const command::Reloaded& done);
  void lift_removals(const std::string& client);
  void on_report(const command::Report& report);
  void cut_off();
  void calm_down();

  // Every name that a client may ask for, the most popular first.
  const std::vector<MemberKey>& keys() const { return keys_; }
  // A client may know a name that the roster never had.
  void may_be_asked_for(const MemberKey& key);
  const Roster& file() const { return file_; }
  bool has_blocked_any() const { return has_blocked_; }

 private:
  struct Order {
    OperatorAction action = OperatorAction::kRotate;
    std::optional<MemberId> member;  // none: all members
  };
  // A selector of a member at Circle, and its entry in the file.
  struct Line {
    MemberKey key;
    bool in_file = false;
    RosterEntry entry;
  };

  void write_file();
  void edit();
  void remove_many();
  void leave();
  void come_back(const std::vector<std::size_t>& lines);
  void decide();
  void order();
  bool settle_mismatched();
  void give(OperatorAction action, const MemberKey& key);
  void revoke_all();
  void expect_report(OperatorId id, const Order& order);
  std::vector<std::size_t> lines_in_file() const;

  World& world_;
  Random random_;
  std::vector<Line> lines_;
  std::vector<MemberKey> keys_;
  Roster file_;
  std::vector<std::size_t> removed_;  // lines of a mass removal that is not decided yet
  std::string stale_plan_;            // the id of a plan that was held before
  std::uint64_t next_id_ = 1;
  std::map<OperatorId, Order> orders_;
  bool has_blocked_ = false;
};

}  // namespace rota::sim

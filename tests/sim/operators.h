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

// Those who edit the roster, approve what the guard holds, and order rotations and revocations.
class Operators {
 public:
  explicit Operators(World& world);

  void begin();
  // By its contents alone, in any order.
  static Fingerprint fingerprint_of(std::vector<RosterEntry> entries);
  // The file as it is now, read by the daemon; `approve` as in Engine::on_roster().
  void reload(const std::string& approve);
  void on_reloaded(const command::Reloaded& done);
  void on_report(const command::Report& report);
  void cut_off();
  void calm_down();

  // Every name that somebody may ask for, the ones asked for most first.
  const std::vector<MemberKey>& keys() const { return keys_; }
  const Roster& file() const { return file_; }
  bool has_blocked_any() const { return has_blocked_; }

 private:
  struct Order {
    OperatorAction action = OperatorAction::kRotate;
    std::optional<MemberId> member;  // none: all of them
  };
  // A selector of one of Circle's members, and what the file says of it.
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
  std::vector<std::size_t> removed_;  // by a mass removal that is not decided yet
  std::string stale_plan_;            // one that was held before, or made up
  std::uint64_t next_id_ = 1;
  std::map<OperatorId, Order> orders_;
  bool has_blocked_ = false;
};

}  // namespace rota::sim

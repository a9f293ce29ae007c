#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/fingerprint_builder.h"
#include "engine/commands.h"
#include "engine/plan_writer.h"
#include "model/record.h"
#include "roster/sorted_roster.h"

namespace rota {

// One step from what is in force to what a roster asks for.
struct RosterChange {
  enum class Kind {
    kPut,         // add or change `entry`
    kTakeOut,     // `key` retires, or was retired and is no longer in the roster
    kForgetTags,  // of `key`, unless the roster names it
  };
  Kind kind = Kind::kPut;
  const RosterEntry* entry = nullptr;
  const MemberKey* key = nullptr;
};

// A roster on its way into force. One of 100,000 members is compared in many small steps and handed
// out change by change, so that no other event waits long behind it:
//
//   kComparing → kJudging → kWriting → kChanging → kDone
//
// The caller decides how many steps to make at a time, judges the plan, and makes the changes. They
// come in this order: additions and changes, then leavers, then tags that no name has any more. So
// after a crash in the middle what is in force is a part of what the roster asks for, and a new job
// finds the rest. Pure. Large: destroy it on a thread for which nobody waits.
class RosterJob {
 public:
  enum class Stage { kComparing, kJudging, kWriting, kChanging, kDone };

  explicit RosterJob(SortedRosterPtr wanted);

  Stage stage() const { return stage_; }
  const SortedRoster& wanted() const { return *wanted_; }

  // kComparing, one step: call next_look(), find the member that it asks for by key or id, and pass
  // it to compare(), before any member changes. Neither a key nor an id: pass null.
  struct Look {
    const MemberKey* key = nullptr;
    std::optional<MemberId> member{};
  };
  // If `generation` is another number than before, entries may have moved to a member that was
  // already looked at, so the comparison begins anew. `end`: larger than the id of every member.
  Look next_look(std::uint64_t generation, MemberId end);
  void compare(const MemberRecord* shown);  // null: there is none

  // From kJudging on: what the roster asks for; `held` and `json` are not set yet.
  const RosterPlan& plan() const { return *found_->plan; }
  std::size_t active() const { return found_->active; }  // entries in force and not retired
  bool changes_anything() const;
  // In kJudging. `held`: the retirements wait for an operator, and next_change() leaves them out.
  void judge(bool held);
  // In kJudging: nothing of this roster comes into force.
  void refuse() { stage_ = Stage::kDone; }

  // In kWriting: writes a part of the plan's JSON.
  void write();
  // From kChanging on: the complete plan. It may outlive the job.
  RosterPlanPtr written_plan() const;

  // In kChanging: the next change; none: that was all. Its pointers are valid as long as the job.
  std::optional<RosterChange> next_change();

 private:
  enum class Part { kWanted, kInForce, kName };                          // of kComparing
  enum class List { kAdd, kChange, kRetire, kDrop, kForgetTags, kEnd };  // of kChanging

  // What the comparison found so far.
  struct Found {
    std::shared_ptr<RosterPlan> plan = std::make_shared<RosterPlan>();
    std::size_t active = 0;
    std::vector<const RosterEntry*> add, change;
    std::set<MemberKey> retire;
    std::set<std::string> retire_texts;  // in the order in which they name the plan
    std::vector<MemberKey> drop;
    std::vector<MemberKey> forget_tags;
    FingerprintBuilder name;
  };

  void begin_anew(std::uint64_t generation);
  void look_at_wanted(const MemberRecord* member, const RosterEntry& entry);
  void look_at_member(const MemberRecord& member);
  void name_next();
  void leaves(const MemberKey& key);
  template <class Items>
  const typename Items::value_type* next_of(const Items& items);

  const SortedRosterPtr wanted_;
  Stage stage_ = Stage::kComparing;
  Part part_ = Part::kWanted;
  List list_ = List::kAdd;
  std::size_t at_ = 0;  // in that part or list
  std::optional<std::uint64_t> generation_;
  std::shared_ptr<Found> found_ = std::make_shared<Found>();
  std::vector<std::shared_ptr<const void>> outdated_;  // findings from before it began anew
  PlanWriter writer_;
};

}  // namespace rota

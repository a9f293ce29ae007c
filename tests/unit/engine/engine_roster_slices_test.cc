#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "plan/lifecycle.h"
#include "roster/guard.h"
#include "roster/sorted_roster.h"
#include "support/roster_diff.h"
#include "tests/unit/engine/engine_box.h"

// A roster that comes into force in slices does the same as one that does in one piece.
namespace rota::test {
namespace {

using testing::SizeIs;

struct Shown {
  std::string key;
  MemberState state;
  SlimVector<std::string> tags;
  std::string name;
  bool in_roster, retired;
  bool operator==(const Shown&) const = default;
};
std::vector<Shown> shown(const EngineBox& box) {
  std::vector<Shown> all;
  for (const auto& [named, id] : box.engine.members().by_key()) {
    const MemberKey& key = *named;
    for (const Selector& s : box.engine.find(id)->record.selectors) {
      if (s.key != key) continue;
      all.push_back(
          {key.text(), box.engine.find(id)->record.state, s.tags, s.name, s.in_roster, s.retired});
    }
  }
  return all;
}

// Any entries of some sixty keys.
std::vector<RosterEntry> any_entries(std::mt19937& random) {
  std::vector<RosterEntry> entries;
  for (int i = 1; i <= 60; ++i) {
    if (random() % 4 == 0) continue;
    RosterEntry each = entry(fmt::format("id:{}", i), random() % 8 == 0);
    if (random() % 3 == 0) each.tags = {"support"};
    if (random() % 5 == 0) each.name = "Ada";
    entries.push_back(std::move(each));
  }
  entries.push_back(entry("id:1000"));
  std::ranges::shuffle(entries, random);
  return entries;
}

std::vector<MemberKey> keys_of(const std::vector<RosterEntry>& entries) {
  std::vector<MemberKey> keys;
  for (const RosterEntry& each : entries) keys.push_back(each.key);
  return keys;
}

// What a roster would do, found in another way: from the list of all entries in force.
RosterPlan plan_by_lists(const EngineBox& box, const Roster& roster, const GuardPolicy& guard) {
  Roster in_force;
  for (const auto& [member, slot] : box.engine.members().all()) {
    for (const Selector& s : slot.record.selectors) {
      if (!s.in_roster) continue;
      in_force.entries.push_back({.key = s.key,
                                  .name = s.name,
                                  .tags = {s.tags.begin(), s.tags.end()},
                                  .retired = s.retired});
    }
  }
  RosterDiff diff = diff_rosters(in_force, roster);
  const auto retires = [&box](const RosterEntry& each) {
    const MemberSlot* const known = box.engine.members().find(each.key);
    return each.retired && known != nullptr && is_wanted(known->record);
  };
  for (const RosterEntry& each : diff.change) {
    if (retires(each)) diff.retire.push_back(each.key);
  }
  std::erase_if(diff.change, retires);
  std::ranges::sort(diff.retire);
  const auto active =
      static_cast<std::size_t>(std::ranges::count(in_force.entries, false, &RosterEntry::retired));
  return {.id = plan_id(diff),
          .held = held_by_guard(diff.retire.size(), active, guard),
          .add = keys_of(diff.add),
          .retire = diff.retire,
          .change = keys_of(diff.change),
          .calls = diff.add.size() + 2 * diff.retire.size()};
}

TEST(EngineRosterSlices, P6TheSliceComparisonAgreesWithTheWholeOne) {
  Policy policy = exact_policy();
  policy.guard.max_retire_fraction = 0.2;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    std::mt19937 random(seed);
    EngineBox sliced({}, policy);
    EngineBox whole({}, policy);
    sliced.start();
    whole.start();
    for (std::size_t round = 0; round < 4; ++round) {
      const Roster roster{any_entries(random), Fingerprint{7 + round}};
      const RosterPlan expected = plan_by_lists(whole, roster, policy.guard);
      const RosterPlanPtr at_once = whole.engine.plan_for(SortedRoster::of(roster));
      sliced.request(SortedRoster::of(roster));
      finish_rosters(sliced);
      whole.roster(roster.entries, {}, roster.fingerprint);
      whole.settle();
      ASSERT_THAT(sliced.reloads, SizeIs(round + 1));
      const RosterPlan& plan = sliced.reloads.back();
      ASSERT_EQ(plan.id, expected.id) << "seed " << seed;
      ASSERT_EQ(plan.held, expected.held);
      ASSERT_EQ(plan.add, expected.add);
      ASSERT_EQ(plan.retire, expected.retire);
      ASSERT_EQ(plan.change, expected.change);
      ASSERT_EQ(plan.calls, expected.calls);
      ASSERT_EQ(plan.json, at_once->json) << "`rotad --check` tells the same";
      ASSERT_EQ(shown(sliced), shown(whole)) << "seed " << seed;
      ASSERT_EQ(sliced.engine.roster_on_record(), whole.engine.roster_on_record());
    }
  }
}

}  // namespace
}  // namespace rota::test

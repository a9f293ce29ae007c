#include "engine/roster_job.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan_writer.h"
#include "support/roster_diff.h"

// A roster on its way, without an engine: what is found, in which order it is handed out, and what
// happens if the members change meanwhile.
namespace rota::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Stage = RosterJob::Stage;
using Kind = RosterChange::Kind;

Selector name_of(std::string_view key, bool in_roster, std::vector<std::string> tags = {}) {
  Selector selector{};
  selector.key = MemberKey::parse(key).value();
  selector.in_roster = in_roster;
  selector.tags = std::move(tags);
  return selector;
}

// The members that a job is shown.
class Members {
 public:
  const MemberRecord* find(const MemberKey& key) const {
    for (const auto& [id, record] : records) {
      if (std::ranges::find(record.selectors, key, &Selector::key) != record.selectors.end()) {
        return &record;
      }
    }
    return nullptr;
  }
  const MemberRecord* find(MemberId member) const {
    const auto it = records.find(member);
    return it == records.end() ? nullptr : &it->second;
  }
  MemberId end() const {
    return MemberId{records.empty() ? 1 : std::to_underlying(records.rbegin()->first) + 1};
  }
  MemberRecord& add(std::int64_t id, const std::vector<std::string>& keys) {
    MemberRecord& record = records[MemberId{id}];
    record.id = MemberId{id};
    for (const std::string& key : keys) {
      record.selectors.push_back(name_of(key, true));
    }
    return record;
  }

  std::map<MemberId, MemberRecord> records;
  std::uint64_t generation = 7;
};

RosterEntry wanted(std::string_view key, bool retired = false) {
  return {.key = MemberKey::parse(key).value(), .name = {}, .tags = {}, .retired = retired};
}

RosterJob job_for(std::vector<RosterEntry> entries) {
  Roster roster;
  roster.entries = std::move(entries);
  return RosterJob(SortedRoster::of(std::move(roster)));
}

void compare(RosterJob& job, const Members& members) {
  const RosterJob::Look look = job.next_look(members.generation, members.end());
  job.compare(look.key != nullptr ? members.find(*look.key)
              : look.member       ? members.find(*look.member)
                                  : nullptr);
}

void compare_all(RosterJob& job, const Members& members) {
  while (job.stage() == Stage::kComparing) compare(job, members);
}

// "put id:1", "out id:2", "forget id:2", in the order in which they are handed out.
std::vector<std::string> changes_of(RosterJob& job, bool held = false) {
  job.judge(held);
  while (job.stage() == Stage::kWriting) job.write();
  std::vector<std::string> changes;
  while (const auto change = job.next_change()) {
    switch (change->kind) {
      case Kind::kPut:
        changes.push_back("put " + change->entry->key.text());
        break;
      case Kind::kTakeOut:
        changes.push_back("out " + change->key->text());
        break;
      case Kind::kForgetTags:
        changes.push_back("forget " + change->key->text());
        break;
    }
  }
  EXPECT_EQ(job.stage(), Stage::kDone);
  return changes;
}

TEST(RosterJob, P6WhatComesIsHandedOutBeforeWhatLeaves) {
  Members members;
  members.add(1, {"id:1"});
  members.add(2, {"id:2"}).selectors[0].retired = true;
  members.add(3, {"id:3"});
  RosterEntry changed = wanted("id:3");
  changed.name = "Ada";
  RosterJob job = job_for({wanted("id:9"), changed});
  compare_all(job, members);
  EXPECT_EQ(job.active(), 2U) << "id:2 is retired already";
  EXPECT_TRUE(job.changes_anything());
  EXPECT_THAT(changes_of(job), ElementsAre("put id:9", "put id:3", "out id:1", "out id:2",
                                           "forget id:1", "forget id:2"));
  EXPECT_EQ(job.plan().calls, 3U);
}

TEST(RosterJob, P6HeldRetirementsAreNotHandedOut) {
  Members members;
  members.add(1, {"id:1"});
  RosterJob job = job_for({wanted("id:2")});
  compare_all(job, members);
  EXPECT_THAT(changes_of(job, true), ElementsAre("put id:2"));
  EXPECT_TRUE(job.written_plan()->held);
  EXPECT_THAT(job.written_plan()->retire, SizeIs(1));
}

TEST(RosterJob, ARosterThatIsInForceChangesNothing) {
  Members members;
  members.add(1, {"id:1", "email:a@b"});
  RosterJob job = job_for({wanted("email:a@b"), wanted("id:1")});
  compare_all(job, members);
  EXPECT_FALSE(job.changes_anything());
  EXPECT_THAT(changes_of(job), IsEmpty());
}

// The guard counts who leaves, under whichever name.
TEST(RosterJob, P6ANewRetiredNameOfAMemberInForceRetiresIt) {
  Members members;
  members.add(1, {"id:1"}).selectors.push_back(name_of("email:a@b", false));
  RosterJob job = job_for({wanted("id:1"), wanted("email:a@b", true), wanted("email:new@b", true)});
  compare_all(job, members);
  EXPECT_THAT(job.plan().retire, ElementsAre(MemberKey::parse("email:a@b").value()));
  EXPECT_THAT(job.plan().change, ElementsAre(MemberKey::parse("email:new@b").value()));
}

// The second record's entry moves to the first one, which was looked at already.
TEST(RosterJob, P6AMergeMeanwhileHidesNoLeaver) {
  Members members;
  members.add(1, {"id:1"});
  members.add(2, {"email:gone@b"});
  RosterJob job = job_for({wanted("id:1")});
  for (int steps = 0; steps < 3; ++steps) compare(job, members);  // an entry, ids 0 and 1
  auto& moved = members.records[MemberId{2}].selectors;
  members.records[MemberId{1}].selectors.push_back(moved.front());
  members.records.erase(MemberId{2});
  ++members.generation;
  compare_all(job, members);
  EXPECT_THAT(job.plan().retire, ElementsAre(MemberKey::parse("email:gone@b").value()));
  EXPECT_EQ(job.active(), 2U) << "each counts once";
  EXPECT_EQ(job.plan().calls, 2U);
}

// A job that a crash cut off may have left tags that count no more.
TEST(RosterJob, P11TagsThatACrashLeftBehindAreForgotten) {
  Members members;
  members.add(1, {"id:1"}).selectors.push_back(name_of("email:a@b", false, {"support"}));
  RosterJob job = job_for({wanted("id:1")});
  compare_all(job, members);
  EXPECT_THAT(changes_of(job), ElementsAre("forget email:a@b"));
}

TEST(RosterJob, P6ARefusedOneHandsOutNothing) {
  Members members;
  RosterJob job = job_for({wanted("id:1")});
  compare_all(job, members);
  ASSERT_TRUE(job.changes_anything());
  job.refuse();
  EXPECT_EQ(job.stage(), Stage::kDone);
  EXPECT_DEATH(job.next_change(), "check failed") << "there is nothing to ask for";
}

std::vector<MemberKey> keys_of(const std::vector<RosterEntry>& entries) {
  std::vector<MemberKey> keys;
  for (const RosterEntry& each : entries) keys.push_back(each.key);
  return keys;
}

RosterEntry any_entry(int id, std::mt19937& random) {
  RosterEntry entry = wanted(fmt::format("id:{}", id), random() % 4 == 0);
  if (random() % 2 == 0) entry.tags = {"support"};
  if (random() % 3 == 0) entry.name = "Ada";
  return entry;
}

// Against the comparison of two whole rosters, where each member has one name.
TEST(RosterJob, P6FindsWhatTheWholeComparisonFinds) {
  constexpr int kKeys = 30;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    Members members;
    Roster in_force;
    std::vector<RosterEntry> entries;
    for (int id = 1; id <= kKeys; ++id) {
      if (random() % 4 != 0) {
        const RosterEntry old = any_entry(id, random);
        in_force.entries.push_back(old);
        Selector& selector = members.add(id, {old.key.text()}).selectors[0];
        selector.retired = old.retired;
        selector.name = old.name;
        selector.tags = old.tags;
        if (old.retired) members.records[MemberId{id}].state = MemberState::kRetired;
      }
      if (random() % 4 != 0) entries.push_back(any_entry(id, random));
    }
    Roster after;
    after.entries = entries;
    const RosterDiff diff = diff_rosters(in_force, after);
    std::ranges::shuffle(entries, random);
    RosterJob job = job_for(std::move(entries));
    compare_all(job, members);
    ASSERT_EQ(job.plan().add, keys_of(diff.add)) << "seed " << seed;
    ASSERT_EQ(job.plan().change, keys_of(diff.change)) << "seed " << seed;
    ASSERT_EQ(job.plan().retire, diff.retire) << "seed " << seed;
    ASSERT_EQ(job.plan().id, plan_id(diff)) << "seed " << seed;
    ASSERT_EQ(job.changes_anything(), !diff.empty()) << "seed " << seed;
  }
}

TEST(RosterJob, ThePlanIsWrittenDownAsItWasJudged) {
  Members members;
  members.add(1, {"id:1"});
  RosterJob job = job_for({wanted("id:2"), wanted("id:3")});
  compare_all(job, members);
  changes_of(job, true);
  PlanWriter writer;
  ASSERT_TRUE(writer.write(*job.written_plan(), 100));
  EXPECT_EQ(job.written_plan()->json, writer.take());
  EXPECT_THAT(job.written_plan()->json, testing::HasSubstr(R"("held":true,"add":["id:2","id:3"])"));
}

}  // namespace
}  // namespace rota::test

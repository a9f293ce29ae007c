#include "daemon/grants_in_force.h"

#include <gtest/gtest.h>

#include <string>

namespace rota {
namespace {

constexpr std::uint32_t kOwn = 990;
const PeerIdentity kPeer{.uid = 1'000, .gid = 1'000, .pid = 1, .groups = {1'000}};

std::vector<Grant> tag(std::string name) {
  return {{.holder = Grant::Holder::kUser, .id = 1'000, .tags = {std::move(name)}, .members = {}}};
}

Published tagged(std::vector<std::string> tags) {
  Published member;
  member.tags = std::move(tags);
  return member;
}

bool gives(const GrantsInForce& grants, std::vector<std::string> tags) {
  return grants.policy().may_read(kPeer, tagged(std::move(tags)));
}

TEST(GrantsInForce, P11WithdrawAtOnceAndGiveWithTheirRosterOnly) {
  GrantsInForce grants(kOwn, tag("old"));
  EXPECT_TRUE(gives(grants, {"old"}));
  grants.put(tag("new"), 5);
  EXPECT_TRUE(grants.waiting());
  EXPECT_FALSE(gives(grants, {"old"})) << "withdrawn";
  EXPECT_FALSE(gives(grants, {"new"})) << "the old roster's tag";
  EXPECT_TRUE(gives(grants, {"new", "old"}));
  grants.roster_in_force(4);
  EXPECT_FALSE(gives(grants, {"new"})) << "a roster that was read before them";
  grants.roster_in_force(5);
  EXPECT_FALSE(grants.waiting());
  EXPECT_TRUE(gives(grants, {"new"}));
  EXPECT_FALSE(gives(grants, {"old"}));
}

TEST(GrantsInForce, P11SeveralThatWaitGiveWhatAllOfThemGive) {
  GrantsInForce grants(kOwn, tag("a"));
  grants.put(tag("b"), 1);
  grants.put(tag("a"), 2);
  EXPECT_FALSE(gives(grants, {"a"})) << "those in between withdraw it";
  EXPECT_TRUE(gives(grants, {"a", "b"}));
  grants.put(tag("c"), 3);
  EXPECT_FALSE(gives(grants, {"a", "b"}));
  EXPECT_TRUE(gives(grants, {"a", "b", "c"}));
  grants.roster_in_force(1);
  EXPECT_FALSE(gives(grants, {"c"}));
  EXPECT_FALSE(gives(grants, {"b", "c"}));
  grants.roster_in_force(3);
  EXPECT_TRUE(gives(grants, {"c"}));
}

// A roster that changed by itself: the grants of before may mean by its tags what nobody asked for.
TEST(GrantsInForce, P11WhatIsGoneOnDiskMeetsNoOtherRoster) {
  GrantsInForce grants(kOwn, tag("a"));
  grants.withdraw_to(tag("b"));
  EXPECT_TRUE(grants.unread());
  EXPECT_FALSE(gives(grants, {"a"})) << "gone on disk";
  EXPECT_FALSE(gives(grants, {"b"})) << "nobody asked for it yet";
  EXPECT_TRUE(gives(grants, {"a", "b"}));
  grants.roster_in_force(9);
  EXPECT_TRUE(grants.unread()) << "a reload is what ends it";
  grants.withdraw_to(tag("a"));
  EXPECT_FALSE(grants.unread()) << "written back";
  EXPECT_TRUE(gives(grants, {"a"}));
  grants.withdraw_to(tag("b"));
  grants.put(tag("b"), 10);
  EXPECT_FALSE(grants.unread());
  EXPECT_TRUE(grants.waiting());
  grants.roster_in_force(10);
  EXPECT_TRUE(gives(grants, {"b"}));
}

// What comes back may mean others by the tags of the roster that came into force meanwhile.
TEST(GrantsInForce, P11WhatWasGoneOnDiskComesBackWithItsRosterOnly) {
  GrantsInForce grants(kOwn, tag("a"));
  grants.withdraw_to({});
  grants.put(tag("a"), 3);
  EXPECT_FALSE(grants.unread());
  EXPECT_TRUE(grants.waiting());
  EXPECT_FALSE(gives(grants, {"a"}));
  grants.roster_in_force(2);
  EXPECT_FALSE(gives(grants, {"a"}));
  grants.roster_in_force(3);
  EXPECT_FALSE(grants.waiting());
  EXPECT_TRUE(gives(grants, {"a"}));
}

TEST(GrantsInForce, WithdrawnOnesWaitForNothing) {
  std::vector<Grant> both = tag("a");
  both.push_back(tag("b").front());
  GrantsInForce grants(kOwn, both);
  grants.put(tag("a"), 1);
  EXPECT_FALSE(grants.waiting()) << "no added grant waits";
  EXPECT_FALSE(gives(grants, {"b"}));
  grants.put(both, 2);
  EXPECT_TRUE(grants.waiting()) << "it was put back";
  grants.put(tag("a"), 3);
  EXPECT_FALSE(grants.waiting()) << "and withdrawn again";
}

TEST(GrantsInForce, TheSameGrantsWaitForNothing) {
  GrantsInForce grants(kOwn, tag("a"));
  grants.put(tag("a"), 1);
  EXPECT_FALSE(grants.waiting());
}

TEST(GrantsInForce, ANameThatIsFoundLaterCountsForTheLatest) {
  GrantsInForce grants(kOwn, tag("a"));
  grants.put({}, 1);
  grants.correct(tag("a"));
  EXPECT_TRUE(gives(grants, {"a"})) << "it was given before, and is now";
  grants.correct(tag("b"));
  EXPECT_FALSE(gives(grants, {"b"}));
  grants.roster_in_force(1);
  EXPECT_TRUE(gives(grants, {"b"}));
}

// A new user's name is found only after the reload.
TEST(GrantsInForce, P11ANewGrantWhoseNameIsFoundLaterWaitsToo) {
  GrantsInForce grants(kOwn, {});
  grants.put({}, 1, false);
  grants.correct(tag("a"));
  EXPECT_FALSE(gives(grants, {"a"})) << "the old roster's tag";
  EXPECT_TRUE(grants.waiting());
  grants.roster_in_force(1);
  EXPECT_TRUE(gives(grants, {"a"}));
  // A name that is not found at each of many reloads.
  grants.put(tag("a"), 2, false);
  grants.correct(tag("a"));
  EXPECT_FALSE(grants.waiting());
  grants.put({}, 3);
  grants.put({}, 4, false);
  grants.correct(tag("a"));
  EXPECT_FALSE(gives(grants, {"a"})) << "withdrawn, and put back";
}

// Whoever reads what is not granted by a name is asked of both, too.
TEST(GrantsInForce, P11ANameThatLeadsToNobodyIsGivenByBothOrNot) {
  const MemberKey key = *MemberKey::parse("id:7");
  const std::vector<Grant> by_key{
      {.holder = Grant::Holder::kUser, .id = 1'000, .tags = {}, .members = {key}}};
  GrantsInForce grants(kOwn, by_key);
  EXPECT_TRUE(grants.policy().may_read(kPeer, key, nullptr));
  grants.put({}, 1);
  EXPECT_FALSE(grants.policy().may_read(kPeer, key, nullptr));
  EXPECT_FALSE(grants.policy().may_read_some(kPeer));
  const PeerIdentity root{};
  EXPECT_TRUE(grants.policy().may_read(root, key, nullptr)) << "root is asked of nobody";
}

}  // namespace
}  // namespace rota

#include "plan/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plan/next_action.h"
#include "tests/unit/plan/records.h"

// P13: when which name of a member is asked for again.
namespace rota {
namespace {

using namespace std::chrono_literals;
using test::kT0;
using test::selector;

MemberRecord member_of(std::vector<Selector> selectors) {
  MemberRecord record = test::member_with_pair();
  record.selectors = std::move(selectors);
  return record;
}

Selector resolved(std::string_view key, WallTime at) {
  Selector s = selector(key);
  s.resolved_at = at;
  return s;
}

TEST(Identity, P13AnIssueGoesByTheNameThatWasAskedForTheLongestAgo) {
  EXPECT_EQ(key_to_issue_by(member_of({selector("id:42")})).text(), "id:42");
  EXPECT_EQ(key_to_issue_by(member_of({selector("id:42"), selector("email:a@b")})).text(),
            "email:a@b")
      << "an id tells nothing of the address";
  EXPECT_EQ(
      key_to_issue_by(member_of({resolved("email:a@b", kT0 + 1s), resolved("sso:a", kT0)})).text(),
      "sso:a");
}

TEST(Identity, AMemberIsIdentifiedByCirclesLastWord) {
  MemberRecord record = test::member_with_pair();
  EXPECT_TRUE(is_identified(record));
  record.tokens.front().status = TokenStatus::kRevoking;
  EXPECT_TRUE(is_identified(record)) << "it is no question of tokens";
  record.tokens.front().status = TokenStatus::kMemberGone;
  EXPECT_FALSE(is_identified(record)) << "Circle has said since that there is no such member";
  record.tokens.clear();
  EXPECT_TRUE(is_identified(record));
  for (const MemberState state : kMemberStates) {
    record.state = state;
    EXPECT_EQ(is_identified(record), state == MemberState::kActive) << name_of(state);
  }
  record.state = MemberState::kActive;
  record.selectors.push_back(resolved("sso:a", WallTime{}));
  EXPECT_FALSE(is_identified(record)) << "nobody knows where this name leads";
  record.selectors.pop_back();
  record.community_member_id.reset();
  EXPECT_FALSE(is_identified(record));
}

TEST(Identity, AMemberWithAnIdAloneIsIdentifiedByATokenSinceItIsActive) {
  MemberRecord record = member_of({selector("id:42")});
  EXPECT_TRUE(is_identified(record));
  record.state_since = kT0 + kClockNoise;
  EXPECT_TRUE(is_identified(record));
  record.state_since += 1ms;
  EXPECT_FALSE(is_identified(record));
  record.tokens.push_back(
      test::access_token(3, "access-2", TokenStatus::kRevoking, record.state_since));
  EXPECT_TRUE(is_identified(record));
}

TEST(Identity, P13TheOtherNamesAreDueOnceOneOfThemRenewedThePair) {
  EXPECT_EQ(name_check_due(member_of({selector("id:42")}), kNameCheckMax), std::nullopt);
  EXPECT_EQ(name_check_due(member_of({resolved("email:a@b", kT0)}), kNameCheckMax),
            kT0 + kNameCheckMax);
  EXPECT_EQ(name_check_due(member_of({resolved("email:a@b", kT0)}), 3h), kT0 + 3h)
      << "where each refresh brings a new pair";
  EXPECT_EQ(name_check_due(member_of({resolved("email:a@b", kT0)}), 1s), kT0 + kNameRound);
  EXPECT_EQ(name_check_due(member_of({resolved("email:a@b", kT0)}), kNameCheckMax + 1ms),
            kT0 + kNameCheckMax)
      << "however long a pair lives";
  const auto due = [](Duration apart) {
    return name_check_due(
        member_of({resolved("email:a@b", kT0), resolved("sso:a", kT0 + apart), selector("id:42")}),
        kNameCheckMax);
  };
  EXPECT_EQ(due(kNameRound), kT0 + kNameCheckMax) << "asked for in one round";
  EXPECT_EQ(due(kNameRound + 1ms), kT0 + kNameRound + 1ms);
}

TEST(Identity, P13TheCheckIsACallOfTheRenewalLane) {
  MemberRecord record =
      member_of({resolved("email:a@b", kT0), resolved("sso:a", kT0 + kNameRound + 1ms)});
  const MemberPlan plan = plan_member(record, {}, {}, {}, {}, 1, kT0 + 2h);
  const auto& call = plan.calls[index_of(Lane::kRenewal)];
  ASSERT_TRUE(call);
  EXPECT_EQ(call->kind, CallKind::kIssue);
  EXPECT_EQ(call->due, kT0 + kNameRound + 1ms);
}

TEST(Identity, P13NothingIsServedWhileANameIsUnresolvedAndItIsAskedForAtOnce) {
  MemberRecord record = member_of({selector("email:a@b"), selector("sso:a")});
  EXPECT_FALSE(has_unresolved_name(record));
  record.selectors[1].resolved_at = {};
  EXPECT_TRUE(has_unresolved_name(record));
  const MemberPlan plan = plan_member(record, {}, {}, {}, {}, 1, kT0);
  const auto& call = plan.calls[index_of(Lane::kRefresh)];
  ASSERT_TRUE(call);
  EXPECT_EQ(call->kind, CallKind::kIssue);
  EXPECT_LE(call->due, kT0);
  note_resolved(record, record.selectors[1].key, kT0);
  EXPECT_FALSE(has_unresolved_name(record));
}

TEST(Identity, P13WhoeverWasOutIsAskedForByEveryNameAgain) {
  for (const LifecycleEvent out : {LifecycleEvent::kDropped, LifecycleEvent::kOperatorRevokes,
                                   LifecycleEvent::kOtherIdentity}) {
    MemberRecord record = member_of({selector("email:a@b"), selector("sso:a")});
    enter(record, out, kT0);
    for (const Selector& s : record.selectors) EXPECT_EQ(s.resolved_at, WallTime{});
  }
  MemberRecord unknown = member_of({selector("email:a@b"), selector("sso:a")});
  unknown.state = MemberState::kUnknown;
  enter(unknown, LifecycleEvent::kOperatorReinstates, kT0);
  EXPECT_TRUE(has_unresolved_name(unknown));
}

TEST(Identity, P13ANameIsSplitOffOnlyWhereAnotherInTheRosterStays) {
  MemberRecord record =
      member_of({selector("email:a@b"), selector("sso:a"), selector("id:42", false)});
  const MemberKey email = record.selectors[0].key;
  EXPECT_TRUE(can_do_without(record, email));
  record.selectors[1].in_roster = false;
  EXPECT_FALSE(can_do_without(record, email)) << "the roster wants the member by this name alone";
  record.selectors[1].in_roster = true;
  record.state = MemberState::kBlocked;
  EXPECT_FALSE(can_do_without(record, email)) << "a block holds under every name";
  record.state = MemberState::kActive;
  const MemberRecord own = split_name(record, email, MemberId{9}, kT0 + 1h);
  EXPECT_EQ(own.id, MemberId{9});
  ASSERT_EQ(own.selectors.size(), 1U);
  EXPECT_EQ(own.selectors.front().key, email);
  EXPECT_EQ(own.community_member_id, 42) << "who it was is remembered";
  EXPECT_TRUE(own.tokens.empty());
  EXPECT_EQ(record.selectors.size(), 2U);
  EXPECT_EQ(record.tokens.size(), 2U);
}

}  // namespace
}  // namespace rota

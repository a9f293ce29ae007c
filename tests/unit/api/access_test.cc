#include "api/access.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "api/token_api.h"

namespace rota {
namespace {

constexpr std::uint32_t kOwnUid = 990;

MemberKey key(std::string_view text) { return MemberKey::parse(text).value(); }

// Ada: three names and two tags.
Published ada() {
  Published row;
  row.member = MemberId{7};
  row.keys = {key("id:42"), key("email:ada@example.com"), key("sso:google|1")};
  row.tags = {"beta", "support"};
  return row;
}

PeerIdentity peer(std::uint32_t uid, std::vector<std::uint32_t> groups) {
  const std::uint32_t gid = groups.empty() ? kNoId : groups.front();
  return {.uid = uid, .gid = gid, .pid = 1, .groups = std::move(groups)};
}

Grant to_user(std::uint32_t uid) {
  return {.holder = Grant::Holder::kUser,
          .id = uid,
          .name = "u" + std::to_string(uid),
          .tags = {},
          .members = {}};
}
Grant to_group(std::uint32_t gid) {
  return {.holder = Grant::Holder::kGroup,
          .id = gid,
          .name = "g" + std::to_string(gid),
          .tags = {},
          .members = {}};
}
Grant to_client(std::string name) {
  return {.holder = Grant::Holder::kClient, .name = std::move(name), .tags = {}, .members = {}};
}
Grant may(Grant grant, Rights rights) {
  grant.may = rights;
  return grant;
}
Grant enrolling(Grant grant, std::vector<std::string> tags) {
  grant.may = {Right::kFetch, Right::kEnrol};
  grant.all_members = true;
  grant.enrol_tags = std::move(tags);
  return grant;
}
Grant all(Grant grant) {
  grant.all_members = true;
  return grant;
}
Grant tagged(Grant grant, std::string tag) {
  grant.tags.push_back(std::move(tag));
  return grant;
}
Grant named(Grant grant, std::string_view text) {
  grant.members.push_back(key(text));
  return grant;
}

// What a peer may read: Ada, somebody who is there and not Ada, and a name that leads to nobody.
struct Verdict {
  bool of_ada = false;
  bool of_other = false;
  bool of_nobody = false;
  bool operator==(const Verdict&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Verdict& v) {
  return out << v.of_ada << v.of_other << v.of_nobody;
}
constexpr Verdict kAll{.of_ada = true, .of_other = true, .of_nobody = true};
constexpr Verdict kAdaOnly{.of_ada = true};
constexpr Verdict kNothing{};

Verdict judge(const std::vector<Grant>& grants, const PeerIdentity& who) {
  const AccessPolicy policy(kOwnUid, grants);
  const Published member = ada();
  Published other;
  other.keys = {key("id:43")};
  other.tags = {"sales"};
  const Verdict verdict{.of_ada = policy.may_read(who, key("id:42"), &member),
                        .of_other = policy.may_read(who, key("id:43"), &other),
                        .of_nobody = policy.may_read(who, key("id:44"), nullptr)};
  EXPECT_EQ(policy.may_read(who, member), verdict.of_ada);
  EXPECT_EQ(policy.may_read(who, other), verdict.of_other);
  return verdict;
}

TEST(AccessPolicy, P11KnowsRootAndItselfWithoutAnyGrant) {
  EXPECT_EQ(judge({}, peer(0, {0})), kAll);
  EXPECT_EQ(judge({}, peer(kOwnUid, {1})), kAll);
  EXPECT_EQ(judge({}, peer(1'000, {1'000})), kNothing);
  // A group is no identity: root's group is not root, and the daemon's is not the daemon.
  EXPECT_EQ(judge({}, peer(1'000, {0, kOwnUid})), kNothing);
}

TEST(AccessPolicy, P11OnlyRootAndItselfAdminister) {
  const AccessPolicy policy(kOwnUid, {all(to_user(1'000)), all(to_group(50))});
  EXPECT_TRUE(policy.may_administer(peer(0, {0})));
  EXPECT_TRUE(policy.may_administer(peer(kOwnUid, {1})));
  EXPECT_FALSE(policy.may_administer(peer(1'000, {50})));
  EXPECT_FALSE(policy.may_administer(kPeerUnknown));
}

TEST(AccessPolicy, P11AGrantToAUserIsForThatUserAlone) {
  EXPECT_EQ(judge({all(to_user(1'000))}, peer(1'000, {50})), kAll);
  EXPECT_EQ(judge({all(to_user(1'000))}, peer(1'001, {50})), kNothing);
  EXPECT_EQ(judge({all(to_user(1'000))}, peer(1'001, {1'000})), kNothing)
      << "the group of that number is not the user";
}

TEST(AccessPolicy, P11AGrantToAGroupIsForThePrimaryAndEveryOtherGroup) {
  const std::vector<Grant> grants{all(to_group(50))};
  EXPECT_EQ(judge(grants, peer(1'000, {50})), kAll);
  EXPECT_EQ(judge(grants, peer(1'000, {4, 20, 50, 1'000})), kAll);
  EXPECT_EQ(judge(grants, peer(1'000, {4, 20, 1'000})), kNothing);
  EXPECT_EQ(judge(grants, peer(50, {1'000})), kNothing) << "the user of that number";
  EXPECT_EQ(judge(grants, peer(1'000, {})), kNothing);
}

// Whichever list is longer, the peer's or the policy's, the answer is the same.
TEST(AccessPolicy, P11FindsOneGroupAmongMany) {
  std::vector<Grant> grants;
  for (std::uint32_t gid = 2'000; gid < 2'100; ++gid)
    grants.push_back(named(to_group(gid), "id:1"));
  grants.push_back(tagged(to_group(50), "beta"));
  EXPECT_EQ(judge(grants, peer(1'000, {20, 50})), kAdaOnly);
  EXPECT_EQ(judge(grants, peer(1'000, {20, 51})), kNothing);
  std::vector<std::uint32_t> many;
  for (std::uint32_t gid = 3'000; gid < 3'500; ++gid) many.push_back(gid);
  EXPECT_EQ(judge(grants, peer(1'000, many)), kNothing);
  many.insert(many.begin(), 50);
  EXPECT_EQ(judge(grants, peer(1'000, many)), kAdaOnly);
}

TEST(AccessPolicy, P11ATagCoversWhoHasIt) {
  EXPECT_EQ(judge({tagged(to_user(1'000), "support")}, peer(1'000, {})), kAdaOnly);
  EXPECT_EQ(judge({tagged(to_user(1'000), "supp")}, peer(1'000, {})), kNothing);
  EXPECT_EQ(judge({tagged(to_user(1'000), "sales")}, peer(1'000, {})), Verdict{.of_other = true});
}

TEST(AccessPolicy, P11AKeyCoversTheMemberUnderAllItsNames) {
  const Published member = ada();
  for (const char* granted : {"id:42", "email:ada@example.com", "sso:google|1"}) {
    const AccessPolicy policy(kOwnUid, {named(to_user(1'000), granted)});
    for (const MemberKey& asked : member.keys) {
      EXPECT_TRUE(policy.may_read(peer(1'000, {}), asked, &member)) << granted << asked.text();
    }
  }
  // The same words of another kind are another name.
  EXPECT_EQ(judge({named(to_user(1'000), "sso:42")}, peer(1'000, {})), kNothing);
}

// A granted name that leads to nobody gets the 404; any other gets the 403, as if somebody were
// there.
TEST(AccessPolicy, P11AGrantedNameMayLeadToNobody) {
  const AccessPolicy policy(kOwnUid, {named(to_user(1'000), "email:new@example.com")});
  EXPECT_TRUE(policy.may_read(peer(1'000, {}), key("email:new@example.com"), nullptr));
  EXPECT_FALSE(policy.may_read(peer(1'000, {}), key("email:old@example.com"), nullptr));
  EXPECT_EQ(judge({tagged(to_user(1'000), "support")}, peer(1'000, {})).of_nobody, false);
}

TEST(AccessPolicy, P11GrantsOfUserAndGroupsAddUp) {
  const std::vector<Grant> grants{tagged(to_user(1'000), "support"), named(to_group(50), "id:43"),
                                  named(to_user(1'000), "id:44")};
  EXPECT_EQ(judge(grants, peer(1'000, {50})), kAll);
  EXPECT_EQ(judge(grants, peer(1'000, {51})), (Verdict{.of_ada = true, .of_nobody = true}));
  EXPECT_EQ(judge(grants, peer(1'001, {50})), Verdict{.of_other = true});
}

TEST(AccessPolicy, P11WhoComesOverTcpHasNoGrantWhateverIsWritten) {
  EXPECT_EQ(judge({all(to_user(kNoId)), all(to_group(kNoId))}, kPeerUnknown), kNothing);
  EXPECT_EQ(judge({all(to_group(kNoId))}, peer(kNoId, {kNoId})), kNothing);
  EXPECT_FALSE(AccessPolicy(kNoId).may_administer(kPeerUnknown));
}

TEST(AccessPolicy, P11KnowsWhoHasNoGrantAtAll) {
  const AccessPolicy policy(kOwnUid, {tagged(to_user(1'000), "x"), named(to_group(50), "id:1")});
  EXPECT_TRUE(policy.may_read_some(peer(0, {})));
  EXPECT_TRUE(policy.may_read_some(peer(1'000, {})));
  EXPECT_TRUE(policy.may_read_some(peer(1, {50})));
  EXPECT_FALSE(policy.may_read_some(peer(1, {51})));
  EXPECT_FALSE(policy.may_read_some(kPeerUnknown));
}

// What each answer looks like to somebody granted by tag, by key, by "*" and by nothing.
TEST(GrantedToken, P11AnswersTellNothingToTheUngranted) {
  const WallTime now{std::chrono::hours{480'000}};
  Table table;
  Published retired = ada();
  retired.state = MemberState::kRetired;
  table.publish(std::move(retired));
  const AccessPolicy policy(kOwnUid,
                            {tagged(to_user(1), "support"), named(to_user(2), "id:42"),
                             named(to_user(2), "id:44"), all(to_user(3)), tagged(to_user(4), "x")});
  const auto code = [&](std::uint32_t uid, std::string_view asked) {
    TokenQuery query;
    query.member.key = key(asked);
    const Answer answer = decide_token(query, peer(uid, {}), policy, table, now);
    return std::string(row_of(std::get<ErrorReply>(answer).code).code);
  };
  EXPECT_EQ(code(1, "email:ada@example.com"), "member_retired") << "tags outlive the membership";
  EXPECT_EQ(code(1, "id:44"), "forbidden");
  EXPECT_EQ(code(2, "sso:google|1"), "member_retired");
  EXPECT_EQ(code(2, "id:44"), "member_unknown");
  EXPECT_EQ(code(2, "id:45"), "forbidden");
  EXPECT_EQ(code(3, "id:42"), "member_retired");
  EXPECT_EQ(code(3, "id:45"), "member_unknown");
  EXPECT_EQ(code(4, "id:42"), "forbidden");
  EXPECT_EQ(code(4, "id:45"), "forbidden");
}

// However the wait ended, somebody whose grant went meanwhile hears only that.
TEST(GrantedToken, P11AWaitWhoseGrantWentTellsNothing) {
  const WallTime now{std::chrono::hours{480'000}};
  Table table;
  table.publish(ada());
  for (const auto result : {WaitResult::kServe, WaitResult::kUnavailable, WaitResult::kRetired,
                            WaitResult::kBlocked, WaitResult::kUnknown, WaitResult::kMismatched}) {
    const auto outcome =
        settle_token({.key = key("id:42")}, {.result = result, .retry_after = {}},
                     peer(1'000, {50}), AccessPolicy(kOwnUid, {all(to_user(1))}), table, now);
    EXPECT_EQ(std::get<ErrorReply>(outcome).code, ErrorCode::kForbidden);
  }
}

// Two entries of the roster that turn out to be one member are served under both names.
TEST(GrantedToken, P11AWaitIsSettledByNameSinceMembersBecomeOne) {
  const WallTime now{std::chrono::hours{480'000}};
  Table table;
  Published row = ada();
  row.access_token = make_secret("t");
  row.expires_at = now + std::chrono::hours{1};
  table.publish(std::move(row));
  const auto outcome = settle_token(
      {.key = key("email:ada@example.com")}, {.result = WaitResult::kServe, .retry_after = {}},
      peer(1'000, {}), AccessPolicy(kOwnUid, {all(to_user(1'000))}), table, now);
  ASSERT_TRUE(std::holds_alternative<TokenReply>(outcome));
  EXPECT_EQ(std::get<TokenReply>(outcome).row->member, MemberId{7});
}

TEST(AccessPolicy, AnAddressIsGrantedInWhateverCaseItIsWritten) {  // P11
  const AccessPolicy policy(kOwnUid, {named(to_user(1'000), "email:Ada@Example.com")});
  const Published row = ada();
  EXPECT_TRUE(policy.may_read(peer(1'000, {}), key("id:42"), &row)) << "by the roster's spelling";
  EXPECT_TRUE(policy.may_read(peer(1'000, {}), key("email:ADA@example.com"), nullptr));
  EXPECT_TRUE(policy.may_read(peer(1'000, {}), row));
  EXPECT_FALSE(policy.may_read(peer(1'000, {}), key("email:bob@example.com"), nullptr));
}

// A refusal that comes sooner when there is nobody tells a stranger who is a member.
TEST(AccessPolicy, P11ARefusalComparesAsMuchWhetherOrNotThereIsSuchAMember) {
  Table table;
  for (std::int64_t id = 1; id <= 50; ++id) {
    Published row;
    row.member = MemberId{id};
    row.keys = {MemberKey::from_id(id).value(), key("email:m" + std::to_string(id) + "@b"),
                key("sso:s" + std::to_string(id))};
    row.tags = {"beta", "support"};
    row.state = id % 3 == 0 ? MemberState::kRetired : MemberState::kActive;
    table.publish(row);
  }
  const std::vector<Grant> grants[] = {
      {tagged(to_user(1'000), "staff")},
      {named(to_user(1'000), "id:999"), tagged(to_group(50), "staff")},
      {tagged(tagged(to_group(50), "staff"), "press"), named(to_group(51), "email:x@y")},
  };
  const PeerIdentity stranger = peer(1'000, {50, 51});
  for (const auto& grant : grants) {
    const AccessPolicy policy(kOwnUid, grant);
    for (const std::string_view kind : {"id:", "email:m", "sso:s"}) {
      const auto compared = [&](std::int64_t id) {
        const std::string end = kind == "email:m" ? "@b" : "";
        const MemberKey asked = key(std::string(kind) + std::to_string(id) + end);
        const auto judged = policy.judge(stranger, Right::kFetch, asked, table.look_up(asked));
        EXPECT_FALSE(judged.granted);
        return judged.compared;
      };
      EXPECT_GT(compared(1), 0U);
      for (std::int64_t id = 1; id <= 50; ++id) EXPECT_EQ(compared(id), compared(2'000 + id)) << id;
    }
  }
  // Whoever is picked to be looked through counts for nothing.
  const AccessPolicy of_all_there_is(kOwnUid, {tagged(to_user(1'000), "support")});
  const MemberKey nobody = key("id:1000");
  const auto found = table.look_up(nobody);
  EXPECT_EQ(found.row, nullptr);
  ASSERT_NE(found.examined, nullptr);
  EXPECT_FALSE(of_all_there_is.judge(stranger, Right::kFetch, nobody, found).granted);
  EXPECT_TRUE(
      of_all_there_is.judge(stranger, Right::kFetch, key("id:1"), table.look_up(key("id:1")))
          .granted);
}

TEST(AccessPolicy, P11ARightCoversOnlyTheMembersOfItsOwnGrant) {
  const AccessPolicy policy(
      kOwnUid, {all(to_user(1'000)), may(tagged(to_user(1'000), "support"), {Right::kSignOut})});
  const Published member = ada();
  Published other;
  other.keys = {key("id:43")};
  other.tags = {"sales"};
  const PeerIdentity who = peer(1'000, {});
  EXPECT_TRUE(policy.may(who, Right::kFetch, key("id:43"), &other));
  EXPECT_TRUE(policy.may(who, Right::kSignOut, key("id:42"), &member));
  EXPECT_FALSE(policy.may(who, Right::kSignOut, key("id:43"), &other));
  EXPECT_FALSE(policy.may(who, Right::kRemove, key("id:42"), &member));
  EXPECT_FALSE(policy.may_all(who, Right::kSignOut));
  EXPECT_TRUE(policy.may(peer(0, {}), Right::kRemove, key("id:43"), &other));
  EXPECT_FALSE(policy.may(peer(1'001, {}), Right::kSignOut, key("id:42"), &member));
}

// Without the right to fetch, no token, whatever else is granted.
TEST(AccessPolicy, P11OtherRightsGiveNoToken) {
  const Grant grant = may(all(to_user(1'000)), {Right::kSignOut, Right::kRemove});
  EXPECT_EQ(judge({grant}, peer(1'000, {})), kNothing);
  const AccessPolicy policy(kOwnUid, {grant});
  EXPECT_FALSE(policy.may_read_some(peer(1'000, {})));
  EXPECT_FALSE(policy.may_read_all(peer(1'000, {})));
}

TEST(AccessPolicy, P11AClientHasWhatIsGrantedToItsNameAndNothingElse) {
  const std::vector<Grant> grants{tagged(to_client("web"), "support"), all(to_user(1'000)),
                                  all(to_group(50)), all(to_user(kNoId))};
  EXPECT_EQ(judge(grants, peer_of_client("web")), kAdaOnly);
  EXPECT_EQ(judge(grants, peer_of_client("shop")), kNothing);
  EXPECT_EQ(judge(grants, kPeerUnknown), kNothing);
  EXPECT_FALSE(AccessPolicy(kOwnUid, grants).may_administer(peer_of_client("root")));
  // A user of the client's name is another holder.
  EXPECT_EQ(judge({all(to_client("web"))}, peer(1'000, {50})), kNothing);
}

TEST(AccessPolicy, P11ARefusedRightComparesAsMuchWhetherOrNotThereIsSuchAMember) {
  Table table;
  for (std::int64_t id = 1; id <= 50; ++id) {
    Published row;
    row.member = MemberId{id};
    row.keys = {MemberKey::from_id(id).value()};
    row.tags = {"beta", "support"};
    table.publish(row);
  }
  const AccessPolicy policy(kOwnUid, {may(tagged(to_client("web"), "staff"), {Right::kSignOut})});
  const auto compared = [&](std::int64_t id) {
    const MemberKey asked = MemberKey::from_id(id).value();
    const auto judged =
        policy.judge(peer_of_client("web"), Right::kSignOut, asked, table.look_up(asked));
    EXPECT_FALSE(judged.granted);
    return judged.compared;
  };
  EXPECT_GT(compared(1), 0U);
  for (std::int64_t id = 1; id <= 50; ++id) EXPECT_EQ(compared(id), compared(2'000 + id)) << id;
}

TEST(AccessPolicy, EnrolsInTheNameOfTheUserThenOfAGroupThenOfTheClient) {
  const AccessPolicy policy(
      kOwnUid, {enrolling(to_user(1'000), {"web", "b"}), enrolling(to_user(1'000), {"a", "b"}),
                enrolling(to_group(51), {"late"}), enrolling(to_group(50), {"group"}),
                all(to_user(1'001)), enrolling(to_client("shop"), {})});
  EXPECT_EQ(policy.enrolment_of(peer(1'000, {50})),
            (EnrolmentRight{.holder = "user:u1000", .tags = {"a", "b", "web"}}));
  EXPECT_EQ(policy.enrolment_of(peer(1'001, {50, 51})),
            (EnrolmentRight{.holder = "group:g50", .tags = {"group"}}))
      << "the user's own grant has no such right";
  EXPECT_EQ(policy.enrolment_of(peer_of_client("shop")),
            (EnrolmentRight{.holder = "client:shop", .tags = {}}));
  EXPECT_EQ(policy.enrolment_of(peer(0, {50})), (EnrolmentRight{.holder = "root", .tags = {}}));
  EXPECT_EQ(policy.enrolment_of(peer(kOwnUid, {})), (EnrolmentRight{.holder = "root", .tags = {}}));
  EXPECT_EQ(policy.enrolment_of(peer(1'001, {})), std::nullopt);
  EXPECT_EQ(policy.enrolment_of(peer_of_client("web")), std::nullopt);
  EXPECT_EQ(policy.enrolment_of(kPeerUnknown), std::nullopt);
}

// While old and new grants both count, a right must stand in both, and so must a tag.
TEST(AccessPolicy, P11TheIntersectionCoversRightsAndEnrolTags) {
  const Published member = ada();
  const PeerIdentity who = peer(1'000, {});
  const AccessPolicy before(kOwnUid, {enrolling(to_user(1'000), {"a", "b"}),
                                      may(all(to_user(1'000)), {Right::kSignOut})});
  const AccessPolicy after(
      kOwnUid, {enrolling(to_user(1'000), {"b", "c"}), may(all(to_user(1'000)), {Right::kRemove})});
  const AccessPolicy both = before.and_only(after);
  EXPECT_EQ(both.enrolment_of(who), (EnrolmentRight{.holder = "user:u1000", .tags = {"b"}}));
  EXPECT_TRUE(both.may(who, Right::kFetch, key("id:42"), &member));
  EXPECT_FALSE(both.may(who, Right::kSignOut, key("id:42"), &member));
  EXPECT_FALSE(both.may(who, Right::kRemove, key("id:42"), &member));
  EXPECT_FALSE(both.may_all(who, Right::kSignOut));
  EXPECT_EQ(before.and_only(AccessPolicy(kOwnUid, {all(to_user(1'000))})).enrolment_of(who),
            std::nullopt);
  EXPECT_NE(before, after);
}

}  // namespace
}  // namespace rota

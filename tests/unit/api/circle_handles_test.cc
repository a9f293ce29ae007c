// Handles of logins: what a client sees after a sign-out, a retirement, a merge …, as the table in
// docs/circle-api.md has it.

#include "unit/api/circle_box.h"

namespace rota {
namespace {

using std::chrono::days;
using test::kCron;
using test::kLogin;
using test::kRefresh;
using test::kRevokeRefresh;
using test::Reply;
using testing::ElementsAre;
using testing::HasSubstr;

class CircleHandlesTest : public test::CircleBox {};

TEST_F(CircleHandlesTest, AfterASignOutTheHandlesAreDead) {
  const std::string handle = log_in();
  change([](Published& row) { row.login_epoch[0] ^= 1U; });
  EXPECT_EQ(refresh(handle).error(), "404 token_unknown: Refresh token not found.");
  EXPECT_EQ(refresh(log_in()).status, 200) << "the member stays";
}

TEST_F(CircleHandlesTest, AfterARetirementOrABlockTheHandlesAreDead) {
  const std::string handle = log_in();
  change([](Published& row) {
    row.state = MemberState::kRetired;
    row.login_epoch[0] ^= 1U;
  });
  EXPECT_EQ(refresh(handle).error(), "404 token_unknown: Refresh token not found.");
  tokens.forget(42);
  EXPECT_EQ(refresh(handle).error(), "404 token_unknown: Refresh token not found.");
}

TEST_F(CircleHandlesTest, ARetiredMemberIsNotServedEvenIfTheEpochIsTheSame) {
  const std::string handle = log_in();
  tokens.set_state(42, MemberState::kRetired);
  EXPECT_EQ(refresh(handle).error(), "404 member_retired: Refresh token not found.");
}

TEST_F(CircleHandlesTest, AfterAMergeTheHandlesOfTheMemberThatStaysLive) {
  publish(43, "other");
  const std::string stays = log_in();
  const std::string goes = ask(kLogin, R"({"community_member_id":43})").text("refresh_token");
  change([](Published& row) {
    row.keys.push_back(MemberKey::from_id(43).value());
    row.login_epoch = {1};
  });
  tokens.forget(43);
  EXPECT_EQ(refresh(goes).error(), "404 token_unknown: Refresh token not found.");
  EXPECT_EQ(refresh(stays).status, 404) << "if the merged record has another epoch";
  change([](Published& row) { row.login_epoch = {}; });
  EXPECT_EQ(refresh(stays).status, 200) << "if it has the same one";
}

TEST_F(CircleHandlesTest, AfterARestartHandlesLive) {
  const std::string handle = log_in();
  CircleLogins fresh(clock, Secret(std::string(kHandleKeyBytes, 'k')));
  expect_refresh(fresh, handle, 200);
}

TEST_F(CircleHandlesTest, AfterAKeyChangeTheHandlesAreDead) {
  const std::string handle = log_in();
  CircleLogins fresh(clock, Secret(std::string(kHandleKeyBytes, 'l')));
  expect_refresh(fresh, handle, 404);
}

TEST_F(CircleHandlesTest, GrantsAreJudgedAtEachUse) {
  const std::string handle = log_in();
  policy = AccessPolicy{0};
  EXPECT_EQ(refresh(handle).status, 404) << "it holds nothing any more";
  EXPECT_EQ(ask(kLogin, R"({"community_member_id":42})").status, 403);
}

TEST_F(CircleHandlesTest, ARevokedHandleIsDeadAndTheOthersLive) {
  const std::string handle = log_in();
  const std::string again = log_in();
  const std::string others = log_in(kCron);
  on_later = [this] {
    ASSERT_EQ(tokens.raised.size(), 1U);
    EXPECT_EQ(tokens.raised[0].first, MemberId{42});
    change([this](Published& row) {
      row.handles = {{.holder = tokens.raised[0].second, .number = 1}};
    });
    tokens.raise_done({});
  };
  const Reply reply = ask(kRevokeRefresh, handle_body(handle));
  EXPECT_EQ(reply.status, 204);
  EXPECT_THAT(tokens.orders(), ElementsAre("handle_revoke_asked 42 [id:42] [" +
                                           tokens.raised[0].second + "] by 33"));
  EXPECT_EQ(ask(kRevokeRefresh, handle_body(handle)).error(),
            "404 token_unknown: Refresh token not found.");
  EXPECT_EQ(refresh(again).status, 404) << "one handle for each holder is valid";
  EXPECT_EQ(refresh(others, kCron).status, 200);
  EXPECT_EQ(refresh(log_in()).status, 200);
}

TEST_F(CircleHandlesTest, CountsWhatClientsAreAnswered) {
  const auto counts = [this] {
    const CircleLogins::Counts& now = logins.counts();
    return std::vector<std::uint64_t>{now.logins, now.refreshes, now.dead_handles};
  };
  const std::string handle = log_in();
  EXPECT_THAT(counts(), ElementsAre(1, 0, 0));
  refresh(handle);
  EXPECT_THAT(counts(), ElementsAre(1, 1, 0));
  refresh(handle, kCron);
  refresh("rota1_nonsense");
  ask(kRevokeRefresh, handle_body("rota1_nonsense"));
  EXPECT_THAT(counts(), ElementsAre(1, 1, 3));
  clock.advance(days{30});
  publish(42, "two");
  refresh(handle);
  EXPECT_THAT(counts(), ElementsAre(1, 1, 4)) << "it has expired";
  ask(kRefresh, "{}");
  ask(kLogin, R"({"email":"who@example.com"})");
  EXPECT_THAT(counts(), ElementsAre(1, 1, 4)) << "no handle, and no login";
}

TEST_F(CircleHandlesTest, ARevocationThatIsNotDurableSaysSo) {
  const std::string handle = log_in();
  on_later = [this] { tokens.raise_done(fail(ErrorKind::kIo, "no space left")); };
  const Reply reply = ask(kRevokeRefresh, handle_body(handle));
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.head, HasSubstr("Retry-After: "));
  EXPECT_EQ(ask(kRevokeRefresh, R"({"refresh_token":7.5})").error(),
            "404 bad_request: Invalid refresh token.");
}

}  // namespace
}  // namespace rota

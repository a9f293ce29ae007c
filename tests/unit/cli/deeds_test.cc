// Commands that change what is so of members and clients.

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "unit/cli/commands_box.h"

namespace rota::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(Commands, RevokeFailsWhileATokenIsAlive) {
  const std::string alive =
      R"({"done":true,"state":"blocked","detail":"d","doubts":0,"revocations":[
          {"kind":"access","fingerprint":"f","result":"503","alive":true}]})";
  transport_.replies = {{200, alive}, {200, alive}};
  EXPECT_EQ(run_it(OperateCommand{key_, "revoke"}), ExitCode::kFailed);
  EXPECT_THAT(output_.printed, HasSubstr("access   f  503  STILL ALIVE\n"));
  EXPECT_THAT(output_.said, ElementsAre("revoke id:42: 1 token is alive"));
  EXPECT_EQ(run_it(OperateCommand{key_, "revoke"}, true), ExitCode::kFailed);
  EXPECT_THAT(output_.printed, HasSubstr(alive + "\n"));
  EXPECT_EQ(transport_.requests[0].method, Method::kPost);
}

TEST_F(Commands, RotateNeedsOnlyToBeDone) {
  transport_.replies = {{200, R"({"done":true,"state":"active","detail":"d","doubts":1})"},
                        {200, R"({"done":false,"state":"active","detail":"d","doubts":0})"}};
  EXPECT_EQ(run_it(OperateCommand{key_, "rotate"}), ExitCode::kDone);
  EXPECT_EQ(run_it(OperateCommand{key_, "rotate"}), ExitCode::kFailed);
}

constexpr const char* kEnrolled =
    R"({"member":"id:42","community_member_id":42,"state":"active","source":"enrolled"})";

TEST_F(Commands, EnrolGoesOnAfterARefusalAndEndsWithTheFirstOnesCode) {
  const std::string pending =
      R"({"member":"id:8","community_member_id":null,"state":"active","source":"enrolled"})";
  transport_.replies = {{201, kEnrolled},
                        {404, R"({"code":"member_unknown","message":"no such member"})"},
                        {202, pending},
                        {200, kEnrolled}};
  const EachCommand command{.deed = EachCommand::Deed::kEnrol,
                            .keys = {key_, *MemberKey::parse("id:7"), *MemberKey::parse("id:8"),
                                     *MemberKey::parse("email:a@b")}};
  EXPECT_EQ(run_it(command), ExitCode::kNoMember);
  ASSERT_EQ(transport_.requests.size(), 4U);
  EXPECT_EQ(transport_.requests[0].method, Method::kPut);
  EXPECT_EQ(transport_.requests[3].target, "/v1/members/email%3Aa%40b");
  EXPECT_EQ(output_.printed,
            "id:42: enrolled: id:42, active, source: enrolled\n"
            "id:8: enrolled, active, source: enrolled\n"
            "email:a@b: a member already: id:42, active, source: enrolled\n");
  EXPECT_THAT(output_.said,
              ElementsAre("id:7: member_unknown: no such member",
                          "id:8: Circle has not said yet who it is; rotad goes on asking"));
  transport_.replies = {{202, pending}};
  EXPECT_EQ(run_it(EachCommand{EachCommand::Deed::kEnrol, {key_}}), ExitCode::kNotNow);
  transport_.replies = {{503, R"({"code":"enrolment_limited","message":"later"})"}};
  EXPECT_EQ(run_it(EachCommand{EachCommand::Deed::kEnrol, {key_}}), ExitCode::kNotNow);
}

TEST_F(Commands, EnrolGivesANameToOneMember) {
  transport_.replies = {{201, kEnrolled}};
  EXPECT_EQ(run_it(EachCommand{EachCommand::Deed::kEnrol, {key_}, "Ada \"L\""}), ExitCode::kDone);
  EXPECT_EQ(transport_.requests.at(0).body, R"({"name":"Ada \"L\""})");
  EXPECT_EQ(run_it(EachCommand{EachCommand::Deed::kEnrol, {key_, key_}, "Ada"}), ExitCode::kUsage);
  EXPECT_EQ(transport_.requests.size(), 1U) << "nobody was asked";
}

TEST_F(Commands, NobodyAnswersForTheRestOfTheKeysIfThereIsNoDaemon) {
  transport_.replies = {{201, kEnrolled}};
  EXPECT_EQ(run_it(EachCommand{EachCommand::Deed::kEnrol, {key_, key_, key_}}),
            ExitCode::kUnreachable);
  EXPECT_EQ(transport_.requests.size(), 2U);
}

TEST_F(Commands, SignOutIsDoneOnceNoTokenIsAlive) {
  const std::string done =
      R"({"done":true,"state":"active","detail":"no access token on record is alive",)"
      R"("revocations":[{"kind":"access","fingerprint":"00","result":"revoked","alive":false}],)"
      R"("doubts":0})";
  const std::string alive =
      R"({"done":false,"state":"active","detail":"not finished yet",)"
      R"("revocations":[{"kind":"access","fingerprint":"00","result":"pending","alive":true}],)"
      R"("doubts":0})";
  transport_.replies = {{200, done}, {202, alive}};
  const EachCommand command{EachCommand::Deed::kSignOut, {key_}};
  EXPECT_EQ(run_it(command), ExitCode::kDone);
  EXPECT_EQ(transport_.requests[0].method, Method::kPost);
  EXPECT_EQ(transport_.requests[0].target, "/v1/members/id%3A42/sign-out");
  EXPECT_EQ(output_.printed, "id:42: active: no access token on record is alive\n");
  EXPECT_EQ(run_it(command), ExitCode::kFailed);
  EXPECT_THAT(output_.said, ElementsAre("id:42: not done; 1 token is alive"));
}

TEST_F(Commands, RemoveEndsTheEnrolments) {
  transport_.replies = {
      {200, R"({"done":true,"state":"retiring","detail":"the enrolment has ended","revocations":[])"
            R"(,"doubts":0})"},
      {409, R"({"code":"member_in_roster","message":"the roster names it"})"}};
  const EachCommand command{EachCommand::Deed::kRemove, {key_}};
  EXPECT_EQ(run_it(command), ExitCode::kDone);
  EXPECT_EQ(transport_.requests[0].method, Method::kDelete);
  EXPECT_EQ(transport_.requests[0].target, "/v1/members/id%3A42");
  EXPECT_EQ(output_.printed, "id:42: retiring: the enrolment has ended\n");
  EXPECT_EQ(run_it(command, true), ExitCode::kFailed);
  EXPECT_THAT(output_.printed, HasSubstr(R"("code":"member_in_roster")"));
  EXPECT_THAT(output_.said, ElementsAre("id:42: member_in_roster: the roster names it"));
}

TEST_F(Commands, LiftRemovalsSaysWhetherTheClientWasHeldBack) {
  const std::string held = R"({"client":"user:web","was_held_back":true})";
  transport_.replies = {{200, held},
                        {200, R"({"client":"user:web","was_held_back":false})"},
                        {200, held},
                        {400, R"({"code":"bad_request","message":"client must be"})"}};
  EXPECT_EQ(run_it(LiftCommand{"user:web"}), ExitCode::kDone);
  EXPECT_EQ(transport_.requests[0].method, Method::kPost);
  EXPECT_EQ(transport_.requests[0].target, "/v1/removals/lift?client=user%3Aweb");
  EXPECT_EQ(output_.printed, "user:web may remove members for an hour\n");
  output_.printed.clear();
  EXPECT_EQ(run_it(LiftCommand{"user:web"}), ExitCode::kDone);
  EXPECT_EQ(output_.printed, "user:web may remove members for an hour; it was not held back\n");
  output_.printed.clear();
  EXPECT_EQ(run_it(LiftCommand{"user:web"}, true), ExitCode::kDone);
  EXPECT_EQ(output_.printed, held + "\n");
  EXPECT_EQ(run_it(LiftCommand{"web"}), ExitCode::kFailed);
  EXPECT_THAT(output_.said, ElementsAre("bad_request: client must be"));
}

TEST_F(Commands, RevokeAllAsksFirst) {
  EXPECT_EQ(run_it(RevokeAllCommand{}), ExitCode::kUsage) << "nobody is there";
  for (const auto* answer : {"", "y", "yes", "revoke"}) {
    console_.answer = answer;
    EXPECT_EQ(run_it(RevokeAllCommand{}), ExitCode::kFailed) << answer;
  }
  EXPECT_TRUE(transport_.requests.empty());
}

TEST_F(Commands, RevokeAllAsksAgainUntilNothingIsAlive) {
  const std::string not_yet = R"({"done":false,"detail":"2 tokens are left"})";
  transport_.replies = {{200, not_yet}, {200, not_yet}, {200, R"({"done":true,"detail":""})"}};
  console_.answer = "revoke all";
  EXPECT_EQ(run_it(RevokeAllCommand{}), ExitCode::kDone);
  EXPECT_EQ(transport_.requests.size(), 3U);
  EXPECT_EQ(transport_.requests[0].target, "/v1/revoke-all");
  EXPECT_EQ(output_.printed, "all tokens of all members are dead\n");
  EXPECT_THAT(output_.said, ElementsAre(HasSubstr("2 tokens are left"), HasSubstr("goes on")));
  EXPECT_EQ(run_it(RevokeAllCommand{.yes = true}), ExitCode::kUnreachable);
}

}  // namespace
}  // namespace rota::cli

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_directory.h"
#include "unit/cli/commands_box.h"

namespace rota::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Commands, TokenPrintsTheTokenAndNothingElse) {
  transport_.replies = {{200, R"({"access_token":"eyJ","community_id":1})"}};
  EXPECT_EQ(run_it(TokenCommand{key_, {}}), ExitCode::kDone);
  EXPECT_EQ(output_.printed, "eyJ\n");
  EXPECT_TRUE(output_.said.empty());
  EXPECT_EQ(transport_.requests[0].timeout, Duration{15'000});
}

// Names are of others, and a terminal may show JSON too. To a program it means the same.
TEST_F(Commands, NothingThatATerminalWouldObeyIsPrinted) {
  const std::string body = "{\"key\":\"id:42\",\"name\":\"a\u202eb\u009b31m\"}";
  transport_.replies = {{200, body}, {200, body}, {200, "event: token\ndata: " + body + "\n\n"}};
  EXPECT_EQ(run_it(MemberCommand{key_}), ExitCode::kDone);
  EXPECT_THAT(output_.printed, HasSubstr(R"(a\u202eb\x9b31m)"));
  output_.printed.clear();
  EXPECT_EQ(run_it(MemberCommand{key_}, true), ExitCode::kDone);
  EXPECT_EQ(output_.printed, R"({"key":"id:42","name":"a\u202eb\u009b31m"})"
                             "\n");
  output_.printed.clear();
  run_it(WatchCommand{{key_}});
  EXPECT_EQ(output_.printed, R"({"event":"token","key":"id:42","name":"a\u202eb\u009b31m"})"
                             "\n");
}

TEST_F(Commands, WatchPrintsAnEventALine) {
  transport_.replies = {
      {200,
       ":\n\nevent: token\ndata: {\"member\":\"id:42\",\"access_token\":\"eyJ\"}\n\n"
       "event: retired\ndata: {\"member\":\"id:42\"}\n\nevent: token\ndata: {\"cut"}};
  EXPECT_EQ(run_it(WatchCommand{{key_, *MemberKey::parse("email:a@b")}}), ExitCode::kUnreachable);
  EXPECT_EQ(output_.printed,
            "{\"event\":\"token\",\"member\":\"id:42\",\"access_token\":\"eyJ\"}\n"
            "{\"event\":\"retired\",\"member\":\"id:42\"}\n");
  EXPECT_THAT(output_.said, ElementsAre("rotad ended the watch"));
  EXPECT_EQ(transport_.requests[0].target, "/v1/watch?community_member_id=42&email=a%40b");
}

TEST_F(Commands, WatchSaysWhyThereIsNone) {
  transport_.replies = {{403, R"({"code":"forbidden","message":"no grant"})"}};
  EXPECT_EQ(run_it(WatchCommand{}), ExitCode::kFailed);
  EXPECT_THAT(output_.said, ElementsAre("forbidden: no grant"));
  EXPECT_EQ(transport_.requests[0].target, "/v1/watch");
  EXPECT_EQ(run_it(WatchCommand{}), ExitCode::kUnreachable);
}

TEST_F(Commands, WatchEndsWhenNobodyReadsIt) {
  transport_.replies = {{200, "event: token\ndata: {}\n\n"}};
  output_.broken = true;
  EXPECT_EQ(run_it(WatchCommand{}), ExitCode::kFailed);
  EXPECT_THAT(output_.said, ElementsAre(HasSubstr("cannot write")));
}

TEST_F(Commands, TokenWaitsLongerThanTheDaemonButNotForever) {
  run_it(TokenCommand{key_, {.min_ttl = "", .wait = "30", .refused = ""}});
  run_it(TokenCommand{key_, {.min_ttl = "", .wait = "3d", .refused = ""}});
  EXPECT_EQ(transport_.requests[0].timeout, Duration{35'000});
  EXPECT_EQ(transport_.requests[1].timeout, Duration{65'000});
}

TEST_F(Commands, TokenPrintsNothingOnARefusal) {
  transport_.replies = {{410, R"({"success":false,"code":"member_retired","message":"gone"})"},
                        {503, "<html>"}};
  EXPECT_EQ(run_it(TokenCommand{key_, {}}), ExitCode::kNoMember);
  EXPECT_EQ(run_it(TokenCommand{key_, {}}), ExitCode::kFailed);
  EXPECT_EQ(run_it(TokenCommand{key_, {}}), ExitCode::kUnreachable);
  EXPECT_EQ(output_.printed, "");
  EXPECT_THAT(output_.said, ElementsAre("member_retired: gone", HasSubstr("503"),
                                        "cannot reach rotad at x: gone"));
}

TEST_F(Commands, AFailedWriteIsAFailure) {
  transport_.replies = {{200, R"({"access_token":"eyJ"})"}};
  output_.broken = true;
  EXPECT_EQ(run_it(TokenCommand{key_, {}}), ExitCode::kFailed);
}

TEST_F(Commands, AllOfAStatusSaysFirstWhyTheDaemonIsNotReady) {
  const std::string status =
      R"({"version":"1","ready":false,"not_ready":[{"code":"commit_failing","message":"commits )"
      R"(to the database fail","detail":"disk full"},{"code":"members_overdue","message":"1 member",)"
      R"("detail":""}],"waiting_clients":0})";
  transport_.replies = {{200, status}, {200, status}};
  EXPECT_EQ(run_it(StatusCommand{.all = true}), ExitCode::kDone);
  EXPECT_EQ(output_.printed,
            "NOT READY: commits to the database fail (commit_failing)\n"
            "  disk full\n"
            "NOT READY: 1 member (members_overdue)\n"
            "version          1\n"
            "ready            no\n"
            "waiting_clients  0\n");
  output_.printed.clear();
  EXPECT_EQ(run_it(StatusCommand{}, true), ExitCode::kDone);
  EXPECT_EQ(output_.printed, status + "\n");
}

TEST_F(Commands, StatusCheckFailsUnlessTheDaemonIsReady) {
  for (const auto& [body, exit] :
       {std::pair{R"({"ready":true})", ExitCode::kDone},
        std::pair{R"({"ready":false})", ExitCode::kFailed}, std::pair{"{}", ExitCode::kFailed}}) {
    transport_.replies = {{200, body}, {200, body}};
    EXPECT_EQ(run_it(StatusCommand{.check = true}), exit) << body;
    EXPECT_EQ(run_it(StatusCommand{.check = false}), ExitCode::kDone) << body;
  }
  EXPECT_THAT(output_.said, ElementsAre("rotad is not ready", "rotad is not ready"));
}

TEST_F(Commands, AListOfMembersSaysOfHowManyItIs) {
  const char* const page =
      R"({"members":[{"key":"id:1","state":"active"},{"key":"id:2","state":"retired"}],"next":null})";
  transport_.replies = {{200, page}};
  EXPECT_EQ(run_it(MembersCommand{}), ExitCode::kDone);
  EXPECT_THAT(output_.printed, ::testing::EndsWith("1 of 2 members; 1 retired: --all shows it\n"));
  output_.printed.clear();
  transport_.replies = {{200, page}};
  EXPECT_EQ(run_it(MembersCommand{.state = {}, .source = {}, .filter = {.retired = true}}),
            ExitCode::kDone);
  EXPECT_THAT(output_.printed, ::testing::EndsWith("2 members\n"));
  output_.printed.clear();
  transport_.replies = {{200, page}};
  EXPECT_EQ(run_it(MembersCommand{
                .state = {}, .source = {}, .filter = {.retired = true, .find = "nobody"}}),
            ExitCode::kDone);
  EXPECT_THAT(output_.printed, ::testing::EndsWith("0 of 2 members\n"));
}

TEST_F(Commands, MembersFollowsThePages) {
  transport_.replies = {{200, R"({"members":[{"key":"id:1"}],"next":"id:1"})"},
                        {200, R"({"members":[{"key":"id:2"}],"next":null})"}};
  EXPECT_EQ(run_it(MembersCommand{.state = "active", .source = "roster"}), ExitCode::kDone);
  EXPECT_EQ(transport_.requests[1].target,
            "/v1/members?state=active&source=roster&after=id%3A1&limit=500");
  EXPECT_THAT(output_.printed, HasSubstr("KEY"));
  EXPECT_THAT(output_.printed, HasSubstr("\nid:2 "));
}

TEST_F(Commands, MembersEndsOnPagesThatLeadNowhere) {
  transport_.replies = {{200, R"({"members":[{"key":"id:1"}],"next":"id:1"})"},
                        {200, R"({"members":[{"key":"id:1"}],"next":"id:1"})"}};
  EXPECT_EQ(run_it(MembersCommand{}), ExitCode::kFailed);
  transport_.replies = {{200, R"({"members":[],"next":"id:9"})"}};
  EXPECT_EQ(run_it(MembersCommand{}), ExitCode::kFailed);
}

TEST_F(Commands, AHeldPlanFailsOnlyTheApproval) {
  const std::string held =
      R"({"id":"3f","held":true,"add":[],"retire":["id:1"],"change":[],"calls":1})";
  transport_.replies = {{200, held}, {200, held}};
  EXPECT_EQ(run_it(ReloadCommand{}), ExitCode::kDone);
  EXPECT_EQ(run_it(ReloadCommand{"3f"}), ExitCode::kFailed);
  EXPECT_EQ(transport_.requests[1].target, "/v1/roster/reload?approve=3f");
}

TEST_F(Commands, BackupBringsTheDaemonsFileToItsPlace) {
  const testing::TempDirectory folder;
  const std::string made = (folder / "rota.db.backup").string();
  const std::string file = (folder / "copy").string();
  const std::string reply =
      fmt::format(R"({{"path":"{}","bytes":5,"made_at":"2024-03-20T16:54:47.000Z"}})", made);
  transport_.replies = {{200, reply},
                        {200, reply},
                        {200, reply},
                        {200, reply},
                        {503, R"({"code":"unavailable","message":"no room"})"}};
  testing::write_bytes(made, "12345");
  testing::write_bytes(file, "before");
  EXPECT_EQ(run_it(BackupCommand{file}), ExitCode::kDone);
  EXPECT_EQ(transport_.requests[0].method, Method::kPost);
  EXPECT_EQ(transport_.requests[0].target, "/v1/backup");
  EXPECT_EQ(testing::read_bytes(file), "12345");
  EXPECT_FALSE(std::filesystem::exists(made));
  EXPECT_THAT(output_.printed, HasSubstr("2024-03-20T16:54:47.000Z, 5 bytes"));
  EXPECT_EQ(run_it(BackupCommand{file}), ExitCode::kFailed) << "it is gone already";
  testing::write_bytes(made, "1234");
  EXPECT_EQ(run_it(BackupCommand{file}), ExitCode::kFailed) << "it is another one";
  testing::write_bytes(made, "67890");
  EXPECT_EQ(run_it(BackupCommand{(folder / "nowhere/copy").string()}), ExitCode::kFailed);
  EXPECT_TRUE(std::filesystem::exists(made));
  EXPECT_EQ(run_it(BackupCommand{file}), ExitCode::kFailed);
  EXPECT_EQ(output_.said.back(), "unavailable: no room");
  EXPECT_EQ(testing::read_bytes(file), "12345");
}

TEST_F(Commands, AuditGoesThroughAllPages) {
  const std::string entry =
      R"({"id":7,"at":"A","last_at":"B","count":3,"event":"token_fetched","member":"id:42",)"
      R"("uid":5,"gid":60,"pid":null,"token":"00ff","detail":""})";
  const std::string first = R"({"entries":[)" + entry + R"(],"next":7})";
  const std::string last = R"({"entries":[],"next":null})";
  transport_.replies = {{200, first}, {200, last},  {200, first},
                        {200, last},  {200, first}, {200, first}};
  const AuditCommand command{.query = {.since = "2h", .member = "id:42", .token = "00ff"},
                             .wide = true};
  EXPECT_EQ(run_it(command), ExitCode::kDone);
  EXPECT_EQ(transport_.requests[0].target,
            "/v1/audit?since=2h&member=id%3A42&token=00ff&after=0&limit=1000");
  EXPECT_THAT(transport_.requests[1].target, HasSubstr("after=7&"));
  EXPECT_THAT(output_.printed, HasSubstr("token_fetched"));
  EXPECT_THAT(output_.printed, ::testing::StartsWith("FIRST"));
  output_.printed.clear();
  EXPECT_EQ(run_it(AuditCommand{}, true), ExitCode::kDone);
  EXPECT_EQ(output_.printed, first + "\n" + last + "\n");
  EXPECT_EQ(run_it(command), ExitCode::kFailed) << "a page that leads to itself";
}

// Whoever waits sees for what, and is told what goes on if Ctrl-C ends the wait.
TEST_F(Commands, LongCallsSayWhatTheyWaitForAndWhatGoesOn) {
  for (const Command& command :
       std::vector<Command>{OperateCommand{key_, "revoke"}, OperateCommand{key_, "rotate"},
                            EachCommand{EachCommand::Deed::kSignOut, {key_}},
                            EachCommand{EachCommand::Deed::kRemove, {key_}},
                            EachCommand{EachCommand::Deed::kEnrol, {key_}}, ReloadCommand{},
                            ReloadCommand{"3f"}, RevokeAllCommand{.yes = true}}) {
    output_.progress.clear();
    transport_.replies.clear();
    run_it(command);
    ASSERT_EQ(output_.progress.size(), 1U) << command.index();
    EXPECT_THAT(output_.progress[0].first, HasSubstr("waiting")) << command.index();
    EXPECT_THAT(output_.progress[0].second, HasSubstr("rotad goes on")) << command.index();
    EXPECT_EQ(output_.works, 0);
  }
}

TEST_F(Commands, OnlyATerminalGetsColours) {
  const std::string status = R"({"ready":true,"version":"1.2.3","not_ready":[]})";
  transport_.replies = {{200, status}, {200, status}, {200, status}};
  run_it(StatusCommand{});
  EXPECT_THAT(output_.printed, Not(HasSubstr("\x1b")));
  output_.printed.clear();
  output_.colours = true;
  run_it(StatusCommand{});
  EXPECT_THAT(output_.printed, HasSubstr("\n\x1b[32mREADY\x1b[0m"));
  output_.printed.clear();
  run_it(StatusCommand{}, true);
  EXPECT_THAT(output_.printed, Not(HasSubstr("\x1b"))) << "no colour in JSON";
}

// rotad looks at a few thousand entries at a time: none of them may be wanted.
TEST_F(Commands, AuditGoesOnAfterAnEmptyPage) {
  transport_.replies = {{200, R"({"entries":[],"next":5000})"},
                        {200, R"({"entries":[{"event":"started"}],"next":null})"}};
  EXPECT_EQ(run_it(AuditCommand{.query = {.member = "id:42"}}), ExitCode::kDone);
  EXPECT_THAT(output_.printed, HasSubstr("started"));
}

TEST_F(Commands, EventsShowsTheNotableOnesOfAWeek) {
  transport_.replies = {
      {200,
       R"({"entries":[{"at":"2024-03-20T16:00:00Z","event":"stopped"}],"next":null,"last":9})"},
      {200, R"({"entries":[],"next":null,"last":9})"}};
  EXPECT_EQ(run_it(EventsCommand{}), ExitCode::kDone);
  EXPECT_EQ(transport_.requests[0].target, "/v1/audit?since=7d&notable=true&after=0&limit=1000");
  EXPECT_EQ(output_.printed, "16:00:00     stopped\n");
  output_.printed.clear();
  EXPECT_EQ(run_it(EventsCommand{.since = "1h"}), ExitCode::kDone);
  EXPECT_EQ(output_.printed, "nothing since 1h\n");
}

TEST_F(Commands, JsonPassesThroughRefusalsIncluded) {
  const std::string refusal = R"({"success":false,"code":"forbidden","message":"no"})";
  transport_.replies = {{200, R"({"a":1})"}, {403, refusal}};
  EXPECT_EQ(run_it(StatusCommand{}, true), ExitCode::kDone);
  EXPECT_EQ(run_it(StatusCommand{}, true), ExitCode::kFailed);
  EXPECT_EQ(output_.printed, "{\"a\":1}\n" + refusal + "\n");
}

}  // namespace
}  // namespace rota::cli

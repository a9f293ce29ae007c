#include "cli/commands.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <deque>
#include <filesystem>
#include <string>
#include <vector>

#include "support/temp_directory.h"

namespace rota::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Answers in order, and keeps what was asked.
class ScriptedTransport : public Transport {
 public:
  Result<Reply> send(const Request& request) override {
    requests.push_back(request);
    if (request.while_waiting) request.while_waiting();
    if (replies.empty()) return fail(ErrorKind::kIo, "cannot reach rotad at x: gone");
    auto [status, body] = replies.front();
    replies.pop_front();
    return Reply{status, Secret(body)};
  }
  // The body byte by byte: events must not depend on their pieces.
  Result<Reply> stream(const Request& request, const Take& take) override {
    ROTA_ASSIGN(Reply reply, send(request));
    if (reply.status != 200) return reply;
    for (const char& byte : reply.body.reveal()) ROTA_TRY(take({&byte, 1}));
    return Reply{reply.status, Secret()};
  }
  std::deque<std::pair<int, std::string>> replies;
  std::vector<Request> requests;
};

class GatheredOutput : public Output {
 public:
  Result<void> out(std::string_view text) override {
    if (broken) return fail(ErrorKind::kIo, "cannot write: No space left on device");
    printed += text;
    return {};
  }
  void err(std::string_view line) override { said.emplace_back(line); }
  bool has_colours() const override { return colours; }
  int begin_work() override {
    ++works;
    return -1;
  }
  void working(std::string_view what, std::string_view goes_on) override {
    EXPECT_EQ(works, 1);
    progress.emplace_back(what, goes_on);
  }
  void end_work() override { --works; }
  bool colours = false;
  int works = 0;
  std::vector<std::pair<std::string, std::string>> progress;
  bool broken = false;
  std::string printed;
  std::vector<std::string> said;
};

class ScriptedConsole : public Console {
 public:
  bool is_there() const override { return answer.has_value(); }
  Result<std::string> ask(std::string_view) override { return *answer; }
  Result<Secret> ask_unseen(std::string_view) override { return Secret(*answer); }
  std::optional<std::string> answer;  // none: nobody is there
};

class Commands : public ::testing::Test {
 protected:
  ExitCode run_it(Command command, bool json = false) {
    return run(Options{.command = std::move(command), .json = json, .socket = "x"}, transport_,
               output_, console_, [] { return *parse_iso8601("2024-03-20T16:42:10Z"); });
  }
  ScriptedTransport transport_;
  GatheredOutput output_;
  ScriptedConsole console_;
  const MemberKey key_ = *MemberKey::parse("id:42");
};

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

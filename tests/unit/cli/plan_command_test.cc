#include "cli/plan_command.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <deque>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "cli/plan_screen.h"
#include "support/temp_directory.h"

namespace rota::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kStatus =
    R"({"upstream":{"window_limit":1200,"window_ms":300000},"first_issues":{"a_window":900},)"
    R"("guard":{"max_retire_count":1,"max_retire_fraction":0.5},"upkeep":{"fits":10800}})";

class ScriptedTransport : public Transport {
 public:
  Result<Reply> send(const Request& request) override {
    targets.push_back(request.target);
    if (replies.empty()) return fail(ErrorKind::kIo, "cannot reach rotad at x: gone");
    auto [status, body] = replies.front();
    replies.pop_front();
    return Reply{status, Secret(body)};
  }
  Result<Reply> stream(const Request& request, const Take&) override { return send(request); }
  std::deque<std::pair<int, std::string>> replies;
  std::vector<std::string> targets;
};

class GatheredOutput : public Output {
 public:
  Result<void> out(std::string_view text) override {
    printed += text;
    return {};
  }
  void err(std::string_view line) override { said.emplace_back(line); }
  std::string printed;
  std::vector<std::string> said;
};

std::string entry(int id, std::string_view more = "") {
  return fmt::format("[[member]]\ncommunity_member_id = {}\n{}", id, more);
}
std::string in_force(int id, std::string_view name) {
  return fmt::format(
      R"({{"key":"id:{0}","keys":["id:{0}"],"state":"active","name":"{1}","entries":)"
      R"([{{"key":"id:{0}","name":"{1}","tags":[],"retired":false}}],"enrolments":[],)"
      R"("community_member_id":{0}}})",
      id, name);
}

class PlanCommandTest : public ::testing::Test {
 protected:
  std::string write(const std::string& name, std::string_view text) const {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.string();
  }
  void configure(const std::string& roster) {
    command_.config =
        write("rotad.toml", "[roster]\npath = \"" + (folder_ / roster).string() + "\"\n");
  }
  ExitCode run(bool as_json = false) {
    output_ = {};
    return run_plan(command_, as_json, transport_, output_,
                    [] { return *parse_iso8601("2024-03-20T16:42:10Z"); });
  }
  testing::TempDirectory folder_;
  PlanCommand command_;
  ScriptedTransport transport_;
  GatheredOutput output_;
};

TEST_F(PlanCommandTest, TheDaemonSaysWhatIsOnDiskAndTheFilesHaveTheNames) {
  configure("roster.toml");
  write("roster.toml", entry(1, "name = \"Ada\"\n"));
  const std::string plan =
      R"({"id":"3f","held":false,"add":["id:1"],"retire":["id:2"],"change":[],"calls":3})";
  transport_.replies = {{200, kStatus}, {200, plan}, {200, in_force(2, "Bob")}};
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_THAT(transport_.targets,
              ElementsAre("/v1/status", "/v1/roster/plan", "/v1/members/id%3A2"));
  EXPECT_THAT(output_.printed, HasSubstr("id:1  Ada\n"));
  EXPECT_THAT(output_.printed, HasSubstr("id:2  Bob\n"));
  EXPECT_THAT(output_.printed, HasSubstr("more than 1 and more than 50 % of all"));
  transport_.replies = {{200, kStatus}, {200, plan}};
  EXPECT_EQ(run(true), ExitCode::kDone);
  EXPECT_EQ(output_.printed, plan + "\n") << "as the daemon has it";
}

// Of each leaver that is shown, unless the roster on disk has its name.
TEST_F(PlanCommandTest, TheDaemonIsAskedOnlyForNamesThatAreShownAndNotKnown) {
  configure("roster.toml");
  write("roster.toml", entry(1, "name = \"Ada\"\nretired = true\n"));
  std::string leavers;
  for (int id = 1; id <= 30; ++id) leavers += fmt::format("{}\"id:{}\"", id == 1 ? "" : ",", id);
  const std::string plan =
      R"({"id":"3f","held":true,"add":[],"change":[],"calls":60,"retire":[)" + leavers + "]}";
  transport_.replies = {{200, kStatus}, {200, plan}};
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_EQ(transport_.targets.size(), 2 + kPlanKeysShown - 1);
  EXPECT_EQ(transport_.targets.at(2), "/v1/members/id%3A2") << "id:1 has its name on disk";
  EXPECT_THAT(output_.printed, HasSubstr("--all shows them"));
  transport_.targets.clear();
  transport_.replies = {{200, kStatus}, {200, plan}};
  command_.all = true;
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_EQ(transport_.targets.size(), 2 + 30U - 1);
  EXPECT_THAT(output_.printed, HasSubstr("id:30\n"));
}

TEST_F(PlanCommandTest, ARosterThatIsOneFileTakesOneFileInItsPlace) {
  configure("roster.toml");
  write("roster.toml", entry(1));
  command_.files = {write("a.toml", entry(1)), write("b.toml", entry(2))};
  transport_.replies = {{200, kStatus}};
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(output_.said, ElementsAre(HasSubstr("give one FILE in its place")));
}

TEST_F(PlanCommandTest, AFileIsComparedWithWhatIsInForceBeforeItIsInPlace) {
  configure("roster.toml");
  write("roster.toml", entry(1) + entry(2) + entry(3));
  command_.files = {write("new.toml", entry(3, "name = \"Cleo\"\n") + entry(4))};
  // Two pages.
  transport_.replies = {{200, kStatus},
                        {200, "{\"members\":[" + in_force(1, "Ada") + "," + in_force(2, "Bob") +
                                  "],\"next\":\"id:2\"}"},
                        {200, "{\"members\":[" + in_force(3, "") + "],\"next\":null}"}};
  EXPECT_EQ(run(), ExitCode::kDone);
  EXPECT_THAT(output_.printed,
              HasSubstr("new.toml in place of " + (folder_ / "roster.toml").string()));
  EXPECT_THAT(output_.printed,
              HasSubstr("  retire      2  id:1  Ada\n                 id:2  Bob\n"));
  EXPECT_THAT(output_.printed, HasSubstr("  add         1  id:4\n"));
  EXPECT_THAT(output_.printed, HasSubstr("  change      1  id:3  Cleo\n"));
  EXPECT_THAT(output_.printed, HasSubstr("would HOLD")) << "by the daemon's guard";
  EXPECT_THAT(output_.printed, HasSubstr("5 calls to Circle, about 1 min"));
  EXPECT_THAT(output_.printed, HasSubstr("keeps 10,800 members fresh; this roster has 2"));
}

TEST_F(PlanCommandTest, AFileStandsBesideTheOthersOfItsFolder) {
  configure("roster.d");
  write("roster.d/a.toml", entry(1));
  write("roster.d/b.toml", entry(2));
  write("roster.d/notes.txt", "not of the roster");
  command_.files = {write("drafts/b.toml", entry(3))};
  const std::string page =
      "{\"members\":[" + in_force(1, "") + "," + in_force(2, "") + "],\"next\":null}";
  transport_.replies = {{200, kStatus}, {200, page}};
  EXPECT_EQ(run(true), ExitCode::kDone);
  const auto plan = boost::json::parse(output_.printed).as_object();
  EXPECT_EQ(boost::json::serialize(plan.at("add")), R"(["id:3"])");
  EXPECT_EQ(boost::json::serialize(plan.at("retire")), R"(["id:2"])");
  EXPECT_EQ(plan.at("held"), false) << "one is not more than one";
  command_.files = {write("drafts/c.txt", entry(3))};
  transport_.replies = {{200, kStatus}};
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(output_.said, ElementsAre(HasSubstr("end in .toml")));
  // The whole roster.
  command_.files = {(folder_ / "drafts").string()};
  transport_.replies = {{200, kStatus}, {200, page}};
  EXPECT_EQ(run(true), ExitCode::kDone);
  EXPECT_EQ(boost::json::serialize(boost::json::parse(output_.printed).at("retire")),
            R"(["id:1","id:2"])");
}

TEST_F(PlanCommandTest, WithoutTheDaemonItSaysWhatTheFilesTellAndFails) {
  configure("roster.toml");
  write("roster.toml", entry(1) + entry(2, "retired = true\n"));
  EXPECT_EQ(run(), ExitCode::kUnreachable);
  EXPECT_THAT(output_.said, ElementsAre(HasSubstr("cannot reach rotad")));
  EXPECT_THAT(output_.printed, HasSubstr("good: 2 entries, 1 of them retired"));
  EXPECT_THAT(output_.printed, HasSubstr("at most 1 call to Circle"));
  EXPECT_THAT(output_.printed, HasSubstr("NOT KNOWN"));
  EXPECT_EQ(run(true), ExitCode::kUnreachable);
  EXPECT_EQ(output_.printed, "{\"entries\":2,\"wanted\":1,\"fits\":10692}\n");
  write("roster.toml", "[[member]]\nid = 1\n");
  EXPECT_EQ(run(), ExitCode::kFailed);
  EXPECT_THAT(output_.said, ElementsAre(HasSubstr("cannot reach"), HasSubstr("roster.toml:2")));
  // Nobody knows where the roster is.
  command_.config.clear();
  EXPECT_EQ(run(), ExitCode::kUnreachable);
  EXPECT_THAT(output_.printed, IsEmpty());
}

TEST_F(PlanCommandTest, RefusesAListThatItDoesNotUnderstand) {
  configure("roster.toml");
  command_.files = {write("new.toml", entry(1))};
  for (
      const char* member :
      {R"({"key":"id:1","keys":["id:1"],"state":"active","enrolments":[]})", R"(7)",
       R"({"key":"id:1","keys":["id:1"],"state":"new","entries":[],"enrolments":[]})",
       R"({"key":"id:1","keys":[],"state":"active","entries":[],"enrolments":[]})",
       R"({"key":"id:1","keys":["id:1"],"state":"active","entries":[{"key":"id:2"}],"enrolments":[]})"}) {
    transport_.replies = {{200, kStatus},
                          {200, fmt::format(R"({{"members":[{}],"next":null}})", member)}};
    EXPECT_EQ(run(), ExitCode::kFailed) << member;
    EXPECT_THAT(output_.printed, IsEmpty()) << member;
  }
}

TEST_F(PlanCommandTest, P10RepeatsNoPathThatMayBeASecret) {
  constexpr const char* kSecret = "qT7mZx2LpV9kRb4NwYc8HdJ6sGfE3uAaKo5Bi1Xt";
  command_.files = {kSecret};
  transport_.replies = {{200, kStatus}};
  EXPECT_EQ(run(), ExitCode::kFailed);
  for (const std::string& line : output_.said) EXPECT_THAT(line, Not(HasSubstr(kSecret)));
  command_.files.clear();
  command_.config = kSecret;
  EXPECT_EQ(run(), ExitCode::kFailed);
  for (const std::string& line : output_.said) EXPECT_THAT(line, Not(HasSubstr(kSecret)));
}

}  // namespace
}  // namespace rota::cli

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "e2e/box.h"

// Two daemons of one machine that share a budget.

namespace rota::e2e {
namespace {

constexpr int kMembersOfEach = 15;
constexpr int kCalls = 30;  // of both in a window; Circle refuses one more

std::string roster_of(int first) {
  std::string text;
  for (int member = first; member < first + kMembersOfEach; ++member) {
    text += fmt::format("[[member]]\ncommunity_member_id = {}\n", member);
  }
  return text;
}

class BudgetGroup : public ::testing::Test {
 protected:
  BudgetGroup() {
    std::filesystem::create_directory(group_folder());
    prepare(box_.daemon, 1);
    other_.base_url = box_.sandbox.url();
    prepare(other_, 1 + kMembersOfEach);
  }
  std::filesystem::path group_folder() const { return box_.folder.path() / "budget"; }
  void prepare(Daemon& daemon, int first) {
    daemon.upstream["requests_per_window"] = std::to_string(kCalls);
    daemon.upstream["window"] = "\"8s\"";
    daemon.upstream["budget_group"] = fmt::format("\"{}\"", (group_folder() / "circle").string());
    daemon.write_roster(roster_of(first));
  }
  static std::int64_t fresh(const Daemon& daemon) {
    return daemon.admin(get("/v1/status")).json().at("members").at("fresh").as_int64();
  }
  static boost::json::value group(const Daemon& daemon) {
    return daemon.admin(get("/v1/status")).json().at("upstream").at("budget_group");
  }

  Box box_{{"--members", std::to_string(2 * kMembersOfEach), "--access-ttl", "40s", "--refresh-ttl",
            "10m", "--rate-limit", std::to_string(kCalls), "--rate-window", "8s"}};
  Daemon other_{box_.folder.path() / "other"};
};

// Alone, each would make all of the calls at once; together they would be refused.
TEST_F(BudgetGroup, P7TwoDaemonsStayWithinOneBudgetThroughKill9) {
  ASSERT_TRUE(box_.daemon.start());
  ASSERT_TRUE(other_.start());
  ASSERT_TRUE(eventually([&] { return group(other_).at("members").as_int64() == 2; }));
  EXPECT_EQ(group(other_).at("name").as_string(), "circle");
  EXPECT_EQ(group(other_).at("share").as_int64(), kCalls / 2);
  ASSERT_TRUE(eventually([&] { return box_.sandbox.calls() > kMembersOfEach / 2; }));
  for (int i = 0; i < 3; ++i) {
    other_.kill9();
    ASSERT_TRUE(other_.start());
    const auto calls = box_.sandbox.calls();
    // Both want more than they get: all of their tokens are to be new.
    for (int member = 1; member <= kMembersOfEach; ++member) {
      box_.daemon.admin(post(fmt::format("/v1/members/id:{}/rotate", member), ""));
    }
    ASSERT_TRUE(eventually([&] { return box_.sandbox.calls() >= calls + 10; }));
  }
  ASSERT_TRUE(eventually(
      [&] { return fresh(box_.daemon) == kMembersOfEach && fresh(other_) == kMembersOfEach; }));
  const auto rate = box_.sandbox.stats().at("rate");
  EXPECT_EQ(rate.at("throttled").as_int64(), 0) << rate;
  EXPECT_LE(rate.at("peak").as_int64(), kCalls);
}

TEST_F(BudgetGroup, AFileThatCannotBeUsedIsSaidAndLeavesASafePart) {
  ASSERT_TRUE(box_.daemon.start());
  const auto is_ready = [&] { return box_.daemon.admin(get("/readyz")).status == 200; };
  ASSERT_TRUE(eventually(is_ready));
  ASSERT_EQ(box_.daemon.stop(), 0);
  std::filesystem::path file;
  for (const auto& each : std::filesystem::directory_iterator(group_folder())) file = each.path();
  ASSERT_TRUE(file.filename().string().starts_with("circle."));
  std::filesystem::resize_file(file, 10);
  ASSERT_TRUE(box_.daemon.start());
  const Reply reply = box_.daemon.admin(get("/readyz"));
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.body, ::testing::HasSubstr("budget_group_unavailable"));
  EXPECT_THAT(std::string(group(box_.daemon).at("trouble").as_string()),
              ::testing::HasSubstr("has another size"));
  EXPECT_EQ(group(box_.daemon).at("window_limit").as_int64(), 2) << "at most a sixteenth, or two";
  EXPECT_EQ(box_.daemon.fetch("community_member_id=1").status, 200) << "tokens are served on";
  // The remedy that the message names.
  std::filesystem::remove(file);
  EXPECT_TRUE(eventually(is_ready));
  EXPECT_EQ(group(box_.daemon).at("window_limit").as_int64(), kCalls);
  // Somebody removes it under the running daemon: it makes another one, which has its calls.
  const auto used = group(box_.daemon).at("own").as_int64();
  std::filesystem::remove(file);
  box_.daemon.admin(post("/v1/members/id:1/rotate", ""));
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(file); }));
  EXPECT_GE(group(box_.daemon).at("own").as_int64(), std::min<std::int64_t>(used, 1));
}

}  // namespace
}  // namespace rota::e2e

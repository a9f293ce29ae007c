#include "cli/doctor_machine.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "support/temp_directory.h"

namespace rota::cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* kCircle = "https://app.circle.so";
constexpr Duration kWindow = std::chrono::minutes{5};

TEST(JudgeDisk, ByTheRoomThatIsLeft) {
  constexpr std::uint64_t kMebibyte = 1U << 20U;
  EXPECT_EQ(judge_disk("/x", {.bytes = 512 * kMebibyte}).state, FindingState::kGood);
  EXPECT_EQ(judge_disk("/x", {.bytes = 512 * kMebibyte - 1}).state, FindingState::kNote);
  EXPECT_EQ(judge_disk("/x", {.bytes = 64 * kMebibyte}).state, FindingState::kNote);
  EXPECT_EQ(judge_disk("/x", {.bytes = 64 * kMebibyte - 1}).state, FindingState::kWrong);
  EXPECT_EQ(judge_disk("/x", {.bytes = 512 * kMebibyte, .has_inodes = false}).state,
            FindingState::kWrong);
}

TEST(RoomAt, AsksTheNearestFolderThatExists) {
  const testing::TempDirectory folder;
  const auto here = room_at(folder.path().string());
  ASSERT_TRUE(here);
  EXPECT_GT(here->bytes, 0U);
  EXPECT_TRUE(room_at((folder / "not" / "there" / "rota.db").string()));
}

TEST(JudgeClockService, IsANoteOnlyIfTheKernelSaysThatNothingKeepsIt) {
  EXPECT_EQ(judge_clock_service(true), std::nullopt);
  EXPECT_EQ(judge_clock_service(std::nullopt), std::nullopt);
  ASSERT_TRUE(judge_clock_service(false));
  EXPECT_EQ(judge_clock_service(false)->state, FindingState::kNote);
}

TEST(LookUp, AnAddressNeedsNoName) {
  EXPECT_EQ(look_up("http://127.0.0.1:8080"), std::nullopt);
  EXPECT_EQ(look_up("http://[::1]:8080/x"), std::nullopt);
}

// RFC 6761: no resolver finds it.
TEST(LookUp, SaysThatANameHasNoAddress) {
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);  // rotad uses none
  const auto found = look_up("https://circle.invalid:443/x");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->state, FindingState::kWrong);
  EXPECT_THAT(found->text, HasSubstr("circle.invalid has no address"));
  EXPECT_THAT(found->remedy, HasSubstr("getent hosts circle.invalid"));
  ::unsetenv("https_proxy");
}

TEST(JudgeBudgets, AGroupCountsOnce) {
  const OtherDaemon one{
      .pid = 7, .base_url = kCircle, .calls = 1'800, .window = kWindow, .budget_file = "/x/circle"};
  OtherDaemon other = one;
  other.pid = 8;
  const auto both = judge_budgets(kCircle, {one, other});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->state, FindingState::kGood);
  EXPECT_THAT(both->text, HasSubstr("2 rotads of this machine (7, 8) may make 1,800 calls"));
  other.calls = 100;
  EXPECT_EQ(judge_budgets(kCircle, {one, other})->state, FindingState::kNote);
  EXPECT_THAT(judge_budgets(kCircle, {one, other})->remedy, HasSubstr("the least counts"));
  EXPECT_THAT(judge_budgets(kCircle, {other, one})->text, HasSubstr("1,800 calls"));
  const OtherDaemon alone{.pid = 9, .base_url = kCircle, .calls = 300, .window = kWindow};
  const auto three = judge_budgets(kCircle, {one, other, alone});
  EXPECT_EQ(three->state, FindingState::kWrong);
  EXPECT_THAT(three->text, HasSubstr("may make 2,100 calls"));
  EXPECT_THAT(three->remedy, HasSubstr("budget_group"));
}

TEST(JudgeBudgets, AddsUpThoseThatCallTheSameServer) {
  const OtherDaemon one{.pid = 7, .base_url = kCircle, .calls = 1'200, .window = kWindow};
  OtherDaemon other{.pid = 8, .base_url = kCircle, .calls = 160, .window = kWindow / 5};
  EXPECT_EQ(judge_budgets(kCircle, {}), std::nullopt);
  EXPECT_EQ(judge_budgets(kCircle, {one}), std::nullopt);
  const auto both = judge_budgets(kCircle, {one, other});
  ASSERT_TRUE(both);
  EXPECT_EQ(both->state, FindingState::kNote) << "2,000 are allowed";
  EXPECT_THAT(both->text, HasSubstr("2 rotads of this machine (7, 8) may make 2,000 calls"));
  other.calls = 161;
  EXPECT_EQ(judge_budgets(kCircle, {one, other})->state, FindingState::kWrong);
  EXPECT_THAT(judge_budgets(kCircle, {one, other})->remedy, HasSubstr("1,800 in all"));
  EXPECT_EQ(judge_budgets("http://127.0.0.1:1", {one, other}), std::nullopt);
  other.base_url = "http://127.0.0.1:1";
  EXPECT_EQ(judge_budgets(kCircle, {one, other}), std::nullopt);
  const OtherDaemon greedy{.pid = 9, .base_url = kCircle, .calls = 2'001, .window = kWindow};
  const auto alone = judge_budgets(kCircle, {greedy});
  ASSERT_TRUE(alone);
  EXPECT_EQ(alone->state, FindingState::kWrong);
}

}  // namespace
}  // namespace rota::cli

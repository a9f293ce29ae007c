#include "rotator/budget_file.h"

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

#include "support/temp_directory.h"

namespace rota {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr Duration kWindow{300'000};
constexpr std::size_t kLimit = 160;
constexpr BootTime kNow{Duration{1'000'000}};
constexpr CallCounts kOneForAClient{1, 0, 0, 0};

class BudgetFileTest : public ::testing::Test {
 protected:
  BudgetFile::Place place(std::string identity, std::string boot = "0f") const {
    return {.path = (folder_.path() / "circle").string(),
            .identity = std::move(identity),
            .boot = std::move(boot),
            .terms = {.limit = kLimit, .window = kWindow}};
  }
  std::filesystem::path file(const std::string& boot = "0f") const {
    return folder_.path() / ("circle." + boot);
  }
  static std::size_t take(SharedBudget& budget, std::size_t calls, BootTime now = kNow) {
    std::size_t got = 0;
    while (got < calls && sum_of(budget.take(kOneForAClient, now)) == 1) ++got;
    return got;
  }

  testing::TempDirectory folder_;
};

TEST_F(BudgetFileTest, TwoShareOneBudget) {
  BudgetFile one(place("one"), kNow);
  BudgetFile other(place("other"), kNow);
  EXPECT_EQ(take(one, 10), 10U);
  const auto seen = other.view(kNow);
  EXPECT_THAT(seen.trouble, IsEmpty());
  EXPECT_EQ(seen.name, "circle");
  EXPECT_EQ(seen.limit, kLimit);
  EXPECT_EQ(seen.used, 10U);
  EXPECT_EQ(seen.own, 0U);
  EXPECT_EQ(seen.members, 2U);
  EXPECT_EQ(seen.share, kLimit / 2);
}

TEST_F(BudgetFileTest, P7Kill9FreesNoCallAndNeedsNoRepair) {
  BudgetFile one(place("one"), kNow);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    BudgetFile doomed(place("doomed"), kNow);
    const char done = take(doomed, 20) == 20 ? 'y' : 'n';
    (void)!::write(ready[1], &done, 1);
    ::pause();
    ::_exit(0);
  }
  char done = 0;
  ASSERT_EQ(::read(ready[0], &done, 1), 1);
  ASSERT_EQ(done, 'y');
  EXPECT_EQ(one.view(kNow).members, 2U);
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_EQ(one.view(kNow).members, 1U);
  EXPECT_EQ(one.view(kNow + kWindow).used, 20U) << "they count from its death on";
  EXPECT_EQ(one.view(kNow + kWindow + Duration{1}).used, 0U);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_F(BudgetFileTest, AStoppedOneHoldsNobodyUp) {
  BudgetFile one(place("one"), kNow);
  const pid_t child = ::fork();
  if (child == 0) {
    BudgetFile busy(place("busy"), kNow);
    while (true) {
      busy.give_back(take(busy, 5));
    }
  }
  for (int i = 0; i < 50; ++i) {
    ::kill(child, SIGSTOP);
    ASSERT_EQ(::waitpid(child, nullptr, WUNTRACED), child);
    EXPECT_EQ(take(one, 10), 10U);
    one.give_back(10);
    ::kill(child, SIGCONT);
  }
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST_F(BudgetFileTest, P7ARebootCarriesTheCallsOver) {
  {
    BudgetFile one(place("one"), kNow);
    ASSERT_EQ(take(one, 30), 30U);
  }
  BudgetFile again(place("one", "1f"), BootTime{Duration{20'000}});
  EXPECT_EQ(again.view(BootTime{kWindow}).used, 30U);
  EXPECT_EQ(again.view(BootTime{kWindow}).own, 30U);
  EXPECT_EQ(again.view(BootTime{kWindow + Duration{1}}).used, 0U);
  EXPECT_FALSE(std::filesystem::exists(file()));
  EXPECT_TRUE(std::filesystem::exists(file("1f")));
}

TEST_F(BudgetFileTest, WithoutItsFileItTakesASixteenthUntilItIsBack) {
  std::ofstream(file()) << "this is no sheet";
  BudgetFile one(place("one"), kNow);
  EXPECT_THAT(one.view(kNow).trouble, HasSubstr("has another size"));
  EXPECT_EQ(take(one, kLimit), kLimit / BudgetSheet::kMembersMax);
  EXPECT_FALSE(one.lost(kNow + Duration{4'999}));
  std::filesystem::remove(file());
  EXPECT_TRUE(one.lost(kNow + Duration{5'000}));
  EXPECT_THAT(one.view(kNow).trouble, IsEmpty());
  one.recall(std::vector<BootTime>(7, kNow), 3, kNow);
  BudgetFile other(place("other"), kNow);
  EXPECT_EQ(other.view(kNow).used, 10U) << "what it did meanwhile counts for all";
}

TEST_F(BudgetFileTest, SaysWhyItCannotUseTheFile) {
  BudgetFile::Place nowhere = place("one");
  nowhere.path = (folder_.path() / "no" / "circle").string();
  EXPECT_THAT(BudgetFile(nowhere, kNow).view(kNow).trouble, HasSubstr("No such file or directory"));
  {
    const BudgetFile one(place("one"), kNow);
  }
  std::fstream damaged(file(), std::ios::in | std::ios::out | std::ios::binary);
  damaged.seekp(-8, std::ios::end);
  damaged << "\xff\xff\xff\xff\xff\xff\xff\xff" << std::flush;
  EXPECT_THAT(BudgetFile(place("one"), kNow).view(kNow).trouble, HasSubstr("is damaged"));
  std::filesystem::remove(file());
  std::filesystem::create_symlink("/etc/hostname", file());
  EXPECT_THAT(BudgetFile(place("one"), kNow).view(kNow).trouble, HasSubstr("cannot open"));
}

TEST_F(BudgetFileTest, ARemovedFileIsMadeAgain) {
  BudgetFile one(place("one"), kNow);
  BudgetFile other(place("other"), kNow);
  EXPECT_FALSE(one.lost(kNow));
  std::filesystem::remove(file());
  EXPECT_TRUE(one.lost(kNow));
  EXPECT_TRUE(other.lost(kNow));
  EXPECT_FALSE(one.lost(kNow));
  ASSERT_EQ(take(one, 3), 3U);
  EXPECT_EQ(other.view(kNow).used, 3U);
}

}  // namespace
}  // namespace rota

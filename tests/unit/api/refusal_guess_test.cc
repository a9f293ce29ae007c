#include "api/refusal_guess.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr RefusalGuess::Client kWeb = 1;
constexpr RefusalGuess::Client kCron = 2;
constexpr MemberId kAda{1};
constexpr MemberId kGrace{2};
constexpr Fingerprint kOld = 10;
constexpr Fingerprint kNew = 11;

class RefusalGuessTest : public ::testing::Test {
 protected:
  // A client asks for a token, and is given `token` unless that is in doubt.
  bool mint(Fingerprint token, RefusalGuess::Client client = kWeb, MemberId member = kAda) {
    if (guess.doubts(client, member, token, now)) return true;
    guess.note_given(client, member, token, now);
    return false;
  }
  // It asks for a refresh; whether that counts as refused. It is given `next` then.
  bool refresh(Fingerprint token, Fingerprint next, RefusalGuess::Client client = kWeb) {
    const bool refused = guess.refuses(client, kAda, token, now);
    guess.note_given(client, kAda, refused ? next : token, now);
    return refused;
  }

  RefusalGuess guess;
  BootTime now{hours{5}};
};

TEST_F(RefusalGuessTest, TheThirdTimeWithinAMinuteIsADoubt) {
  EXPECT_FALSE(mint(kOld));
  EXPECT_FALSE(mint(kOld));
  EXPECT_TRUE(mint(kOld));
}

TEST_F(RefusalGuessTest, AMinuteLaterItIsNone) {
  EXPECT_FALSE(mint(kOld));
  now += seconds{30};
  EXPECT_FALSE(mint(kOld));
  now += seconds{30} + milliseconds{1};
  EXPECT_FALSE(mint(kOld)) << "the first time is more than a minute ago";
  now += seconds{30} - milliseconds{1};
  EXPECT_TRUE(mint(kOld));
}

TEST_F(RefusalGuessTest, ExactlyAMinuteCounts) {
  EXPECT_FALSE(mint(kOld));
  EXPECT_FALSE(mint(kOld));
  now += minutes{1};
  EXPECT_TRUE(mint(kOld));
}

TEST_F(RefusalGuessTest, AnotherTokenBeginsAnew) {
  EXPECT_FALSE(mint(kOld));
  EXPECT_FALSE(mint(kOld));
  EXPECT_FALSE(mint(kNew));
  EXPECT_FALSE(mint(kNew));
  EXPECT_TRUE(mint(kNew));
}

TEST_F(RefusalGuessTest, ClientsAndMembersCountForThemselves) {
  EXPECT_FALSE(mint(kOld));
  EXPECT_FALSE(mint(kOld));
  EXPECT_FALSE(mint(kOld, kCron));
  EXPECT_FALSE(mint(kOld, kWeb, kGrace));
  EXPECT_TRUE(mint(kOld));
}

// An app that asks on every page view costs at most four calls an hour.
TEST_F(RefusalGuessTest, AMemberIsInDoubtOnceInAQuarterOfAnHour) {
  int doubts = 0;
  for (int second = 0; second < 3'600; ++second) {
    if (mint(kOld)) ++doubts;
    if (mint(kOld, kCron)) ++doubts;
    now += seconds{1};
  }
  EXPECT_EQ(doubts, 4);
}

TEST_F(RefusalGuessTest, TheQuarterIsExact) {
  mint(kOld);
  mint(kOld);
  EXPECT_TRUE(mint(kOld));
  now += minutes{15} - seconds{2};
  EXPECT_FALSE(mint(kOld));
  EXPECT_FALSE(mint(kOld));
  now += seconds{2} - milliseconds{1};
  EXPECT_FALSE(mint(kOld));
  now += milliseconds{1};
  EXPECT_TRUE(mint(kOld));
}

TEST_F(RefusalGuessTest, ARefreshByWhoHasThePresentTokenIsARefusal) {
  EXPECT_FALSE(refresh(kOld, kNew)) << "it was not given the token";
  EXPECT_TRUE(refresh(kOld, kNew));
  now += minutes{1} - milliseconds{1};
  EXPECT_FALSE(refresh(kNew, kNew)) << "not twice a minute";
  now += milliseconds{1};
  EXPECT_TRUE(refresh(kNew, kOld));
}

TEST_F(RefusalGuessTest, ARefreshByWhoHasAnEarlierTokenIsNone) {
  mint(kOld);
  EXPECT_FALSE(refresh(kNew, kOld));
  EXPECT_FALSE(refresh(kOld, kNew, kCron)) << "another client";
}

TEST_F(RefusalGuessTest, KeepsSoManyAndForgetsTheOldest) {
  mint(kOld);
  mint(kOld);
  for (std::size_t i = 0; i < 8 * RefusalGuess::kGivenMax; ++i) {
    now += milliseconds{1};
    mint(kOld, kWeb, MemberId{static_cast<std::int64_t>(100 + i)});
  }
  now -= milliseconds{8 * RefusalGuess::kGivenMax};
  EXPECT_FALSE(mint(kOld)) << "it was pushed out, so it counts anew";
  EXPECT_FALSE(mint(kOld));
  EXPECT_TRUE(mint(kOld));
}

// However many members there are, no member has doubts closer together.
TEST_F(RefusalGuessTest, HasNoDoubtIfItCannotRememberIt) {
  std::size_t doubts = 0;
  constexpr std::size_t kMany = 4 * RefusalGuess::kMembersMax;
  const auto round = [&] {
    for (std::size_t i = 1; i <= kMany; ++i) {
      const MemberId member{static_cast<std::int64_t>(i)};
      for (int time = 0; time < 3; ++time) doubts += mint(kOld, kWeb, member) ? 1 : 0;
    }
  };
  round();
  EXPECT_EQ(doubts, RefusalGuess::kMembersMax);
  round();
  EXPECT_EQ(doubts, RefusalGuess::kMembersMax);
  now += minutes{15};
  round();
  EXPECT_EQ(doubts, 2 * RefusalGuess::kMembersMax);
}

}  // namespace
}  // namespace rota

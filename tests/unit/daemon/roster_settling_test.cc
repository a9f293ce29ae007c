#include "daemon/roster_settling.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

using Advice = RosterSettling::Advice;
using Touch = RosterSettling::Touch;

constexpr Duration kTick{1};
constexpr BootTime kStart{std::chrono::hours{1}};
const RosterSettling::File kFile{1, "roster.toml"};
const RosterSettling::File kOtherFile{1, "more.toml"};

// The stamp of a roster that was written so many times.
RosterStamp stamp(std::int64_t written) {
  FileStamp file;
  file.path = "roster.toml";
  file.written_ns = written;
  return {file};
}

class RosterSettlingTest : public testing::Test {
 protected:
  Advice touch(Touch how, const RosterSettling::File& file = kFile) {
    settling.note(file, how);
    return settling.touched(now);
  }
  // Asserts that it is read `after` from now, and not a tick earlier.
  void expect_read_after(Duration after, const RosterStamp& as) {
    now += after - kTick;
    EXPECT_EQ(settling.due_now(as, now), Advice::kWait);
    now += kTick;
    EXPECT_EQ(settling.due(), now);
    EXPECT_EQ(settling.due_now(as, now), Advice::kReadItNow);
    EXPECT_EQ(settling.due(), std::nullopt) << "it has settled";
  }

  BootTime now = kStart;
  RosterSettling settling{stamp(0)};
};

TEST_F(RosterSettlingTest, IsNotReadWhileNothingHappens) {
  EXPECT_EQ(settling.looked(stamp(0), now), Advice::kWait);
  EXPECT_EQ(settling.due(), std::nullopt);
  EXPECT_EQ(settling.due_now(stamp(0), now + std::chrono::hours{1}), Advice::kWait);
}

TEST_F(RosterSettlingTest, IsReadOnceNobodyHasTouchedItForAWhile) {
  EXPECT_EQ(touch(Touch::kOther), Advice::kWait);
  now += RosterSettling::kSettle - kTick;
  EXPECT_EQ(touch(Touch::kClosed), Advice::kWait) << "the wait begins anew with each touch";
  expect_read_after(RosterSettling::kSettle, stamp(1));
}

TEST_F(RosterSettlingTest, AFileThatIsBeingWrittenIsLeftAloneUntilItIsClosed) {
  touch(Touch::kWritten);
  now += RosterSettling::kWriterMax - kTick;
  EXPECT_EQ(settling.due_now(stamp(1), now), Advice::kWait);
  touch(Touch::kClosed);
  expect_read_after(RosterSettling::kSettle, stamp(2));
}

TEST_F(RosterSettlingTest, AWriterThatKeepsItOpenIsWaitedForOnlySoLong) {
  touch(Touch::kWritten);
  touch(Touch::kOther);
  expect_read_after(RosterSettling::kWriterMax, stamp(1));
  touch(Touch::kOther);
  expect_read_after(RosterSettling::kSettle, stamp(1));
}

TEST_F(RosterSettlingTest, EachFileThatIsBeingWrittenCounts) {
  touch(Touch::kWritten);
  touch(Touch::kWritten, kOtherFile);
  touch(Touch::kClosed);
  EXPECT_EQ(settling.due(), now + RosterSettling::kWriterMax);
  touch(Touch::kClosed, kOtherFile);
  EXPECT_EQ(settling.due(), now + RosterSettling::kSettle);
}

TEST_F(RosterSettlingTest, IfEventsWereLostNobodyIsWaitedFor) {
  touch(Touch::kWritten);
  settling.note_lost();
  EXPECT_EQ(settling.touched(now), Advice::kWait);
  expect_read_after(RosterSettling::kSettle, stamp(1));
}

TEST_F(RosterSettlingTest, AChangeThatNoEventToldOfIsReadOnceTheStampStaysTheSame) {
  EXPECT_EQ(settling.looked(stamp(1), now), Advice::kWait);
  now += RosterSettling::kSettle;
  EXPECT_EQ(settling.due_now(stamp(2), now), Advice::kWait) << "it goes on";
  expect_read_after(RosterSettling::kSettle, stamp(2));
  EXPECT_EQ(settling.looked(stamp(2), now), Advice::kWait);
  EXPECT_EQ(settling.due(), std::nullopt) << "this one has been read";
}

// Events tell whether it goes on, so another stamp is only what they told of.
TEST_F(RosterSettlingTest, AChangeByEventsIsReadWhateverTheStampSays) {
  settling.looked(stamp(1), now);
  touch(Touch::kClosed);
  expect_read_after(RosterSettling::kSettle, stamp(2));
}

TEST_F(RosterSettlingTest, AChangeWhileItIsReadIsReadAgain) {
  touch(Touch::kClosed);
  expect_read_after(RosterSettling::kSettle, stamp(1));
  EXPECT_EQ(settling.looked(stamp(2), now), Advice::kWait);
  expect_read_after(RosterSettling::kSettle, stamp(2));
}

TEST_F(RosterSettlingTest, OneThatChangesAllTheTimeIsToldOfOnce) {
  // Touches it up to `end`, so often that it does not settle. How often that was told of:
  const auto keep_touching_until = [this](BootTime end) {
    int told = 0;
    for (;;) {
      told += touch(Touch::kClosed) == Advice::kTellOfIt ? 1 : 0;
      if (now == end) return told;
      now = std::min(end, now + RosterSettling::kSettle - kTick);
    }
  };
  EXPECT_EQ(keep_touching_until(kStart + RosterSettling::kUnsettledMax), 0);
  EXPECT_EQ(keep_touching_until(now + kTick), 1);
  EXPECT_EQ(keep_touching_until(now + 2 * RosterSettling::kUnsettledMax), 0) << "told already";
  expect_read_after(RosterSettling::kSettle, stamp(1));

  now += kTick;
  const BootTime again = now;
  EXPECT_EQ(keep_touching_until(again + RosterSettling::kUnsettledMax), 0);
  EXPECT_EQ(keep_touching_until(now + kTick), 1) << "it is another time";
}

}  // namespace
}  // namespace rota

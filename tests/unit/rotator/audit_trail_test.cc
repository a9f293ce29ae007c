// The trail on its way to a store: written a moment later, not lost when the store fails.

#include "rotator/audit_trail.h"

#include <gmock/gmock.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>

#include "support/memory_store.h"
#include "unit/api/fakes.h"

namespace rota {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

class Trail : public ::testing::Test {
 protected:
  Trail() {
    row_.member = MemberId{1};
    row_.keys = {MemberKey::from_id(42).value()};
    row_.fingerprint = 7;
  }
  ~Trail() override { store_thread_.join(); }

  // All that is on the trail by now, what waits included.
  std::vector<AuditEntry> read() {
    std::optional<Result<AuditPage>> page;
    trail_.read({.limit = 1'000}, [&](Result<AuditPage> read) { page = std::move(read); });
    while (!page) loop_.run_one();
    EXPECT_TRUE(page->has_value());
    return page->value_or(AuditPage{}).entries;
  }

  boost::asio::io_context loop_;
  // What the store thread is about to bring is work that the loop does not know of.
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{
      loop_.get_executor()};
  FakeClock clock_;
  MemoryStore store_;
  std::vector<Notice> told_;
  std::optional<WallTime> confirmed_;  // Circle's time, once a reply came
  Published row_;
  boost::asio::thread_pool store_thread_{1};
  AuditTrail trail_{{.executor = loop_.get_executor(),
                     .clock = clock_,
                     .store = store_,
                     .store_thread = store_thread_,
                     .tell = [this](const Notice& notice) { told_.push_back(notice); },
                     .bounds = {},
                     .confirmed_time = [this] { return confirmed_; }}};
};

TEST_F(Trail, WritesItselfAMomentLater) {
  trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = 700});
  trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = 700});
  trail_.note({.event = AuditEvent::kReloaded, .detail = "why"}, "");
  EXPECT_THAT(store_.audit(), SizeIs(0)) << "nobody waits for it";
  EXPECT_EQ(trail_.health().waiting, 2U);
  while (trail_.health().entries < 2) loop_.run_one();
  ASSERT_THAT(store_.audit(), SizeIs(2));
  const AuditEntry& fetch = store_.audit()[0];
  EXPECT_EQ(fetch.event, AuditEvent::kTokenFetched);
  EXPECT_EQ(fetch.member, "id:42");
  EXPECT_EQ(fetch.caller, (AuditCaller{.uid = 5, .gid = 60, .pid = 700}));
  EXPECT_EQ(fetch.count, 2U);
  EXPECT_EQ(store_.audit()[1].detail, "why");
  EXPECT_EQ(trail_.health().waiting, 0U);
}

TEST_F(Trail, AReaderSeesWhatCameBefore) {
  trail_.note({.event = AuditEvent::kStarted}, "");
  trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = 700});
  EXPECT_THAT(read(), SizeIs(2));
}

// A wall clock far ahead for a moment, before Circle has said what time it is and after.
TEST_F(Trail, AClockThatIsAheadMakesNoEntryOld) {
  constexpr Duration kAhead = std::chrono::days{2'000};
  trail_.note({.event = AuditEvent::kStarted}, "");
  EXPECT_THAT(read(), SizeIs(1));
  const WallTime right = clock_.now().wall;
  clock_.advance(kAhead);
  trail_.note({.event = AuditEvent::kReloaded}, "");
  EXPECT_THAT(read(), SizeIs(2)) << "nobody but this machine says so";
  confirmed_ = right;
  trail_.note({.event = AuditEvent::kReloaded, .detail = "2"}, "");
  EXPECT_THAT(read(), SizeIs(3)) << "Circle says otherwise";
  clock_.advance(std::chrono::hours{1});
  confirmed_ = clock_.now().wall;
  trail_.note({.event = AuditEvent::kReloaded, .detail = "3"}, "");
  EXPECT_THAT(read(), SizeIs(3)) << "both say so";
}

TEST_F(Trail, GoesByAgeOnceAnHour) {
  trail_.note({.event = AuditEvent::kStarted}, "");
  EXPECT_THAT(read(), SizeIs(1));
  clock_.advance(std::chrono::days{50});
  trail_.note({.event = AuditEvent::kReloaded, .detail = "later"}, "");
  EXPECT_THAT(read(), SizeIs(2));
  clock_.advance(std::chrono::days{100});
  confirmed_ = clock_.now().wall;
  trail_.note({.event = AuditEvent::kReloaded, .detail = "1"}, "");
  EXPECT_THAT(read(), SizeIs(2)) << "a day's worth of what was there";
  clock_.advance(std::chrono::minutes{59});
  trail_.note({.event = AuditEvent::kReloaded, .detail = "2"}, "");
  EXPECT_THAT(read(), SizeIs(3));
  clock_.advance(std::chrono::minutes{1});
  confirmed_ = clock_.now().wall;
  trail_.note({.event = AuditEvent::kReloaded, .detail = "3"}, "");
  EXPECT_THAT(read(), SizeIs(3));
}

TEST_F(Trail, AHangingDiskGetsNoQueue) {
  std::promise<void> disk;
  boost::asio::post(store_thread_, [hangs = disk.get_future()] { hangs.wait(); });
  std::size_t read = 0;
  for (int pid = 1; pid <= 30'000; ++pid) {
    trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = pid});
    if (pid % 1'000 == 0) trail_.read({}, [&](const Result<AuditPage>&) { ++read; });
  }
  EXPECT_LT(trail_.health().waiting, 2'048U + 2'048U + 2U);
  disk.set_value();
  while (read < 30) loop_.run_one();
  std::uint64_t counted = 0;
  for (const AuditEntry& entry : store_.audit()) counted += entry.count;
  EXPECT_EQ(counted, 30'000U);
}

TEST_F(Trail, KeepsWhatTheStoreDoesNotTake) {
  store_.fail_next(ErrorKind::kFull, 2);
  trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = 700});
  trail_.note({.event = AuditEvent::kRevokeAsked, .member = MemberId{1}}, "id:42");
  EXPECT_THAT(read(), SizeIs(0));
  EXPECT_TRUE(trail_.health().failing);
  EXPECT_EQ(trail_.health().waiting, 2U);
  EXPECT_THAT(read(), SizeIs(0));
  ASSERT_THAT(told_, SizeIs(1)) << "once, not for each attempt";
  EXPECT_EQ(told_[0].severity, Severity::kError);
  trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = 700});

  const auto entries = read();
  ASSERT_THAT(entries, SizeIs(2));
  EXPECT_EQ(entries[0].count, 2U);
  EXPECT_EQ(entries[1].event, AuditEvent::kRevokeAsked);
  EXPECT_EQ(entries[1].member, "id:42");
  EXPECT_FALSE(trail_.health().failing);
  EXPECT_THAT(told_, SizeIs(2));
}

TEST_F(Trail, AFloodOfFetchesFoldsNothingElse) {
  store_.fail_next(ErrorKind::kFull, 1'000);
  trail_.note({.event = AuditEvent::kRevokeAsked,
               .member = MemberId{1},
               .caller = {.uid = 0, .gid = 0, .pid = 99},
               .detail = "the one that matters"},
              "id:42");
  constexpr int kFlood = 100'000;
  for (int pid = 1; pid <= kFlood; ++pid)
    trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = pid});
  EXPECT_GT(trail_.health().folded, 0U);
  EXPECT_LT(trail_.health().waiting, 5'000U);
  read();
  store_.fail_next(ErrorKind::kFull, 0);
  std::uint64_t fetches = 0;
  for (std::int64_t after = 0;;) {
    std::optional<Result<AuditPage>> page;
    trail_.read({.after = after, .limit = 1'000},
                [&](Result<AuditPage> got) { page = std::move(got); });
    while (!page) loop_.run_one();
    for (const AuditEntry& entry : (*page)->entries) {
      if (entry.event == AuditEvent::kTokenFetched) {
        fetches += entry.count;
        continue;
      }
      EXPECT_EQ(entry.caller.pid, 99);
      EXPECT_EQ(entry.detail, "the one that matters");
    }
    if (!(*page)->next) break;
    after = *(*page)->next;
  }
  EXPECT_EQ(fetches, static_cast<std::uint64_t>(kFlood));
}

// All in one turn of the loop, in which nothing can be written.
TEST_F(Trail, AMassRevocationNamesEveryMember) {
  constexpr std::int64_t kMembers = 20'000;
  for (std::int64_t member = 1; member <= kMembers; ++member) {
    trail_.note({.event = AuditEvent::kMemberBlocked, .member = MemberId{member}}, "one of them");
  }
  while (trail_.health().waiting > 0) loop_.run_one();
  EXPECT_EQ(trail_.health().folded, 0U);
  ASSERT_THAT(store_.audit(), SizeIs(kMembers));
  for (const AuditEntry& entry : store_.audit()) ASSERT_EQ(entry.member, "one of them");
}

// Or "stopped" would stand on the trail with nothing missing before it.
TEST_F(Trail, TheLastWriteHoldsWhatTheOneBeforeItLost) {
  std::promise<void> disk;
  boost::asio::post(store_thread_, [hangs = disk.get_future()] { hangs.wait(); });
  trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = 700});
  trail_.read({}, [](const Result<AuditPage>&) {});
  store_.fail_next(ErrorKind::kIo, 1);
  bool settled = false;
  trail_.settle([&] { settled = true; });
  EXPECT_FALSE(settled) << "it is still being written";
  disk.set_value();
  while (!settled) loop_.run_one();
  trail_.note({.event = AuditEvent::kStopped}, "");
  const auto noted = [this](AuditEvent event) {
    return trail_.health().events.at(static_cast<std::size_t>(event));
  };
  EXPECT_EQ(noted(AuditEvent::kTokenFetched), 1U);
  EXPECT_EQ(noted(AuditEvent::kStopped), 1U);
  EXPECT_EQ(noted(AuditEvent::kEnrolled), 0U);
  trail_.finish();
  store_thread_.join();
  ASSERT_THAT(store_.audit(), SizeIs(2));
  EXPECT_EQ(store_.audit()[0].event, AuditEvent::kTokenFetched);
  EXPECT_EQ(store_.audit()[1].event, AuditEvent::kStopped);
}

TEST_F(Trail, ManyReadersOfAHangingDiskAreToldSo) {
  std::promise<void> disk;
  boost::asio::post(store_thread_, [hangs = disk.get_future()] { hangs.wait(); });
  trail_.note({.event = AuditEvent::kStarted}, "");
  int served = 0;
  int refused = 0;
  const auto read = [&] {
    trail_.read({}, [&](const Result<AuditPage>& page) { ++(page ? served : refused); });
  };
  for (int i = 0; i < 100; ++i) read();
  EXPECT_EQ(refused, 0) << "never from inside of the call";
  loop_.poll();
  EXPECT_EQ(refused, 36);
  disk.set_value();
  while (served < 64) loop_.run_one();
  EXPECT_EQ(refused, 36);
}

TEST_F(Trail, AnOutageIsTriedWithASmallPart) {
  constexpr int kRows = 20'000;
  store_.fail_next(ErrorKind::kFull, 1);
  for (std::int64_t member = 1; member <= kRows; ++member) {
    trail_.note({.event = AuditEvent::kMemberBlocked, .member = MemberId{member}}, "one of them");
  }
  read();
  EXPECT_TRUE(trail_.health().failing);
  EXPECT_EQ(trail_.health().waiting, kRows) << "more than one batch was tried";
  read();
  EXPECT_EQ(trail_.health().waiting, 0U);
  EXPECT_THAT(store_.audit(), SizeIs(kRows));
}

TEST_F(Trail, IsWrittenAtTheEnd) {
  trail_.note_fetch(row_, {.uid = 5, .gid = 60, .pid = 700});
  trail_.note({.event = AuditEvent::kStopped}, "");
  trail_.finish();
  store_thread_.join();
  ASSERT_THAT(store_.audit(), SizeIs(2));
  EXPECT_EQ(store_.audit()[1].event, AuditEvent::kStopped);
}

}  // namespace
}  // namespace rota

// What is there after a kill -9 at any instant, and when the disk is full.

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "file_size_limit.h"
#include "raw_sqlite.h"

namespace rota {
namespace {

using testing::Batch;
using testing::describe;
using testing::FileSizeLimit;
using testing::make_call;
using testing::make_member;
using testing::make_token;

// The n-th batch of a run: a pair of tokens, a call and a number, so that half of it would show.
Batch nth_batch(std::int64_t n) {
  return {
      PutMember{make_member(1)},
      PutToken{MemberId{1}, make_token(2 * n - 1, fmt::format("access-{}", n))},
      PutToken{MemberId{1}, make_token(2 * n, fmt::format("refresh-{}", n), TokenKind::kRefresh)},
      PutCall{make_call(n)}, PutMeta{MetaKey::kLastCircleTimeMs, n}};
}

// A snapshot of exactly the first `count` batches.
std::string after_batches(std::int64_t count) {
  Snapshot expected;
  if (count > 0) expected.members.push_back(make_member(1));
  for (std::int64_t n = 1; n <= count; ++n) {
    expected.members[0].tokens.push_back(make_token(2 * n - 1, fmt::format("access-{}", n)));
    expected.members[0].tokens.push_back(
        make_token(2 * n, fmt::format("refresh-{}", n), TokenKind::kRefresh));
    expected.calls.push_back(make_call(n));
    expected.meta.last_circle_time = testing::at(n);
  }
  if (count > 0) expected.next_member = MemberId{2};
  expected.next_token = TokenId{2 * count + 1};
  expected.next_call = CallId{count + 1};
  return describe(expected);
}

class SqliteDurability : public testing::SqliteTest {
 protected:
  // Commits batch after batch from `first` on and reports each through the pipe, until killed.
  [[noreturn]] void commit_until_killed(std::int64_t first, int report) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test that fails leaves nobody behind
    auto store = try_open();
    if (!store) ::_exit(1);
    for (std::int64_t n = first;; ++n) {
      if (!(*store)->commit(nth_batch(n))) ::_exit(2);
      if (::write(report, &n, sizeof n) != sizeof n) ::_exit(3);
    }
  }

  // Kills the child when it has reported `count` batches; returns the last one that it reported.
  std::int64_t run_and_kill(std::int64_t first, std::int64_t count) {
    int report[2];
    EXPECT_EQ(0, ::pipe(report));
    const pid_t child = ::fork();
    if (child == 0) commit_until_killed(first, report[1]);
    ::close(report[1]);
    std::int64_t last = 0;
    std::int64_t n = 0;
    while (::read(report[0], &n, sizeof n) == sizeof n) {
      last = n;
      if (n == first + count - 1) ::kill(child, SIGKILL);
    }
    ::close(report[0]);
    int status = 0;
    EXPECT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << status;
    return last;
  }
};

// P2: every batch that was reported as committed is there, and none by half.
TEST_F(SqliteDurability, P2AKilledProcessLosesNoCommit) {
  std::int64_t there = 0;
  for (const std::int64_t count : {1, 2, 3, 5, 8, 13, 21, 34, 60}) {
    SCOPED_TRACE(fmt::format("from batch {} on, killed after {}", there + 1, count));
    const std::int64_t reported = run_and_kill(there + 1, count);
    ASSERT_GE(reported, there + count);

    auto store = open();
    ASSERT_TRUE(store);
    const Snapshot found = load(*store);
    const std::int64_t loaded = static_cast<std::int64_t>(found.calls.size());
    EXPECT_GE(loaded, reported);
    EXPECT_LE(loaded, reported + 1) << "at most the one whose report was cut off";
    ASSERT_EQ(after_batches(loaded), describe(found));
    there = loaded;
  }
}

TEST_F(SqliteDurability, P2AFullDiskRefusesABatchWholeAndTakesItLater) {
  constexpr rlim_t kLimit = rlim_t{256} * 1024;
  constexpr std::int64_t kMany = 10'000;
  auto store = open();
  std::int64_t committed = 0;
  std::optional<Error> error;
  {
    const FileSizeLimit full(kLimit);
    while (!error && committed < kMany) {
      const Result<void> done = store->commit(nth_batch(committed + 1));
      if (done) {
        ++committed;
      } else {
        error = done.error();
      }
    }
    ASSERT_TRUE(error);
    EXPECT_EQ(ErrorKind::kFull, error->kind) << error->message;
    EXPECT_GT(committed, 3);
    EXPECT_EQ(after_batches(committed), describe(load(*store)));

    const Result<void> again = store->commit(nth_batch(committed + 1));
    ASSERT_FALSE(again);
    EXPECT_EQ(ErrorKind::kFull, again.error().kind) << again.error().message;
  }
  // There is space again: the same batch, on the same store.
  commit(*store, nth_batch(committed + 1));
  EXPECT_EQ(after_batches(committed + 1), describe(load(*store)));
  store.reset();
  EXPECT_EQ(after_batches(committed + 1), describe(load(*open())));
}

TEST_F(SqliteDurability, P2AFullDiskAtTheFirstStartLeavesNoHalfDatabase) {
  for (const rlim_t limit : {rlim_t{0}, rlim_t{100}, rlim_t{4096}, rlim_t{20'000}}) {
    SCOPED_TRACE(limit);
    {
      const FileSizeLimit full(limit);
      const Error error = open_fails();
      EXPECT_EQ(ErrorKind::kFull, error.kind) << error.message;
    }
    auto files = testing::read_all(folder_.path());
    files.erase("rota.db.lock");
    EXPECT_TRUE(files.empty());
  }
  EXPECT_EQ(after_batches(0), describe(load(*open())));
}

// Wherever the disk is full, the next start finds the older database whole.
TEST_F(SqliteDurability, P3AFullDiskDuringAnUpgradeLeavesAllAsItWas) {
  constexpr std::int64_t kBatches = 100;
  constexpr rlim_t kStep = 1'024;  // half of a page
  constexpr rlim_t kMany = 64;
  {
    auto store = open();
    for (std::int64_t n = 1; n <= kBatches; ++n) commit(*store, nth_batch(n));
  }
  testing::make_older(path(), 7);
  rlim_t steps = 0;
  for (bool upgraded = false; !upgraded && steps < kMany; ++steps) {
    SCOPED_TRACE(steps);
    {
      const FileSizeLimit full(steps * kStep);
      const auto opened = try_open();
      upgraded = opened.has_value();
      if (!upgraded) EXPECT_EQ(ErrorKind::kFull, opened.error().kind) << opened.error().message;
    }
    if (upgraded) break;
    testing::RawSqlite raw(path());
    ASSERT_EQ("7", raw.value("PRAGMA user_version"));
    EXPECT_EQ("1", raw.value("SELECT count(*) FROM pragma_index_list('token')"));
  }
  EXPECT_GT(steps, 4U);
  auto store = open();
  ASSERT_TRUE(store);
  EXPECT_EQ(after_batches(kBatches), describe(load(*store)));
}

}  // namespace
}  // namespace rota

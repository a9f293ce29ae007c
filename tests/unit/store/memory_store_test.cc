#include "support/memory_store.h"

#include <gtest/gtest.h>

#include "support/store_rows.h"

namespace rota {
namespace {

using testing::Batch;
using testing::describe;
using testing::make_member;

TEST(MemoryStore, AnInjectedFailureHitsOneCommitAndChangesNothing) {
  MemoryStore store;
  const Batch batch{PutMember{make_member(1)}};
  store.fail_next(ErrorKind::kFull);
  const Result<void> failed = store.commit(batch);
  ASSERT_FALSE(failed);
  EXPECT_EQ(ErrorKind::kFull, failed.error().kind);
  EXPECT_EQ(describe(Snapshot{}), describe(*store.load()));
  EXPECT_EQ(0, store.commits());

  EXPECT_TRUE(store.commit(batch));
  EXPECT_EQ(1U, store.load()->members.size());
  EXPECT_EQ(1, store.commits());
}

TEST(MemoryStore, FailuresAreCountedAcrossLoadsAndCommits) {
  MemoryStore store;
  store.fail_next(ErrorKind::kIo, 2);
  const Result<Snapshot> loaded = store.load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(ErrorKind::kIo, loaded.error().kind);
  EXPECT_TRUE(store.commit({})) << "an empty batch does not reach the disk";
  EXPECT_FALSE(store.commit(Batch{PutMember{make_member(1)}}));
  EXPECT_TRUE(store.load());
}

TEST(MemoryStore, ARefusedBatchDoesNotCount) {
  MemoryStore store;
  EXPECT_FALSE(store.commit(Batch{PutMember{make_member(0)}}));
  EXPECT_EQ(0, store.commits());
}

}  // namespace
}  // namespace rota

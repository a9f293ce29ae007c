#pragma once

// What every TokenStore promises is run against each. A store takes part through a harness: store()
// is the store, reopen() what a restart of the daemon does to it.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>

#include "sqlite/sealer.h"
#include "sqlite/sqlite_store.h"
#include "support/memory_store.h"
#include "support/store_rows.h"
#include "support/temp_directory.h"

namespace rota::testing {

class MemoryHarness {
 public:
  TokenStore& store() { return store_; }
  void reopen() {}

 private:
  MemoryStore store_;
};

class SqliteHarness {
 public:
  SqliteHarness() { reopen(); }

  TokenStore& store() { return *store_; }
  void reopen() {
    store_.reset();
    Result<Sealer> sealer = Sealer::create(Secret(std::string(kStoreKeyBytes, 'k')));
    ASSERT_TRUE(sealer);
    auto opened = SqliteStore::open(folder_ / "rota.db", *std::move(sealer));
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = *std::move(opened);
  }

 private:
  TempDirectory folder_;
  std::unique_ptr<SqliteStore> store_;
};

template <class Harness>
class StoreTest : public ::testing::Test {
 protected:
  void commit(const Batch& batch) {
    const Result<void> done = harness_.store().commit(batch);
    ASSERT_TRUE(done) << done.error().message;
  }

  ErrorKind commit_fails(const Batch& batch) {
    const Result<void> done = harness_.store().commit(batch);
    EXPECT_FALSE(done);
    return done ? ErrorKind::kBug : done.error().kind;
  }

  // With the values of refresh tokens, which load() leaves out.
  Snapshot load() {
    Result<Snapshot> loaded = load_all(harness_.store());
    EXPECT_TRUE(loaded) << loaded.error().message;
    return loaded ? *std::move(loaded) : Snapshot{};
  }

  // Null: it is not on record, or not believed.
  SecretPtr open(TokenId token) {
    const Result<OpenedTokens> opened = harness_.store().open_tokens(std::span(&token, 1));
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? opened->at(token) : nullptr;
  }

  // What the next start finds; a load before the restart must say the same.
  Snapshot reload() {
    const std::string before = describe(load());
    harness_.reopen();
    Snapshot after = load();
    EXPECT_EQ(before, describe(after));
    return after;
  }

  Harness harness_;
};

using Harnesses = ::testing::Types<MemoryHarness, SqliteHarness>;
struct HarnessNames {
  template <class Harness>
  static std::string GetName(int) {
    return std::is_same_v<Harness, MemoryHarness> ? "Memory" : "Sqlite";
  }
};

}  // namespace rota::testing

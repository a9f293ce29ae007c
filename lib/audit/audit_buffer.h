#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "model/audit.h"

namespace rota {

// What is to go on the audit trail and has not yet, in bounded memory. Notes of one key are counted
// in one row. What is new is there to be taken at once; of what was taken before, the count is
// there every kRepeatEvery, so that a program that fetches one token all day makes a few rows an
// hour.
//
// No note is dropped. When there is no more room, because the store takes nothing or because of a
// flood, rows become one that differ only in what the trail can best do without: first in their
// pids, then in their gids, tokens, members, and at last in who it was. And a user that has
// kRowsOfOneUser gets no row for one more process: a program that forks for each fetch would fill
// the trail alone. Pure; loop thread only.
class AuditBuffer {
 public:
  static constexpr Duration kRepeatEvery = std::chrono::minutes{10};
  static constexpr Duration kSweepEvery = std::chrono::minutes{1};
  static constexpr std::size_t kRowsMin = 64;  // no less than there are events
  static constexpr std::size_t kRowsOfOneUser = 2'048;

  explicit AuditBuffer(std::size_t rows_max);

  // Counts one more. The note is the row's; its `member` is empty as long as nobody has filled it
  // in, and stays so where the key has no member any more.
  AuditNote& add(const AuditKey& key, Now now);

  // What is due, in the order in which it first happened: of what is new, `fresh_max` rows at most.
  std::vector<AuditNote> take(BootTime now,
                              std::size_t fresh_max = std::numeric_limits<std::size_t>::max());
  std::vector<AuditNote> take_all();
  // They could not be written.
  void put_back(std::vector<AuditNote> notes);

  // Rows that take() gives at once, and those that it gives in some minutes.
  std::size_t fresh() const { return fresh_.size(); }
  std::size_t repeated() const { return repeated_; }
  // Keys that are remembered, those included of which nothing is to be written.
  std::size_t size() const { return rows_.size(); }
  // Notes that lost a part of their key for want of room.
  std::uint64_t folded() const { return folded_; }

 private:
  enum class Fold { kNothing, kPids, kGids, kTokens, kMembers, kCallers };
  struct Row {
    AuditNote note;  // its count is of what is not taken yet, and may be 0
    bool taken = false;
    bool folded = false;
    BootTime taken_at{};
  };
  struct Hash {
    std::size_t operator()(const AuditKey& key) const;
  };
  using Rows = std::unordered_map<AuditKey, Row, Hash>;

  static AuditKey folded_key(AuditKey key, Fold fold);
  Row& row_of(const AuditKey& key);
  Row* find(const AuditKey& key);
  void count_users();
  void make_room();
  void fold_more();
  void give(Row& row, BootTime now, std::vector<AuditNote>& out);

  const std::size_t rows_max_;
  Rows rows_;
  std::unordered_map<std::uint32_t, std::size_t> rows_of_user_;  // by uid
  std::vector<Row*> fresh_;                                      // never taken
  std::size_t repeated_ = 0;
  Fold fold_ = Fold::kNothing;
  BootTime sweep_at_{};
  std::uint64_t last_order_ = 0;
  std::uint64_t folded_ = 0;
};

}  // namespace rota

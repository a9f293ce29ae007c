#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/sharded_map.h"
#include "base/time.h"
#include "model/audit.h"

namespace rota {

// Notes that have to go on the audit trail, in bounded memory. Notes with one key are counted in
// one row. take() gives a new row at once. Later notes of a row that was taken are given every
// kRepeatEvery, so that a program that fetches one token all day makes a few entries an hour.
//
// No note is dropped. If there is no more room, because of a flood or because the store takes
// nothing, rows are folded into one: first those that differ only in the pid, then in the gid, the
// token, the member, and at last in the user or the listener's client. And one of these with
// kRowsOfOneUser rows gets no row for one more process, since a program that forks for each fetch
// could fill the trail alone. Loop thread only.
class AuditBuffer {
 public:
  static constexpr Duration kRepeatEvery = std::chrono::minutes{10};
  static constexpr Duration kSweepEvery = std::chrono::minutes{1};
  static constexpr std::size_t kRowsMin = 64;  // more than there are kinds of AuditEvent
  static constexpr std::size_t kRowsOfOneUser = 2'048;

  // Aborts if `rows_max` is less than kRowsMin.
  explicit AuditBuffer(std::size_t rows_max);

  // Counts one more note with this key, at this machine's time. Returns the note of its row, valid
  // until the next call. The caller fills in the note's `member` if it is empty, unless the note's
  // key has lost its member by folding.
  AuditNote& add(const AuditKey& key, Now now);

  // Takes the notes that are due, in the order in which they first happened; at most `fresh_max` of
  // them from new rows. The caller writes them, or calls put_back().
  std::vector<AuditNote> take(BootTime now,
                              std::size_t fresh_max = std::numeric_limits<std::size_t>::max());
  // Takes everything that was not taken yet, and forgets all rows.
  std::vector<AuditNote> take_all();
  // Takes back notes that could not be written.
  void put_back(std::vector<AuditNote> notes);

  // Rows that take() gives at once, and rows that it gives within kRepeatEvery.
  std::size_t fresh() const { return fresh_.size(); }
  std::size_t repeated() const { return repeated_; }
  // Keys that are remembered, including those with nothing left to write.
  std::size_t size() const { return rows_.size(); }
  // How many notes lost a part of their key because there was no room.
  std::uint64_t folded() const { return folded_; }

 private:
  enum class Fold { kNothing, kPids, kGids, kTokens, kMembers, kCallers };
  using User = std::pair<std::uint32_t, std::string>;  // the uid, and the name of a [[client]]
  using RowsOfUser = std::map<User, std::size_t>;
  // Most rows are remembered for kRepeatEvery with nothing to write, so these are small.
  struct Row {
    std::unique_ptr<AuditNote> note;  // what was not taken yet; null: nothing
    std::size_t* rows_of_user = nullptr;
    BootTime taken_at{};
    bool taken = false;
    bool folded = false;
  };
  // By the hash of the key, or by the next free number if other rows have that hash. A row without
  // a note stands for each key with its hash: a key that shares it is written later, but not lost.
  using Rows = ShardedMap<std::uint64_t, Row>;

  static std::uint64_t hash_of(const AuditKey& key);
  static AuditKey folded_key(AuditKey key, Fold fold);
  Row& row_of(const AuditKey& key);
  Row* find(const AuditKey& key);
  // The key's row, and whether this call added it.
  std::pair<Row&, bool> try_emplace(const AuditKey& key);
  // The row's note, made anew if it has none.
  static AuditNote& note_of(Row& row, const AuditKey& key);
  // How many rows the key's user has.
  std::size_t& rows_of(const AuditKey& key);
  void count_users();
  void make_room();
  void fold_more();
  static void give(Row& row, BootTime now, std::vector<AuditNote>& out);

  // Constant after construction.
  const std::size_t rows_max_;

  // Loop thread only.
  Rows rows_;
  RowsOfUser rows_of_user_;
  std::vector<Row*> fresh_;  // never taken
  std::size_t repeated_ = 0;
  Fold fold_ = Fold::kNothing;
  BootTime sweep_at_{};
  std::uint64_t last_order_ = 0;
  std::uint64_t folded_ = 0;
};

}  // namespace rota

#include "audit/audit_buffer.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "base/check.h"

namespace rota {

AuditBuffer::AuditBuffer(std::size_t rows_max) : rows_max_(rows_max) {
  ROTA_CHECK(rows_max >= kRowsMin);
  // If the table grew, it would rehash all rows at once, while fetches wait. This costs 8 bytes for
  // each row instead.
  rows_.reserve(rows_max);
}

// On the fetch path: one look-up in a hash table.
AuditNote& AuditBuffer::add(const AuditKey& key, Now now) {
  const bool folds = fold_ != Fold::kNothing;
  Row& row = row_of(folds ? folded_key(key, fold_) : key);
  AuditNote& note = row.note;
  if (row.folded) ++folded_;
  if (note.count == 0) {
    note.at = now.wall;
    note.order = ++last_order_;
    if (row.taken) ++repeated_;
  }
  ++note.count;
  note.last_at = std::max(note.at, now.wall);
  return note;
}

AuditBuffer::Row* AuditBuffer::find(const AuditKey& key) {
  const auto known = rows_.find(key);
  return known == rows_.end() ? nullptr : &known->second;
}

AuditBuffer::Row& AuditBuffer::row_of(const AuditKey& key) {
  if (Row* row = find(key)) return *row;
  if (rows_.size() >= rows_max_) make_room();
  const auto user = rows_of_user_.find(user_of(key));
  const bool many = user != rows_of_user_.end() && user->second >= kRowsOfOneUser;
  const Fold fold = many ? std::max(fold_, Fold::kPids) : fold_;
  const AuditKey kept = folded_key(key, fold);
  const auto [place, added] = rows_.try_emplace(kept);
  Row& row = place->second;
  if (added) {
    row.note.key = kept;
    row.note.count = 0;
    fresh_.push_back(&row);
    ++rows_of_user_[user_of(kept)];
  }
  row.folded = row.folded || fold_ != Fold::kNothing || kept != key;
  return row;
}

void AuditBuffer::count_users() {
  rows_of_user_.clear();
  for (const auto& [key, row] : rows_) ++rows_of_user_[user_of(key)];
}

std::vector<AuditNote> AuditBuffer::take(BootTime now, std::size_t fresh_max) {
  std::vector<AuditNote> notes;
  const std::size_t taken = std::min(fresh_.size(), fresh_max);
  const auto end = fresh_.begin() + static_cast<std::ptrdiff_t>(taken);
  std::for_each(fresh_.begin(), end, [&](Row* row) { give(*row, now, notes); });
  fresh_.erase(fresh_.begin(), end);
  if (now >= sweep_at_) {
    sweep_at_ = now + kSweepEvery;
    const auto is_due = [now](const Row& row) { return now - row.taken_at >= kRepeatEvery; };
    std::erase_if(rows_, [&](const auto& each) {
      return each.second.note.count == 0 && is_due(each.second);
    });
    for (auto& [key, row] : rows_) {
      if (!row.taken || row.note.count == 0 || !is_due(row)) continue;
      --repeated_;
      give(row, now, notes);
    }
    count_users();
  }
  if (fresh_.empty()) fold_ = Fold::kNothing;
  sort_notes(notes);
  return notes;
}

std::vector<AuditNote> AuditBuffer::take_all() {
  std::vector<AuditNote> notes;
  for (auto& [key, row] : rows_) {
    if (row.note.count > 0) notes.push_back(std::move(row.note));
  }
  rows_.clear();
  rows_of_user_.clear();
  fresh_.clear();
  repeated_ = 0;
  sort_notes(notes);
  return notes;
}

void AuditBuffer::give(Row& row, BootTime now, std::vector<AuditNote>& out) {
  out.push_back(row.note);
  row.note.count = 0;
  row.taken = true;
  row.taken_at = now;
}

void AuditBuffer::put_back(std::vector<AuditNote> notes) {
  for (AuditNote& note : notes) {
    Row& row = row_of(note.key);
    if (row.taken) {
      if (row.note.count > 0) --repeated_;
      row.taken = false;
      fresh_.push_back(&row);
    }
    if (row.note.count == 0) {
      row.note.at = note.at;
      row.note.last_at = note.last_at;
      row.note.order = note.order;
    }
    row.note.at = std::min(row.note.at, note.at);
    row.note.last_at = std::max(row.note.last_at, note.last_at);
    row.note.count += note.count;
    if (row.note.key.member != MemberId{}) row.note.member = std::move(note.member);
  }
}

// Before anything is folded, rows with nothing left to write go. Their next note is a fresh one.
void AuditBuffer::make_room() {
  std::erase_if(rows_, [](const auto& each) { return each.second.note.count == 0; });
  const std::size_t enough = rows_max_ / 4 * 3;
  while (rows_.size() > enough && fold_ != Fold::kCallers) fold_more();
  count_users();
}

void AuditBuffer::fold_more() {
  fold_ = static_cast<Fold>(std::to_underlying(fold_) + 1);
  fresh_.clear();
  repeated_ = 0;
  for (Rows before = std::exchange(rows_, {}); auto& [old_key, old] : before) {
    const AuditKey key = folded_key(old_key, fold_);
    const bool loses = key != old_key;
    if (loses && !old.folded) folded_ += old.note.count;
    old.folded = old.folded || loses;
    const auto [place, added] = rows_.try_emplace(key, old);
    Row& row = place->second;
    if (added) {
      row.note.key = key;
      if (key.member == MemberId{}) row.note.member.clear();
      continue;
    }
    row.note.at = std::min(row.note.at, old.note.at);
    row.note.last_at = std::max(row.note.last_at, old.note.last_at);
    row.note.count += old.note.count;
    row.taken = row.taken && old.taken;
    row.folded = true;
  }
  for (auto& [key, row] : rows_) {
    if (row.taken) {
      ++repeated_;
    } else {
      fresh_.push_back(&row);
    }
  }
}

AuditKey AuditBuffer::folded_key(AuditKey key, Fold fold) {
  if (fold >= Fold::kPids) key.caller.pid = 0;
  if (fold >= Fold::kGids) key.caller.gid = AuditCaller::kNoId;
  if (fold >= Fold::kTokens) key.token = 0;
  if (fold >= Fold::kMembers) key.member = MemberId{};
  if (fold >= Fold::kCallers) key = AuditKey{.event = key.event};
  return key;
}

std::size_t AuditBuffer::Hash::operator()(const AuditKey& key) const {
  // An odd multiple of the golden ratio spreads keys that are much alike.
  constexpr std::uint64_t kSpread = 0x9e3779b97f4a7c15;
  std::uint64_t hash = key.token;
  const auto mix = [&hash](std::uint64_t part) { hash = (hash ^ part) * kSpread ^ hash >> 32U; };
  mix(static_cast<std::uint64_t>(key.member));
  mix(std::uint64_t{key.caller.uid} << 32U | static_cast<std::uint32_t>(key.caller.pid));
  mix(std::uint64_t{key.caller.gid} << 32U | static_cast<std::uint32_t>(key.event));
  if (!key.caller.client.empty()) mix(std::hash<std::string>{}(key.caller.client));
  if (!key.detail.empty()) mix(std::hash<std::string>{}(key.detail));
  return hash;
}

}  // namespace rota

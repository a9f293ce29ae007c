#include "audit/audit_buffer.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "base/check.h"

namespace rota {

AuditBuffer::AuditBuffer(std::size_t rows_max) : rows_max_(rows_max) {
  ROTA_CHECK(rows_max >= kRowsMin);
}

// On the fetch path: one look-up in a hash table.
AuditNote& AuditBuffer::add(const AuditKey& key, Now now) {
  const bool folds = fold_ != Fold::kNothing;
  Row& row = row_of(folds ? folded_key(key, fold_) : key);
  AuditNote& note = *row.note;
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
  for (std::uint64_t place = hash_of(key);; ++place) {
    Row* const row = rows_.find(place);
    if (row == nullptr || row->note == nullptr || row->note->key == key) return row;
  }
}

std::pair<AuditBuffer::Row&, bool> AuditBuffer::try_emplace(const AuditKey& key) {
  for (std::uint64_t place = hash_of(key);; ++place) {
    const auto [row, added] = rows_.try_emplace(place);
    if (added || row.note == nullptr || row.note->key == key) return {row, added};
  }
}

AuditNote& AuditBuffer::note_of(Row& row, const AuditKey& key) {
  if (row.note == nullptr) {
    row.note = std::make_unique<AuditNote>();
    row.note->key = key;
    row.note->count = 0;
  }
  return *row.note;
}

std::size_t& AuditBuffer::rows_of(const AuditKey& key) {
  return rows_of_user_[{key.caller.uid, key.caller.client}];
}

// The row has a note, which may count nothing yet.
AuditBuffer::Row& AuditBuffer::row_of(const AuditKey& key) {
  if (Row* row = find(key)) {
    note_of(*row, key);
    return *row;
  }
  if (rows_.size() >= rows_max_) make_room();
  std::size_t& of_user = rows_of(key);
  const bool many = of_user >= kRowsOfOneUser;
  const Fold fold = many ? std::max(fold_, Fold::kPids) : fold_;
  const AuditKey kept = folded_key(key, fold);
  const auto [row, added] = try_emplace(kept);
  note_of(row, kept);
  if (added) {
    fresh_.push_back(&row);
    row.rows_of_user = &rows_of(kept);
    ++*row.rows_of_user;
  }
  row.folded = row.folded || fold_ != Fold::kNothing || kept != key;
  return row;
}

void AuditBuffer::count_users() {
  for (auto& [user, rows] : rows_of_user_) rows = 0;
  rows_.for_each([](std::uint64_t, const Row& row) { ++*row.rows_of_user; });
  std::erase_if(rows_of_user_, [](const auto& each) { return each.second == 0; });
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
    rows_.erase_if([&](const Row& row) { return row.note == nullptr && is_due(row); });
    rows_.for_each([&](std::uint64_t, Row& row) {
      if (!row.taken || row.note == nullptr || !is_due(row)) return;
      --repeated_;
      give(row, now, notes);
    });
    count_users();
  }
  if (fresh_.empty()) fold_ = Fold::kNothing;
  sort_notes(notes);
  return notes;
}

std::vector<AuditNote> AuditBuffer::take_all() {
  std::vector<AuditNote> notes;
  rows_.for_each([&](std::uint64_t, Row& row) {
    if (row.note != nullptr) notes.push_back(std::move(*row.note));
  });
  rows_ = {};
  rows_of_user_.clear();
  fresh_.clear();
  repeated_ = 0;
  sort_notes(notes);
  return notes;
}

void AuditBuffer::give(Row& row, BootTime now, std::vector<AuditNote>& out) {
  out.push_back(std::move(*row.note));
  row.note.reset();
  row.taken = true;
  row.taken_at = now;
}

void AuditBuffer::put_back(std::vector<AuditNote> notes) {
  for (AuditNote& each : notes) {
    Row& row = row_of(each.key);
    AuditNote& note = *row.note;
    if (row.taken) {
      if (note.count > 0) --repeated_;
      row.taken = false;
      fresh_.push_back(&row);
    }
    if (note.count == 0) {
      note.at = each.at;
      note.last_at = each.last_at;
      note.order = each.order;
    }
    note.at = std::min(note.at, each.at);
    note.last_at = std::max(note.last_at, each.last_at);
    note.count += each.count;
    if (note.key.member != MemberId{}) note.member = std::move(each.member);
  }
}

// Before anything is folded, rows with nothing left to write go. Their next note is a fresh one.
void AuditBuffer::make_room() {
  rows_.erase_if([](const Row& row) { return row.note == nullptr; });
  const std::size_t enough = rows_max_ / 4 * 3;
  while (rows_.size() > enough && fold_ != Fold::kCallers) fold_more();
  count_users();
}

void AuditBuffer::fold_more() {
  fold_ = static_cast<Fold>(std::to_underlying(fold_) + 1);
  fresh_.clear();
  repeated_ = 0;
  Rows before = std::exchange(rows_, {});
  before.for_each([this](std::uint64_t, Row& old) {
    const AuditKey key = folded_key(old.note->key, fold_);
    const bool loses = key != old.note->key;
    if (loses && !old.folded) folded_ += old.note->count;
    old.folded = old.folded || loses;
    const auto [row, added] = try_emplace(key);
    if (added) {
      row = std::move(old);
      row.note->key = key;
      row.rows_of_user = &rows_of(key);
      if (key.member == MemberId{}) row.note->member.clear();
      return;
    }
    row.note->at = std::min(row.note->at, old.note->at);
    row.note->last_at = std::max(row.note->last_at, old.note->last_at);
    row.note->count += old.note->count;
    row.taken = row.taken && old.taken;
    row.folded = true;
  });
  rows_.for_each([this](std::uint64_t, Row& row) {
    if (row.taken) {
      ++repeated_;
    } else {
      fresh_.push_back(&row);
    }
  });
}

AuditKey AuditBuffer::folded_key(AuditKey key, Fold fold) {
  if (fold >= Fold::kPids) key.caller.pid = 0;
  if (fold >= Fold::kGids) key.caller.gid = AuditCaller::kNoId;
  if (fold >= Fold::kTokens) key.token = 0;
  if (fold >= Fold::kMembers) key.member = MemberId{};
  if (fold >= Fold::kCallers) key = AuditKey{.event = key.event};
  return key;
}

std::uint64_t AuditBuffer::hash_of(const AuditKey& key) {
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

#include "rotator/journal.h"

#include <algorithm>

#include "base/check.h"

namespace rota {

Journal::Journal(const std::vector<CallRow>& rows, CallId next, Duration window)
    : window_(window), next_(static_cast<std::int64_t>(next)) {
  for (const CallRow& row : rows) {
    if (!row.closed_at) {
      open_.emplace(row.id, row);
    } else if (row.doubt_until) {
      doubts_.emplace(row.id, row);
    } else {
      closed_.push_back(row);
    }
  }
  std::ranges::sort(closed_, {}, &CallRow::closed_at);
}

CallId Journal::open(CallKind kind, MemberId member, WallTime now,
                     std::vector<Mutation>& mutations) {
  const CallRow row{.id = CallId{next_++},
                    .kind = kind,
                    .member = member,
                    .opened_at = now,
                    .closed_at = std::nullopt,
                    .fate = CallFate::kOpen,
                    .doubt_until = std::nullopt};
  open_.emplace(row.id, row);
  mutations.emplace_back(PutCall{row});
  return row.id;
}

void Journal::close(CallId call, CallFate fate, std::optional<WallTime> doubt_until, WallTime now,
                    std::vector<Mutation>& mutations) {
  const auto it = open_.find(call);
  ROTA_CHECK(it != open_.end());
  CallRow row = it->second;
  open_.erase(it);
  row.closed_at = now;
  row.fate = fate;
  row.doubt_until = doubt_until;
  mutations.emplace_back(PutCall{row});
  if (doubt_until) {
    doubts_.emplace(row.id, row);
  } else {
    closed_.push_back(row);
  }
}

void Journal::sweep(WallTime now, std::vector<Mutation>& mutations) {
  while (!closed_.empty() && *closed_.front().closed_at + window_ + kSlack < now) {
    mutations.emplace_back(EraseCall{closed_.front().id});
    closed_.pop_front();
  }
  std::erase_if(doubts_, [&](const auto& entry) {
    const CallRow& row = entry.second;
    const bool over = *row.doubt_until < now && *row.closed_at + window_ + kSlack < now;
    if (over) mutations.emplace_back(EraseCall{row.id});
    return over;
  });
}

void Journal::reassign(MemberId from, MemberId to, std::vector<Mutation>& mutations) {
  for (auto& [id, row] : doubts_) {
    if (row.member != from) continue;
    row.member = to;
    mutations.emplace_back(PutCall{row});
  }
}

std::vector<WallTime> Journal::completions(WallTime now) const {
  std::vector<WallTime> times(open_.size(), now);
  for (const CallRow& row : closed_) {
    if (row.fate != CallFate::kNotSent) times.push_back(*row.closed_at);
  }
  for (const auto& [id, row] : doubts_) times.push_back(*row.closed_at);
  return times;
}

std::vector<CallRow> Journal::open_rows() const {
  std::vector<CallRow> rows;
  for (const auto& [id, row] : open_) rows.push_back(row);
  return rows;
}

std::size_t Journal::doubts_of(MemberId member) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      doubts_, [member](const auto& entry) { return entry.second.member == member; }));
}

}  // namespace rota

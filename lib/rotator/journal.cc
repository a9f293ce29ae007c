#include "rotator/journal.h"

#include <algorithm>

#include "base/check.h"

namespace rota {
namespace {

BootTime over_at(const CallRow& closed) { return closed.closed_stamp->at; }

}  // namespace

Journal::Journal(const std::vector<CallRow>& rows, CallId next, Duration window, BootId boot,
                 const CircleClock& clock, BootTime now)
    : window_(window), boot_(boot), next_(static_cast<std::int64_t>(next)) {
  for (CallRow row : rows) {
    if (row.closed_at && (!row.closed_stamp || row.closed_stamp->boot != boot)) {
      row.closed_stamp = {.boot = boot, .at = clock.boot_at(*row.closed_at) + kDatingError};
    }
    if (row.closed_stamp) row.closed_stamp->at = std::min(row.closed_stamp->at, now);
    if (!row.closed_at) {
      open_.emplace(row.id, row);
    } else if (row.doubt_until) {
      doubts_.emplace(row.id, row);
    } else {
      closed_.push_back(row);
    }
  }
  std::ranges::sort(closed_, {}, over_at);
}

CallId Journal::open(CallKind kind, MemberId member, WallTime now,
                     std::vector<Mutation>& mutations) {
  const CallRow row{.id = CallId{next_++},
                    .kind = kind,
                    .member = member,
                    .opened_at = now,
                    .closed_at = std::nullopt,
                    .closed_stamp = std::nullopt,
                    .fate = CallFate::kOpen,
                    .doubt_until = std::nullopt};
  open_.emplace(row.id, row);
  mutations.emplace_back(PutCall{row});
  return row.id;
}

void Journal::close(CallId call, CallFate fate, std::optional<WallTime> doubt_until, Time now,
                    std::vector<Mutation>& mutations) {
  const auto it = open_.find(call);
  ROTA_CHECK(it != open_.end());
  CallRow row = it->second;
  open_.erase(it);
  row.closed_at = now.circle;
  row.closed_stamp = {.boot = boot_, .at = now.boot};
  row.fate = fate;
  row.doubt_until = doubt_until;
  mutations.emplace_back(PutCall{row});
  if (doubt_until) {
    doubts_.emplace(row.id, row);
  } else {
    closed_.push_back(row);
  }
}

void Journal::sweep(Time now, bool sure, std::vector<Mutation>& mutations) {
  const BootTime counts_from = now.boot - window_ - kSlack;
  while (!closed_.empty() && over_at(closed_.front()) < counts_from) {
    mutations.emplace_back(EraseCall{closed_.front().id});
    closed_.pop_front();
  }
  std::erase_if(doubts_, [&](const auto& entry) {
    const CallRow& row = entry.second;
    const bool over =
        sure && *row.doubt_until + kDatingError < now.circle && over_at(row) < counts_from;
    if (over) mutations.emplace_back(EraseCall{row.id});
    return over;
  });
}

void Journal::postpone_doubts(Duration by, std::vector<Mutation>& mutations) {
  for (auto& [id, row] : doubts_) {
    *row.doubt_until += by;
    mutations.emplace_back(PutCall{row});
  }
}

void Journal::reassign(MemberId from, MemberId to, std::vector<Mutation>& mutations) {
  for (auto& [id, row] : doubts_) {
    if (row.member != from) continue;
    row.member = to;
    mutations.emplace_back(PutCall{row});
  }
}

std::vector<BootTime> Journal::completions(BootTime now) const {
  std::vector<BootTime> times(open_.size(), now);
  for (const CallRow& row : closed_) {
    if (row.fate != CallFate::kNotSent) times.push_back(over_at(row));
  }
  for (const auto& [id, row] : doubts_) times.push_back(over_at(row));
  std::ranges::sort(times);
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

#include "engine/journal.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace rota {
namespace {

BootTime over_at(const CallRow& closed) { return closed.closed_stamp->at; }

}  // namespace

Journal::Journal(const Past& past, Duration window, BootId boot, BootTime now)
    : window_(window),
      boot_(boot),
      last_commit_(past.last_commit),
      next_(static_cast<std::int64_t>(past.next)) {
  for (CallRow row : past.rows) {
    if (row.closed_at) {
      const auto at = row.closed_stamp ? on_this_boot(*row.closed_stamp) : std::nullopt;
      const bool is_foreign = !row.closed_stamp || row.closed_stamp->boot != boot;
      row.closed_stamp = {.boot = boot, .at = std::min(at.value_or(now), now)};
      if (is_foreign) dated_anew_.push_back(row);
    }
    if (!row.closed_at) {
      open_.emplace(row.id, row);
    } else if (row.doubt_until) {
      if (auto other = add_doubt(row)) {
        other->doubt_until.reset();
        closed_.push_back(*other);
      }
    } else {
      closed_.push_back(row);
    }
  }
  std::ranges::sort(closed_, {}, over_at);
}

std::optional<BootTime> Journal::on_this_boot(const BootStamp& stamp) const {
  if (stamp.boot == boot_) return stamp.at;
  if (stamp.boot != last_commit_.boot) return std::nullopt;
  return BootTime{stamp.at - last_commit_.at};
}

void Journal::put_dates(std::vector<Mutation>& mutations) {
  for (const CallRow& row : std::exchange(dated_anew_, {})) mutations.emplace_back(PutCall{row});
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
  if (!doubt_until) {
    closed_.push_back(row);
    return;
  }
  if (const auto other = add_doubt(row)) keep_as_slot(*other, mutations);
}

void Journal::keep_as_slot(CallRow row, std::vector<Mutation>& mutations) {
  row.doubt_until.reset();
  mutations.emplace_back(PutCall{row});
  closed_.insert(std::ranges::upper_bound(closed_, over_at(row), {}, over_at), row);
}

std::optional<CallRow> Journal::add_doubt(const CallRow& row) {
  std::optional<CallRow> before;
  const auto place = last_doubt_.find({row.member, row.kind});
  if (place != last_doubt_.end()) {
    if (*doubts_.at(place->second).doubt_until > *row.doubt_until) return row;
    before = take_doubt(place->second);
  }
  last_doubt_.emplace(std::pair(row.member, row.kind), row.id);
  doubts_.emplace(row.id, row);
  doubt_ends_.emplace(*row.doubt_until, row.id);
  return before;
}

CallRow Journal::take_doubt(CallId call) {
  const auto it = doubts_.find(call);
  ROTA_CHECK(it != doubts_.end());
  CallRow row = it->second;
  doubts_.erase(it);
  doubt_ends_.erase({*row.doubt_until, call});
  last_doubt_.erase({row.member, row.kind});
  return row;
}

void Journal::sweep(Time now, bool sure, std::vector<Mutation>& mutations) {
  const BootTime counts_from = now.boot - window_;
  while (!closed_.empty() && over_at(closed_.front()) < counts_from) {
    mutations.emplace_back(EraseCall{closed_.front().id});
    closed_.pop_front();
  }
  while (sure && !doubt_ends_.empty()) {
    const auto [end, call] = *doubt_ends_.begin();
    if (end + kDatingError >= now.circle || over_at(doubts_.at(call)) >= counts_from) return;
    take_doubt(call);
    mutations.emplace_back(EraseCall{call});
  }
}

void Journal::postpone_doubts(Duration by, std::vector<Mutation>& mutations) {
  doubt_ends_.clear();
  for (auto& [id, row] : doubts_) {
    *row.doubt_until += by;
    doubt_ends_.emplace(*row.doubt_until, id);
    mutations.emplace_back(PutCall{row});
  }
}

void Journal::reassign(MemberId from, MemberId to, std::vector<Mutation>& mutations) {
  for (const CallKind kind : {CallKind::kIssue, CallKind::kRefresh}) {
    const auto place = last_doubt_.find({from, kind});
    if (place == last_doubt_.end()) continue;
    CallRow row = take_doubt(place->second);
    row.member = to;
    const auto other = last_doubt_.find({to, kind});
    // The later end stands for both.
    if (other != last_doubt_.end()) {
      row.doubt_until = std::max(*row.doubt_until, *doubts_.at(other->second).doubt_until);
      keep_as_slot(take_doubt(other->second), mutations);
    }
    mutations.emplace_back(PutCall{row});
    add_doubt(row);
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
  return last_doubt_.count({member, CallKind::kIssue}) +
         last_doubt_.count({member, CallKind::kRefresh});
}

}  // namespace rota

#include "plan/budget_sheet.h"

#include <algorithm>
#include <atomic>

#include "base/check.h"

// The words, all of 64 bits:
//   [0]  the mark    [1]  how many slots were ever in use    [2..7]  0
//   then for each member, 8: identity, or 0; limit; for each class of calls, a wish; 0; 0
//   then the slots
// A wish: milliseconds of the boot clock << 8 | how many calls could not be had then.
// A slot: 0, or milliseconds << 8 | member's place << 3 | state. Held: since then. Over: since
// then.
namespace rota {
namespace {

constexpr std::uint64_t kMark = 0x31'44'55'42'41'54'4f'52;  // "ROTABUD1"
constexpr std::size_t kTop = 1;
constexpr std::size_t kHeader = 8;
constexpr std::size_t kOfMember = 8;
constexpr std::size_t kLimit = 1;
constexpr std::size_t kWishes = 2;
constexpr std::size_t kSlots = kHeader + BudgetSheet::kMembersMax * kOfMember;

constexpr std::uint64_t kStateBits = 3;
constexpr std::uint64_t kTimeShift = 8;
constexpr std::uint64_t kHeld = 1;
constexpr std::uint64_t kOver = 2;
constexpr std::uint64_t kLow = 0xff;

// Of the limit.
constexpr std::size_t kReserveShare = 10;
constexpr std::size_t kBorrowersLeaveShare = 20;
// So much later than ours can the clock be that another process has just read.
constexpr Duration kReadLater{1'000};
// A wish that is older counts no more: its member asks again ten times a second.
constexpr Duration kWishHolds{1'000};

std::atomic_ref<std::uint64_t> at(BudgetSheet::Words words, std::size_t index) {
  return std::atomic_ref<std::uint64_t>(words[index]);
}
std::size_t member_at(std::size_t place) { return kHeader + place * kOfMember; }

std::uint64_t word_of(BootTime time, std::size_t place, std::uint64_t state) {
  const auto ms =
      static_cast<std::uint64_t>(std::max<Duration::rep>(0, time.time_since_epoch().count()));
  return ms << kTimeShift | std::uint64_t{place} << kStateBits | state;
}
BootTime time_of(std::uint64_t word) {
  return BootTime{Duration{static_cast<Duration::rep>(word >> kTimeShift)}};
}
std::size_t place_of(std::uint64_t word) { return (word & kLow) >> kStateBits; }
std::uint64_t state_of(std::uint64_t word) { return word & ((1U << kStateBits) - 1); }

// Also of a time that is later than now: another process may have looked at the clock later.
bool is_free(std::uint64_t word, BootTime now, Duration window) {
  return word == 0 || (state_of(word) == kOver && time_of(word) + window < now);
}

bool can_be_slot(std::uint64_t word, BootTime now) {
  return word == 0 ||
         ((state_of(word) == kHeld || state_of(word) == kOver) &&
          place_of(word) < BudgetSheet::kMembersMax && time_of(word) <= now + kReadLater);
}

std::size_t reserve_of(std::size_t limit) {
  return std::max<std::size_t>(1, limit / kReserveShare);
}

// What this class leaves to more urgent ones.
std::size_t kept_from(CallClass each, std::size_t limit) {
  switch (each) {
    case CallClass::kWaiting:
      return 0;
    case CallClass::kRevocation:
      return std::max<std::size_t>(1, reserve_of(limit) / 2);
    case CallClass::kRefresh:
    case CallClass::kOther:
      return reserve_of(limit);
  }
  ROTA_CHECK(false);
}

}  // namespace

BudgetSheet::BudgetSheet(Words words, const Terms& terms) : words_(words), terms_(terms) {
  ROTA_CHECK(terms.limit >= 2 && terms.limit <= kSlotsMax && terms.window > Duration{0});
}

void BudgetSheet::format(Words words) { at(words, 0).store(kMark); }

bool BudgetSheet::is_sheet(Words words, BootTime now) {
  if (at(words, 0).load() != kMark || at(words, kTop).load() > kSlotsMax) return false;
  for (std::size_t slot = 0; slot < kSlotsMax; ++slot) {
    if (!can_be_slot(at(words, kSlots + slot).load(), now)) return false;
  }
  return true;
}

void BudgetSheet::carry_over(Words from, Words to, Duration window) {
  BootTime last{Duration{0}};
  for (std::size_t slot = 0; slot < kSlotsMax; ++slot) {
    last = std::max(last, time_of(at(from, kSlots + slot).load()));
  }
  for (std::size_t slot = 0; slot < kSlotsMax; ++slot) {
    const std::uint64_t word = at(from, kSlots + slot).load();
    if (is_free(word, last, window)) continue;
    at(to, kSlots + slot).store(word_of(BootTime{Duration{0}}, place_of(word), kOver));
  }
  for (std::size_t place = 0; place < kMembersMax; ++place) {
    at(to, member_at(place)).store(at(from, member_at(place)).load());
  }
  at(to, kTop).store(at(from, kTop).load());
  format(to);
}

std::size_t BudgetSheet::slots() const {
  return std::min<std::size_t>(kSlotsMax, at(words_, kTop).load());
}

std::vector<std::size_t> BudgetSheet::places_for(std::uint64_t identity, BootTime now,
                                                 const Alive& alive) {
  std::bitset<kMembersMax> has_calls;
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    const std::uint64_t word = at(words_, kSlots + slot).load();
    if (!is_free(word, now, terms_.window)) has_calls.set(place_of(word) % kMembersMax);
  }
  std::vector<std::size_t> own;
  std::vector<std::size_t> never_used;
  std::vector<std::size_t> left;
  for (std::size_t place = 0; place < kMembersMax; ++place) {
    const std::uint64_t found = at(words_, member_at(place)).load();
    if (found == identity) own.push_back(place);
    if (found == 0) never_used.push_back(place);
    if (found != 0 && found != identity && !alive[place] && !has_calls[place])
      left.push_back(place);
  }
  own.insert(own.end(), never_used.begin(), never_used.end());
  own.insert(own.end(), left.begin(), left.end());
  return own;
}

void BudgetSheet::join(std::size_t place, std::uint64_t identity, BootTime now) {
  ROTA_CHECK(place < kMembersMax && identity != 0);
  place_ = place;
  at(words_, member_at(place) + kLimit).store(terms_.limit);
  for (const CallClass each : kCallClasses) {
    at(words_, member_at(place) + kWishes + index_of(each)).store(0);
  }
  at(words_, member_at(place)).store(identity);
  std::uint64_t top = at(words_, kTop).load();
  while (top < terms_.limit && !at(words_, kTop).compare_exchange_weak(top, terms_.limit)) {
  }
  end_what_is_held(place, now);
}

void BudgetSheet::end_what_is_held(std::size_t place, BootTime now) {
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    std::uint64_t word = at(words_, kSlots + slot).load();
    if (state_of(word) == kHeld && place_of(word) == place) {
      at(words_, kSlots + slot).compare_exchange_strong(word, word_of(now, place, kOver));
    }
  }
}

BudgetSheet::Tally BudgetSheet::tally(BootTime now, const Alive& alive) {
  ROTA_CHECK(place_);
  Tally tally{.limit = terms_.limit};
  for (std::size_t place = 0; place < kMembersMax; ++place) {
    if (!alive[place] && place != *place_) continue;
    if (at(words_, member_at(place)).load() == 0) continue;
    ++tally.members;
    const std::uint64_t limit = at(words_, member_at(place) + kLimit).load();
    if (limit >= 2) tally.limit = std::min<std::size_t>(tally.limit, limit);
  }
  tally.share = std::max<std::size_t>(1, tally.limit / tally.members);
  std::array<std::size_t, kMembersMax> used{};
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    std::uint64_t word = at(words_, kSlots + slot).load();
    if (is_free(word, now, terms_.window)) continue;
    ++tally.used;
    const std::size_t place = place_of(word) % kMembersMax;
    ++used.at(place);
    if (state_of(word) == kHeld && !alive[place] && place != *place_) {
      at(words_, kSlots + slot).compare_exchange_strong(word, word_of(now, place, kOver));
    }
  }
  tally.own = used.at(*place_);
  count_wishes(tally, used, now, alive);
  return tally;
}

void BudgetSheet::count_wishes(Tally& tally, const std::array<std::size_t, kMembersMax>& used,
                               BootTime now, const Alive& alive) const {
  for (std::size_t place = 0; place < kMembersMax; ++place) {
    if (!alive[place] || place == *place_) continue;
    for (const CallClass each : kCallClasses) {
      const std::uint64_t wish = at(words_, member_at(place) + kWishes + index_of(each)).load();
      if (wish == 0 || time_of(wish) + kWishHolds < now) continue;
      const std::size_t calls = wish & kLow;
      if (used.at(place) < tally.share) tally.wished_below_share.at(index_of(each)) += calls;
      if (each <= CallClass::kRefresh) tally.wished_refreshes += calls;
    }
  }
}

bool BudgetSheet::allows(const Tally& tally, CallClass each) {
  std::size_t keep = kept_from(each, tally.limit);
  if (tally.members > 1) {
    // Of the share, too, a part is for more urgent calls.
    const std::size_t share = tally.share - std::min(tally.share, keep / tally.members);
    if (tally.own >= share) {
      keep += std::max<std::size_t>(1, tally.limit / kBorrowersLeaveShare);
      // Whatever the others below their share wish for: so much must be free that they can have it.
      std::size_t wishes = 0;
      for (const CallClass wished : kCallClasses) {
        if (tally.wished_below_share.at(index_of(wished)) == 0) continue;
        wishes += tally.wished_below_share.at(index_of(wished));
        keep = std::max(keep, kept_from(wished, tally.limit) + wishes);
      }
    }
    if (each == CallClass::kOther && tally.own >= share / 2) keep += tally.wished_refreshes;
  }
  return tally.used + keep < tally.limit;
}

bool BudgetSheet::put_into_free_slot(std::uint64_t word, BootTime now, std::size_t limit) {
  for (std::size_t slot = 0; slot < limit; ++slot) {
    std::uint64_t found = at(words_, kSlots + slot).load();
    if (is_free(found, now, terms_.window) &&
        at(words_, kSlots + slot).compare_exchange_strong(found, word)) {
      return true;
    }
  }
  return false;
}

bool BudgetSheet::take_one(CallClass each, BootTime now, const Alive& alive) {
  const Tally seen = tally(now, alive);
  return allows(seen, each) && put_into_free_slot(word_of(now, *place_, kHeld), now, seen.limit);
}

CallCounts BudgetSheet::take(const CallCounts& wanted, BootTime now, const Alive& alive) {
  CallCounts got{};
  for (const CallClass each : kCallClasses) {
    std::size_t& taken = got.at(index_of(each));
    const std::size_t most = wanted.at(index_of(each));
    while (taken < most && take_one(each, now, alive)) ++taken;
    wish(each, most - taken, now);
  }
  return got;
}

void BudgetSheet::wish(CallClass each, std::size_t calls, BootTime now) {
  const auto word = at(words_, member_at(*place_) + kWishes + index_of(each));
  if (calls == 0 && word.load() == 0) return;
  const auto ms = static_cast<std::uint64_t>(now.time_since_epoch().count());
  word.store(calls == 0 ? 0 : ms << kTimeShift | std::min<std::uint64_t>(calls, kLow));
}

bool BudgetSheet::change_held(std::uint64_t into) {
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    std::uint64_t word = at(words_, kSlots + slot).load();
    if (state_of(word) == kHeld && place_of(word) == *place_ &&
        at(words_, kSlots + slot).compare_exchange_strong(word, into)) {
      return true;
    }
  }
  return false;
}

void BudgetSheet::complete(std::size_t calls, BootTime now) {
  ROTA_CHECK(place_);
  while (calls-- > 0 && change_held(word_of(now, *place_, kOver))) {
  }
}

void BudgetSheet::give_back(std::size_t calls) {
  ROTA_CHECK(place_);
  while (calls-- > 0 && change_held(0)) {
  }
}

void BudgetSheet::recall(std::span<const BootTime> ended, std::size_t under_way, BootTime now) {
  ROTA_CHECK(place_);
  std::size_t held = 0;
  std::size_t over = 0;
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    const std::uint64_t word = at(words_, kSlots + slot).load();
    if (is_free(word, now, terms_.window) || place_of(word) != *place_) continue;
    ++(state_of(word) == kHeld ? held : over);
  }
  for (; held < under_way; ++held) {
    if (!put_into_free_slot(word_of(now, *place_, kHeld), now, slots())) return;
  }
  // The latest ones first: the others are free sooner.
  for (auto each = ended.rbegin(); each != ended.rend() && over < ended.size(); ++each, ++over) {
    if (!put_into_free_slot(word_of(*each, *place_, kOver), now, slots())) return;
  }
}

SharedBudget::View BudgetSheet::view(BootTime now, const Alive& alive) {
  const Tally seen = tally(now, alive);
  return {.limit = seen.limit,
          .used = seen.used,
          .own = seen.own,
          .share = seen.share,
          .members = seen.members};
}

}  // namespace rota

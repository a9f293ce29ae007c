#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/time.h"
#include "plan/shared_budget.h"

namespace rota {

// A budget that several processes share in one piece of memory (P7). Each call has a slot there,
// which is one word: free, held by a member, or over since a time on the boot clock. All processes
// of a machine have the same boot clock. A word changes by compare-and-swap only, so there is no
// lock that a process could keep when it is killed or stopped, and no half-written state: of the
// slots, at most `limit` can be taken, whatever happens to whom.
//
// A member that has died can not have sent a call later than its death. So the first one that sees
// a dead member's held slots says that they are over now.
//
// Who may take which slots:
//   - a tenth is left to waiting clients and revocations, half of that to waiting clients alone, as
//     in Budget;
//   - a member that has its share may take what others leave: all but another twentieth. If a
//   member
//     below its share could not get a call a moment ago, it leaves so much that the other one can;
//   - first tokens also leave room for refreshes that another member could not get a moment ago,
//     once they have taken half of the share. So they cannot keep tokens in use from being
//     refreshed, and are not shut out.
// These rules are about who comes first. Two members that take at the same moment may both break
// one by a call. The limit they cannot break.
//
// Pure: the memory, the time and who is alive come from outside. Any number of processes may use
// the same memory at once; each object belongs to one thread.
class BudgetSheet {
 public:
  static constexpr std::size_t kMembersMax = 16;
  static constexpr std::size_t kSlotsMax = 20'000;  // the largest limit
  static constexpr std::size_t kWords = 8 + kMembersMax * 8 + kSlotsMax;
  using Words = std::span<std::uint64_t, kWords>;
  using Alive = std::bitset<kMembersMax>;  // by the member's place

  struct Terms {
    std::size_t limit = 0;  // calls of all members in a window; if members differ, the least counts
    Duration window{0};
  };

  // `words` outlive this. They are all 0, or another sheet has used them. Aborts if the terms are
  // out of range.
  BudgetSheet(Words words, const Terms& terms);

  // Puts the sheet's mark into words that are all 0.
  static void format(Words words);
  // Whether the words can be a sheet at this time. They are not if other programs wrote there.
  static bool is_sheet(Words words, BootTime now);
  // The calls of a sheet of an earlier boot, as one of this boot: no clock tells how long ago they
  // were, so they count as made when this boot began.
  static void carry_over(Words from, Words to, Duration window);

  // The places at which a member of this identity (not 0) can join, the best one first. The caller
  // must make sure that nobody else has the place, and that this shows in Alive, before it joins.
  std::vector<std::size_t> places_for(std::uint64_t identity, BootTime now, const Alive& alive);
  // What an earlier process of this identity held is over now.
  void join(std::size_t place, std::uint64_t identity, BootTime now);

  // As of SharedBudget; join() comes first.
  CallCounts take(const CallCounts& wanted, BootTime now, const Alive& alive);
  void complete(std::size_t calls, BootTime now);
  void give_back(std::size_t calls);
  void recall(std::span<const BootTime> ended, std::size_t under_way, BootTime now);
  SharedBudget::View view(BootTime now, const Alive& alive);

 private:
  struct Tally {
    std::size_t limit = 0;
    std::size_t used = 0;
    std::size_t own = 0;
    std::size_t members = 0;
    std::size_t share = 0;
    CallCounts wished_below_share{};   // by others
    std::size_t wished_refreshes = 0;  // by others, and what is more urgent
  };
  Tally tally(BootTime now, const Alive& alive);
  void count_wishes(Tally& tally, const std::array<std::size_t, kMembersMax>& used, BootTime now,
                    const Alive& alive) const;
  static bool allows(const Tally& tally, CallClass each);
  bool take_one(CallClass each, BootTime now, const Alive& alive);
  bool put_into_free_slot(std::uint64_t word, BootTime now, std::size_t limit);
  bool change_held(std::uint64_t into);
  void end_what_is_held(std::size_t place, BootTime now);
  void wish(CallClass each, std::size_t calls, BootTime now);
  std::size_t slots() const;

  const Words words_;
  const Terms terms_;
  std::optional<std::size_t> place_;
};

}  // namespace rota

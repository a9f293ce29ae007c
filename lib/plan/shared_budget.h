#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/enumerators.h"
#include "base/time.h"
#include "plan/lane.h"

namespace rota {

// How urgent a call is to those who share a budget with others, most urgent first.
enum class CallClass : std::uint8_t {
  kWaiting,     // a client waits for it
  kRevocation,  // of a leaver
  kRefresh,     // of a member that has tokens
  kOther,       // first tokens, and superseded ones
};
inline constexpr auto kCallClasses = enumerators_from<CallClass::kWaiting>();
inline constexpr std::size_t kCallClassCount = kCallClasses.size();
constexpr std::size_t index_of(CallClass each) { return static_cast<std::size_t>(each); }
CallClass class_of(Lane lane);

// So many calls of each class.
using CallCounts = std::array<std::size_t, kCallClassCount>;
std::size_t sum_of(const CallCounts& counts);

// The calls of one address, which several daemons share (P7). The engine does not know it: the
// driver takes calls from it and hands them to the engine (engine/quota_turn.h). A call that was
// taken counts until it is given back, or until one window after it is over.
class SharedBudget {
 public:
  virtual ~SharedBudget() = default;

  // Takes as many of these calls as may be sent now, most urgent first. Does not block. For a
  // moment, the others leave room for those that it could not have.
  virtual CallCounts take(const CallCounts& wanted, BootTime now) = 0;
  // So many of the calls that were taken are over.
  virtual void complete(std::size_t calls, BootTime now) = 0;
  // So many of them were not sent.
  virtual void give_back(std::size_t calls) = 0;
  // What this daemon knows of its own calls: when those of the last window ended, and how many are
  // under way. Calls that are not in the budget yet are put there, so that the others count them.
  // At a start, and whenever lost() says so.
  virtual void recall(std::span<const BootTime> ended, std::size_t under_way, BootTime now) = 0;
  // Whether what is shared has become another one since recall().
  virtual bool lost(BootTime now) = 0;

  struct View {
    std::string name{};       // of the group
    std::string trouble{};    // why nothing is shared, and only a safe part is used; or empty
    std::size_t limit = 0;    // calls of all in a window
    std::size_t used = 0;     // of these, by all
    std::size_t own = 0;      // and by this daemon
    std::size_t share = 0;    // that this daemon has when all are busy
    std::size_t members = 0;  // daemons that run
  };
  virtual View view(BootTime now) = 0;
};

}  // namespace rota

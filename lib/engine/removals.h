#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "base/time.h"
#include "roster/guard.h"
#include "store/meta.h"
#include "store/token_store.h"

namespace rota {

// Holds back a client that removes very many members within an hour, and spreads the members that
// leave because nobody asks for them. The guard's measure for a client is the same as for a roster:
// more than max_retire_count, and more than max_retire_fraction of those that the client itself has
// enrolled. A client that is held back stays so, over restarts too, until an operator lifts it; how
// many members a client has removed lately is not stored. Times are on the boot clock, so no clock
// step makes many members leave at once. Pure, and single-threaded: the engine owns it.
class Removals {
 public:
  // `held`: as it was on record.
  explicit Removals(const GuardPolicy& guard, const HeldClients& held = {});

  enum class Verdict {
    kAllowed,       // counted
    kFirstRefused,  // more than the guard's measure: one alarm
    kRefused,       // the same, and it was told before
  };
  // The client asks to end an enrolment. `count_own` says how many members it has enrolled; it is
  // asked only if the client may be past the measure, and at most once in kCountEvery.
  Verdict ask(const std::string& client, const std::function<std::size_t()>& count_own,
              BootTime now);
  // An operator agrees: for kSpan nothing holds this client back, and what it removes meanwhile
  // counts for nothing.
  void lift(const std::string& client, BootTime now);
  bool holds_back(const std::string& client) const;
  // Whether an operator lifted it less than kSpan ago.
  bool is_lifted(const std::string& client, BootTime now) const;
  // A record says only by their fingerprints which clients are held back. This may be the name of
  // one.
  void learn_name(const std::string& client);
  // The clients that are held back, sorted: each by its name or, while nobody has told it,
  // "hash:" and the fingerprint of the name.
  std::vector<std::string> held_back() const;
  // Appends what is to be stored of the clients that are held back, if that has changed. Of more
  // than a record has room for, a restart forgets some.
  void record(std::vector<Mutation>& changes);

  // When a member that nobody asks for may leave: each gets a moment of its own, so that of
  // `enrolled` members at most kIdleShare leave within an hour, but one an hour in any case.
  BootTime next_idle_leave(std::size_t enrolled, BootTime now);

  static constexpr Duration kSpan = std::chrono::hours{1};
  static constexpr Duration kCountEvery = std::chrono::minutes{1};
  static constexpr double kIdleShare = 0.02;

 private:
  struct Client {
    std::deque<BootTime> removed;  // within the last kSpan
    // How many members it had enrolled an hour before that, about.
    std::size_t had = 0;
    std::optional<BootTime> counted_at;
    std::optional<BootTime> free_until;
  };
  bool is_past_measure(Client& asking, const std::function<std::size_t()>& count_own,
                       BootTime now) const;

  const GuardPolicy guard_;
  std::map<std::string, Client> clients_;
  // The clients that are held back, by the fingerprints of their names; empty: nobody has told the
  // name since the start.
  std::map<Fingerprint, std::string> held_;
  HeldClients on_record_;
  std::optional<BootTime> last_idle_leave_;
};

}  // namespace rota

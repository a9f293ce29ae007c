#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "base/time.h"
#include "e2e/box.h"

// What a campaign of kills is made of: clients that fetch all the while, a book of all that they
// were served, and the sandbox's ledger to judge it by.

namespace rota::e2e {

// By this machine's clock, in the resolution of Circle's timestamps.
WallTime wall_now();

// How a fetch names a member, and its roster entry.
std::string query_of(int member);
std::string entry_of(int member, bool retired);

// A time during which threads may do something; whoever closes it knows that they have stopped.
class Gate {
 public:
  void open();
  // Returns when every thread has left.
  void close();
  // Lets enter() return false from now on.
  void end();

  // For the threads. Waits until the gate is open; false when it never will be again.
  bool enter();
  void leave();
  bool is_open() const;
  // True when it was closed before `delay` was over.
  bool closed_within(Duration delay) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool open_ = false;
  bool ended_ = false;
  int inside_ = 0;
};

// What clients were served. Any thread.
class Book {
 public:
  void saw(int member, const std::string& token, WallTime sent, WallTime received);
  // Kills this process as soon as anybody is served a token that nobody was served before: if it
  // were not durable then, it would be lost.
  void kill_at_news(pid_t process) { victim_ = process; }
  // Whether that came to pass; from now on it will not.
  bool killed() { return victim_.exchange(0) == 0; }
  // A fetch that is sent after `since` must get nothing for the member, until it is back.
  void gone(int member, WallTime since);
  void back(int member);
  bool knows(const std::string& token) const;
  // The same, but not what a member had before it was gone and came back.
  bool still_counts(const std::string& token) const;
  std::size_t fetches() const;
  std::size_t tokens() const;

  // Every token against the ledger of the sandbox, whose clock is `offset` from this machine's.
  void judge(const boost::json::array& ledger, Duration offset) const;

 private:
  struct Sightings {
    int member = 0;
    WallTime first_received;
    WallTime last_sent;
  };
  std::atomic<pid_t> victim_ = 0;
  mutable std::mutex mutex_;
  std::map<std::string, Sightings> tokens_;
  std::map<int, WallTime> gone_;
  std::map<int, WallTime> back_;
  std::vector<std::string> after_the_end_;  // what was served to whom, although it was gone
  std::size_t fetches_ = 0;
};

// A thread that asks for tokens of members 1 to `members` whenever the gate is open.
struct ClientPlan {
  bool keep_alive = true;
  std::string options;             // of its fetches
  bool refuses_sometimes = false;  // says that Circle refused what it got
};
std::thread start_client(const ClientPlan& plan, int members, std::uint64_t seed,
                         const Daemon& daemon, Gate& gate, Book& book);

// The newest living access token of each member, of those that satisfy `counts`.
struct LedgerToken {
  std::string token;
  std::string issued_at;  // times of one form: the later one is the greater text
  WallTime expires_at;
};
std::map<int, LedgerToken> newest_living(const Sandbox& sandbox,
                                         const std::function<bool(const std::string&)>& counts);

}  // namespace rota::e2e

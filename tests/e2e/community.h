#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "e2e/box.h"

// A community that lives, and what a test knows of it: who was a member when, what was served, and
// which deeds may have cost a call. judge() holds that against the sandbox's ledger.

namespace rota::e2e {

// Later than all that happens, and still a time to which another one can be added.
inline constexpr WallTime kEver{std::chrono::days{100'000}};

// By this machine's clock.
struct Span {
  WallTime from;
  WallTime to;
};

// One name of a person, in the forms in which requests have it.
struct Name {
  std::string key;    // in a path
  std::string query;  // of a fetch
  std::string body;   // of a login by Circle's API
};
Name email_of(int person);
Name sso_of(int person);
Name id_of(int person);
// These three, in this order.
std::array<Name, 3> names_of(int person);

// Any thread, until the judgement. Persons are named by their ids at Circle.
class History {
 public:
  void saw(const Name& name, const std::string& token, Span request);
  // A fetch that brought no token.
  void refused(const Name& name, Span request);
  // Circle gives the name to another person, at some time in the span.
  void moved(const Name& name, int from, int to, Span when);
  // What may cost calls for the person that would not be needed otherwise.
  void deed(int person, Span when);
  // By Circle's API: who has been given a token and asks again may have been refused it.
  void asked_again(int person, Span when);
  // A deed, after which nobody promises a fresh token until the person is served one again.
  void cut(int person, Span when);
  // Nothing may be served by this person's own names to who asks after `since`, until it is back.
  void out(int person, WallTime since);
  void back(int person, WallTime since);
  // Answered with 200 or 202: no access token of before may live, or be served from now on.
  void signed_out(const Name& name, Span when);
  // A single token is dead, and was so when the client heard it.
  void returned(const std::string& token, WallTime since);
  // Circle removes the person, and takes it back.
  void gone(int person, WallTime since);
  void rejoined(int person, WallTime since);
  // Whether a token of whoever has this name may live.
  void wants(const Name& name, bool wanted);
  void wrong_name(const std::string& key);

  void killed(Span until_ready);
  void foul(Span weather);
  // The machine let nobody write to the disk, or run.
  void stalled(Span stall);
  std::size_t kills() const { return kills_; }

  // Tokens that were served under this person's own names since Circle took it back last.
  std::vector<std::string> tokens_of(int person) const;

 private:
  friend class Judge;
  struct Sighting {
    std::size_t name = 0;
    std::size_t token = 0;
    Span request;
  };
  struct Person {
    std::vector<Span> deeds;
    std::vector<Span> asked_again;
    std::vector<Span> cuts;
    std::vector<Span> outs;
    std::vector<std::pair<Span, std::string>> sign_outs;  // and by which name
    std::vector<Span> gone;
    bool moved = false;
    int heir = 0;  // who got its address; 0: nobody
    std::set<std::string> tokens;
  };
  struct Known {
    std::string key;
    int person = 0;  // whose own name it is
    // Who has had it, from when until when at most.
    std::vector<std::pair<int, Span>> owners;
  };
  std::size_t known(const Name& name);
  void add_deed(int person, Span when);

  mutable std::mutex mutex_;
  std::map<int, Person> persons_;
  std::map<std::string, std::size_t> name_ids_;
  std::vector<Known> names_;
  std::map<std::string, std::size_t> token_ids_;
  std::vector<std::string> tokens_;
  std::vector<Sighting> sightings_;
  std::vector<std::pair<std::size_t, Span>> refused_;  // by name
  std::map<std::string, WallTime> returned_;
  std::set<std::string> wanted_;
  std::set<std::string> wrong_names_;
  std::vector<Span> down_;
  std::vector<Span> foul_;
  std::vector<Span> stalls_;
  std::atomic<std::size_t> kills_ = 0;
};

// What the daemon was started with, and how much may be held against it.
struct Terms {
  Duration access_ttl{};
  Duration refresh_ttl{};
  // A token with no more than this left may be replaced.
  Duration replaced_with_left{};
  // How often a pair is renewed, and with it each name asked for; zero: not within the campaign.
  Duration pair_renewed_every{};
  Duration clock_offset{};  // of Circle's clock
};

// What was put to the test, for people and against a judgement about nothing.
struct Verdict {
  std::size_t sightings = 0;
  std::size_t tokens = 0;
  std::size_t moves_judged = 0;  // fetches of a moved name when it must have been found out
  std::size_t stalls = 0;        // of the machine
  std::size_t dead = 0;          // tokens that had to be dead
  std::size_t needless_checked = 0;
  std::int64_t without_need = 0;  // the most calls of one member that only renewals explain
  Duration watched{};             // time of all persons in which a gap would have been found
};

// Adds a failure for each breach. `ledger`: all its rows; `log`: what the sandbox logged of calls.
Verdict judge(const History& history, const boost::json::array& ledger, const std::string& log,
              const Terms& terms, Span campaign);

}  // namespace rota::e2e

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "e2e/campaign.h"
#include "e2e/community.h"

// Who acts in a community, each on a thread of its own. Each person belongs to one actor, so the
// actor knows whether the person is a member, but for requests without an answer.

namespace rota::e2e {

// The ways to the daemon: the token socket, as root, and a listener, as the client "shop".
struct Doors {
  const Daemon& daemon;
  std::uint16_t port = 0;
  std::string bearer;
};
enum class Door { kSocket, kListener };

inline bool unanswered(const Reply& reply) { return reply.status == 0; }

class Actor {
 public:
  Actor(const Doors& doors, const Sandbox& sandbox, Gate& gate, History& history,
        std::uint64_t seed)
      : doors_(doors), sandbox_(sandbox), gate_(gate), history_(history), random_(seed) {}
  virtual ~Actor() = default;
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;
  // Acts until the gate closes.
  void run();

 protected:
  virtual void act() = 0;
  virtual Duration pace() const = 0;

  struct Request {
    Door door = Door::kSocket;
    std::string method;
    std::string path;
    std::string body{};
  };
  Reply call(const Request& request) const;
  // Both are sent before an answer is read.
  std::pair<Reply, Reply> call_both(const Request& one, const Request& other) const;
  // Asks until the answer is neither none nor 503: the daemon may be dead, or Circle. The last one.
  Reply insist(const Request& request);
  Connection send(const Request& request) const;
  void circle_has(int person, const std::string& email, const std::string& sso) const;
  bool one_of(std::uint64_t number) { return random_.below(number) == 0; }
  Door any_door() { return one_of(2) ? Door::kSocket : Door::kListener; }

  const Doors& doors_;
  const Sandbox& sandbox_;
  Gate& gate_;
  History& history_;
  Random random_;
};

// An app whose members come and go.
class App : public Actor {
 public:
  // Persons `first` to `last`. Whoever gets an address of person P is person P + kHeirs.
  static constexpr int kHeirs = 1'000;
  App(const Doors& doors, const Sandbox& sandbox, Gate& gate, History& history, std::uint64_t seed,
      int first, int last);
  // Names that must be served in the end.
  std::vector<Name> members() const;

 private:
  enum class In { kNo, kMaybe, kYes };
  struct Session {
    In in = In::kNo;
    std::string handle;
  };
  struct Person {
    int id = 0;
    std::array<bool, 3> uses{};  // of names_of()
    std::array<Session, 2> at;   // by door
    std::string token;           // the last one that it was served
    bool heir = false;           // its address is another person's
    bool was_moved = false;
    bool blocked = false;  // by an operator
    bool gone = false;     // from Circle
    bool unclear = false;  // of some name nobody knows whether it is enrolled
    bool sure() const { return at[0].in == In::kYes || at[1].in == In::kYes; }
    bool out() const { return at[0].in == In::kNo && at[1].in == In::kNo; }
    Session& session(Door door) { return at[door == Door::kSocket ? 0 : 1]; }
  };

  void act() override;
  Duration pace() const override { return Duration{15}; }
  void act_for(Person& person);
  // One that it uses, if it uses any.
  Name name_of(const Person& person);
  void sign_up(Person& person);
  void log_in(Person& person);
  void refresh(Person& person);
  void refuse(Person& person);
  void rush(Person& person);
  void end_handle(Person& person);
  void give_token_back(Person& person);
  void sign_out(Person& person);
  void leave(Person& person, bool everywhere);
  void move_address(Person& person);
  void leave_circle(Person& person);
  void reinstate(const Person& person);
  void block(Person& person);
  void act_for_blocked(Person& person);
  bool order(const Name& name, std::string_view what);
  void note_served(Person& person, const Name& name, const Reply& reply, Span span);

  std::vector<Person> persons_;
  bool has_moved_ = false;  // some address
};

// The operator's roster: persons `first` to `last`.
class RosterKeeper : public Actor {
 public:
  static constexpr std::size_t kStays = 7;  // so many of the first never leave
  RosterKeeper(const Doors& doors, const Sandbox& sandbox, Gate& gate, History& history,
               std::uint64_t seed, int first, int last);
  std::string roster() const;
  std::vector<Name> members() const;

 private:
  enum class Entry { kNone, kNamed, kRetired };
  void act() override;
  Duration pace() const override { return Duration{400}; }
  Name name_of(int person) const { return person % 2 == 0 ? email_of(person) : id_of(person); }

  int first_;
  std::vector<Entry> entries_;
};

// Programs that ask for everybody's token, and a login form with wrong addresses.
class Reader : public Actor {
 public:
  Reader(const Doors& doors, const Sandbox& sandbox, Gate& gate, History& history,
         std::uint64_t seed, int persons)
      : Actor(doors, sandbox, gate, history, seed), persons_(persons) {}

 private:
  void act() override;
  Duration pace() const override { return Duration{4}; }

  int persons_;
};

// A program that is told of each change of everybody's token, by two names.
class Watcher : public Actor {
 public:
  Watcher(const Doors& doors, const Sandbox& sandbox, Gate& gate, History& history,
          std::uint64_t seed, int persons)
      : Actor(doors, sandbox, gate, history, seed), persons_(persons) {}

 private:
  void act() override;
  Duration pace() const override { return Duration{0}; }
  void note(std::string_view event);

  int persons_;
  std::optional<Connection> stream_;
  std::string begun_;  // of an event
};

// Writes to the disk as the daemon does, and notes when that takes so long that nobody could be in
// time.
class DiskProbe : public Actor {
 public:
  using Actor::Actor;

 private:
  void act() override;
  Duration pace() const override { return Duration{50}; }
};

}  // namespace rota::e2e

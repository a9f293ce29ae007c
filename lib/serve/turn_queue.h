#pragma once

#include <boost/intrusive/list.hpp>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "api/access.h"

namespace rota {

struct OfProcess;  // marks the links of a process's connections

using TurnLink =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
using MemberLink =
    boost::intrusive::list_base_hook<boost::intrusive::tag<OfProcess>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
template <class T>
using TurnRing = boost::intrusive::list<T, boost::intrusive::base_hook<TurnLink>,
                                        boost::intrusive::constant_time_size<false>>;

// The part of a connection that the queue uses.
class TurnTaker : public TurnLink, public MemberLink {
 protected:
  ~TurnTaker() = default;

 private:
  friend class TurnQueue;
  void* process_ = nullptr;  // the queue's own, from enter() to leave()
};

// Who takes turns: a user of this machine, or a client of a listener. Peers that are not known
// (yet) are one user together.
struct TurnUser {
  std::uint32_t uid = 0;
  std::string client{};

  auto operator<=>(const TurnUser&) const = default;
};
inline TurnUser turn_user_of(const PeerIdentity& peer) {
  return {.uid = peer.uid, .client = peer.client};
}

// Whose turn is next. Users with something to do take turns; within a user its processes do, and
// within a process its connections. So a crowd makes only its own user and process wait (P11). It
// also counts connections. All methods take constant time but largest() and connections(). Loop
// thread only.
class TurnQueue {
 public:
  struct Counts {
    std::size_t of_user = 0;
    std::size_t of_process = 0;
  };

  // A connection of `peer` came. It must leave() before it is destroyed.
  void enter(TurnTaker& taker, const PeerIdentity& peer);
  // The connection ends; its turn, if it waits for one, is dropped. Aborts if it has not entered.
  void leave(TurnTaker& taker);
  // How many connections the peer's user and process have.
  Counts counts(const PeerIdentity& peer) const;
  // Whether all connections are of one process.
  bool is_of_one_process() const {
    return users_.size() == 1 && users_.begin()->second.processes.size() == 1;
  }

  // The process with the most connections: of this user or, if that is nullopt, of the user with
  // the most. Nullopt if there is no connection of that user.
  struct Crowd {
    TurnUser user;
    std::int32_t pid = 0;
    Counts counts;
  };
  std::optional<Crowd> largest(const std::optional<TurnUser>& of) const;
  // The connections of that process, which must have some.
  std::vector<TurnTaker*> connections(const Crowd& crowd);

  // Asks for a turn, after the process's other connections that wait. Does nothing if it waits
  // already. Only for a connection that has entered.
  void push(TurnTaker& taker);
  // Takes out the connection whose turn is next; null if nobody waits.
  TurnTaker* pop();

 private:
  struct User;
  struct Process : TurnLink {
    User* user = nullptr;
    std::int32_t pid = 0;
    std::size_t connections = 0;
    TurnRing<TurnTaker> waiting;
    boost::intrusive::list<TurnTaker, boost::intrusive::base_hook<MemberLink>,
                           boost::intrusive::constant_time_size<false>>
        all;
  };
  struct User : TurnLink {
    TurnUser key;
    std::size_t connections = 0;
    std::unordered_map<std::int32_t, Process> processes;
    TurnRing<Process>
        waiting;  // all that have a connection waiting, and perhaps some that have not
  };

  std::map<TurnUser, User> users_;
  TurnRing<User> waiting_;  // the same for users
};

}  // namespace rota

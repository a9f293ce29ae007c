#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
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

// A connection, as the queue sees it.
class TurnTaker : public TurnLink, public MemberLink {
 protected:
  ~TurnTaker() = default;

 private:
  friend class TurnQueue;
  void* process_ = nullptr;  // the queue's own, from enter() to leave()
};

// Who is next. The users that have something to do follow each other, of each its processes, and of
// each of those its connections: a crowd waits behind its like (P11). Counts connections on the
// way. Every step costs the same whatever their number. Loop thread only.
class TurnQueue {
 public:
  struct Counts {
    std::size_t of_user = 0;
    std::size_t of_process = 0;
  };

  // A connection of `peer` came. It must leave() before its end.
  void enter(TurnTaker& taker, const PeerIdentity& peer);
  // Takes it out of the queue as well.
  void leave(TurnTaker& taker);
  Counts counts(const PeerIdentity& peer) const;

  // The process with the most connections of this user, or of the user with the most.
  struct Crowd {
    std::uint32_t uid = 0;
    std::int32_t pid = 0;
    Counts counts;
  };
  std::optional<Crowd> largest(std::optional<std::uint32_t> uid) const;
  std::vector<TurnTaker*> connections(const Crowd& crowd);

  // Behind its like; stays where it is if it waits already. Only for one that has entered.
  void push(TurnTaker& taker);
  // Takes out the next; null when nobody waits.
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
    std::uint32_t uid = 0;
    std::size_t connections = 0;
    std::unordered_map<std::int32_t, Process> processes;
    TurnRing<Process> waiting;  // those with somebody waiting, and perhaps some whose last one went
  };

  std::unordered_map<std::uint32_t, User> users_;
  TurnRing<User> waiting_;  // in the same way
};

}  // namespace rota

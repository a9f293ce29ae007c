#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <variant>
#include <vector>

#include "api/answer.h"
#include "api/services.h"
#include "http/response.h"

namespace rota {

// A reply's place in the order of one connection. Numbers only grow, and none is used again.
enum class ReplyNumber : std::uint64_t {};

// A wait that has ended. The token is looked up only when the reply's turn comes, so that no token
// ages in the queue, and no member retires there.
struct Settled {
  Asked asked;
  WaitAnswer answer;
};
// Leave to send the body of the request that is being received: not a reply, but it has its turn.
struct Continue {};

// A reply that has come to its turn: what to render.
struct ReadyReply {
  using Content = std::variant<Settled, Continue, WatchReply, JsonReply, MetricsReply, ErrorReply>;

  ReplyForm form;
  Content content;
};

// The replies of one connection that have their place in the order and are not rendered yet. They
// leave in the order in which they came, whichever becomes ready first. It starts and cancels
// nothing: the session does, and tells it how things ended. Owns what it holds. Without I/O. Loop
// thread only.
class ReplyQueue {
 public:
  ReplyQueue() = default;
  ReplyQueue(const ReplyQueue&) = delete;
  ReplyQueue& operator=(const ReplyQueue&) = delete;

  bool empty() const { return replies_.empty(); }
  // No further reply may enter: kRequestsReadAheadMax are here, or kWaitsPerConnectionMax wait.
  bool full() const;
  // The number of the reply that enters next: what is started for it needs to know the number
  // first.
  ReplyNumber next_number() const { return ReplyNumber{first_ + replies_.size()}; }

  // Each enters one reply behind all others. Only while it is not full().
  void add(ReplyForm form, ReadyReply::Content content);
  // Becomes ready by settle(); until then clear() returns `wait`.
  void add_waiting(ReplyForm form, Asked asked, WaitId wait);
  // Becomes ready by finish().
  void add_running(ReplyForm form);

  // The wait of this reply has ended, or what ran for it. Once for each reply. False if the reply
  // is gone since clear(): then there is nothing to do.
  bool settle(ReplyNumber number, const WaitAnswer& answer);
  bool finish(ReplyNumber number, PlainReply reply);

  // Takes out the first reply if it is ready.
  std::optional<ReadyReply> take_ready();
  // The last reply so far is the last of the connection, and says so. Harmless when empty.
  void close_behind_last();
  // Drops all. Returns the waits that have not ended: the caller cancels them.
  std::vector<WaitId> clear();

 private:
  struct Waiting {
    Asked asked;
    WaitId wait{};
  };
  struct Running {};
  struct Reply {
    ReplyForm form;
    std::variant<ReadyReply::Content, Waiting, Running> state;
  };

  void push(Reply reply);
  Reply* find(ReplyNumber number);

  std::deque<Reply> replies_;
  std::uint64_t first_ = 0;  // the number of replies_.front()
  std::size_t waits_ = 0;    // replies that are Waiting
};

}  // namespace rota

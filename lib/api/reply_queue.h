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

// A wait that has ended. The token is looked up when the reply's turn comes, so that no reply has a
// token that has aged in the queue, or whose member has retired meanwhile.
struct Settled {
  Asked asked;
  WaitAnswer answer;
};
// The 100 for the request that is being received: not a final reply, but it has its turn too.
struct Continue {};

// A reply whose turn has come, ready to be rendered.
struct ReadyReply {
  using Content =
      std::variant<Settled, Continue, WatchReply, JsonReply, EmptyReply, MetricsReply, ErrorReply>;

  ReplyForm form;
  Content content;
};

// The replies of one connection that are not rendered yet. They leave in the order in which they
// entered, even if a later one is ready first. The queue starts and cancels nothing: the session
// does that, and tells the queue how things ended. No I/O. Loop thread only.
class ReplyQueue {
 public:
  ReplyQueue() = default;
  ReplyQueue(const ReplyQueue&) = delete;
  ReplyQueue& operator=(const ReplyQueue&) = delete;

  bool empty() const { return replies_.empty(); }
  // Whether no further reply may enter: kRequestsReadAheadMax are here, or kWaitsPerConnectionMax
  // wait.
  bool full() const;
  // The number of the reply that enters next. A caller that starts work for it needs the number
  // first.
  ReplyNumber next_number() const { return ReplyNumber{first_ + replies_.size()}; }

  // Each of these adds one reply after all others. They abort if the queue is full().
  void add(ReplyForm form, ReadyReply::Content content);
  // Becomes ready by settle(); until then clear() returns `wait`.
  void add_waiting(ReplyForm form, Asked asked, WaitId wait);
  // Becomes ready by finish().
  void add_running(ReplyForm form);

  // The wait of this reply has ended, or the work that ran for it. Call one of these once for each
  // such reply; they abort if the reply is of another kind. False if clear() has dropped the reply:
  // then there is nothing to do.
  bool settle(ReplyNumber number, const WaitAnswer& answer);
  // Instead of settle(): the reply goes on waiting, by another wait and under another name.
  bool wait_on(ReplyNumber number, MemberKey key, WaitId wait);
  bool finish(ReplyNumber number, PlainReply reply);

  // Takes out the first reply if it is ready.
  std::optional<ReadyReply> take_ready();
  // The last reply in the queue is the last of the connection, and says so. Does nothing if the
  // queue is empty.
  void close_behind_last();
  // Drops all replies. Returns the waits that have not ended; the caller cancels them.
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

#pragma once

#include <array>
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>

#include "base/time.h"
#include "serve/buffer.h"
#include "serve/client_socket.h"
#include "serve/frontend.h"
#include "serve/limits.h"
#include "serve/socket_events.h"
#include "serve/turn_queue.h"

namespace rota {

class Session;

// What a session needs of the server that holds it.
class SessionHost {
 public:
  virtual ~SessionHost() = default;
  // The session has closed; drop it.
  virtual void session_closed(Session& session) = 0;
  // Its deadline may now be this early.
  virtual void session_deadline(BootTime deadline) = 0;
  // It wants on_turn(), later and not from inside of this call. May be repeated before that.
  virtual void session_turn(Session& session) noexcept = 0;
};

// One connection. Requests are taken from the input buffer as they come; a reply goes straight to
// the output buffer, or into a queue when it or one before it must wait. A fetch costs a read and a
// write, and no timer: deadlines are looked at by the server's sweep. A watch makes a stream of the
// rest of the connection. Loop thread only; the server owns it.
class Session : public TurnTaker,
                public std::enable_shared_from_this<Session>,
                private SocketWatcher {
 public:
  // References must outlive the session.
  Session(std::unique_ptr<ClientSocket> socket, PeerIdentity peer, const Frontend& frontend,
          const Clock& clock, const SessionTimes& times, SessionHost& host);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // False: the system cannot watch the socket; the session has closed.
  bool start(boost::asio::io_context& loop);
  // The server will end: the next reply says so by `Connection: close` and is the last; with it the
  // socket takes no more, and what has arrived by then is answered first. A watch ends behind the
  // event that is being sent.
  void say_goodbye();
  // Takes what has arrived on the socket and nothing after it, answers that, then closes; at once
  // when there is nothing. A client's later request fails to be sent, so it knows that nobody has
  // it.
  void drain();
  // Cancels its waits. Harmless when closed.
  void close();
  // Since when nobody would miss anything if it ended: it is idle, has asked half a question, or
  // does not read its replies. None while the daemon owes it something.
  std::optional<BootTime> expendable_since() const;
  // Ends it for the sake of another; what it has asked meanwhile is answered first.
  void make_way();

  // The policy was replaced: what is open already is judged again.
  void grants_changed();
  void on_turn();

  const PeerIdentity& peer() const { return peer_; }
  // When on_deadline() is due unless something happens; BootTime::max() while it waits for the
  // daemon.
  BootTime deadline() const;
  // Closes what has been idle or stuck for too long; a watch says that it is there.
  void on_deadline();

 private:
  // A reply that has its place in the order but is not rendered yet. A token is looked up only when
  // its turn comes, so that none ages, and no member retires, in the queue.
  struct Waiting {
    Asked asked;
    WaitId wait{};
  };
  struct Settled {
    Asked asked;
    WaitAnswer answer;
  };
  struct Running {};   // a LaterReply
  struct Continue {};  // leave to send the body of the request that is being received
  struct Slot {
    ReplyForm form;  // with close it is the last of this connection
    std::variant<Waiting, Running, Continue, Settled, WatchReply, JsonReply, MetricsReply,
                 ErrorReply>
        content;
  };

  void input_may_be_there() noexcept override;
  void room_may_be_there() noexcept override;
  bool wants_input() const { return can_take() && !read_closed_; }
  bool hung_up() const;
  void receive();
  void compact_input();
  void close_intake();
  void read_rest();
  bool is_last(std::string_view rest) const;
  void on_wait_done(std::uint64_t number, WaitAnswer answer);
  void on_later_done(std::uint64_t number, PlainReply reply);

  // Goes as far as input, output and limits permit.
  void pump();
  bool fill_output();
  bool take_request();
  bool ask_for_body(const RequestHead& head);
  void dispatch(const RequestHead& head);
  void queue(ReplyForm form, decltype(Slot::content) content);
  void start_wait(WaitReply wait, ReplyForm form);
  void start_later(LaterReply later, ReplyForm form);
  void render_slots();
  void render(Slot& slot);
  void give(const TokenReply& token, ReplyForm form);
  void start_watch(WatchReply watch, ReplyForm form);
  bool flush();

  bool can_take() const;
  bool output_full() const { return output_.size() >= kOutputBytesMax; }
  std::string_view input() const {
    return {input_.data() + input_begin_, input_end_ - input_begin_};
  }

  // Constant after construction.
  const PeerIdentity peer_;
  const Frontend& frontend_;
  const Clock& clock_;
  const SessionTimes& times_;
  SessionHost& host_;

  // Loop thread only.
  const std::unique_ptr<ClientSocket> socket_;
  std::unique_ptr<SocketEvents> events_;  // while it is open
  bool input_there_ = true;               // until a read has found nothing
  bool stirred_ = false;                  // the socket was told of and not looked at since
  std::array<char, kInputBytesMax> input_;
  std::size_t input_begin_ = 0;
  std::size_t input_end_ = 0;
  Buffer output_;
  std::deque<Slot> slots_;
  std::uint64_t first_slot_ = 0;  // the number of slots_.front(); numbers are never used again
  std::size_t waits_ = 0;         // slots that are Waiting
  bool taking_ = true;            // false: no further request is taken, ever
  bool read_closed_ = false;      // the client sends no more
  bool leaving_ = false;          // the next reply is the last, but for what has arrived with it
  bool draining_ = false;         // the socket takes no more
  bool closed_ = false;
  bool continue_said_ = false;             // for the request that is being received
  std::unique_ptr<WatchStream> watch_;     // from then on nothing else is sent
  BootTime now_;                           // of the event that is handled
  BootTime active_since_;                  // when something last came in, or went out to a watch
  std::optional<BootTime> request_since_;  // first byte of the request that is not whole yet
  std::optional<BootTime> unsent_since_;   // last progress while there is something unsent
};

}  // namespace rota

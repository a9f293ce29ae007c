#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string_view>

#include "api/frontend.h"
#include "api/reply_queue.h"
#include "base/time.h"
#include "http/buffer.h"
#include "http/input_buffer.h"
#include "http/intake.h"
#include "http/limits.h"
#include "serve/client_socket.h"
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
// the output buffer, or into the reply queue when it or one before it must wait. A fetch costs a
// read and a write, and no timer: deadlines are looked at by the server's sweep. A watch makes a
// stream of the rest of the connection. No method throws on an error of the network: the session
// closes. Loop thread only; the server owns it, and may drop it in session_closed().
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
  // Closes the socket and cancels its waits. Harmless when closed.
  void close();
  // Since when nobody would miss anything if it ended: it is idle, has asked half a question, or
  // does not read its replies. None while the daemon owes it something.
  std::optional<BootTime> expendable_since() const;
  // Ends it for the sake of another; what it has asked meanwhile is answered first.
  void make_way();

  // The policy was replaced: what is open already is judged again.
  void grants_changed();
  // The turn that it asked its host for: reads at most kReceiveBytesMax, answers what it can, and
  // asks for another turn if there is more to do.
  void on_turn();

  const PeerIdentity& peer() const { return peer_; }
  // When on_deadline() is due unless something happens; BootTime::max() while it waits for the
  // daemon.
  BootTime deadline() const;
  // Closes what has been idle or stuck for too long; a watch says that it is there.
  void on_deadline();

 private:
  // How long the connection still lives. Only ever moves down this list.
  enum class Life {
    kOpen,
    kLeaving,  // the next reply is the last, but for what has arrived with it; no watch begins
    kClosed,
  };

  // What a look at the socket may find.
  enum class News {
    kNone,    // the last read found nothing, and nothing was told since
    kMore,    // the last read found something, so there may be more
    kUnseen,  // something was told since the last look: input, or that the client is gone
  };

  void input_may_be_there() noexcept override;
  void room_may_be_there() noexcept override;
  bool hung_up() const;
  void receive();
  void shut_for_reading();
  void read_rest();
  void on_wait_done(ReplyNumber number, WaitAnswer answer);
  void on_later_done(ReplyNumber number, PlainReply reply);

  bool can_receive() const { return intake_.may_receive() && has_room(); }
  bool can_take() const { return !intake_.is_done() && has_room(); }
  bool has_room() const { return !replies_.full() && !output_full(); }
  bool output_full() const { return output_.size() >= kOutputBytesMax; }

  // Goes as far as input, output and limits permit.
  void pump();
  bool fill_output();
  bool take_request();
  bool wait_for_rest(const RequestHead* head);
  bool is_last(std::string_view rest) const;
  void dispatch(const RequestHead& head);
  void start_wait(WaitReply wait, ReplyForm form);
  void start_later(LaterReply later, ReplyForm form);
  void render_ready();
  void render(ReadyReply reply);
  void give(const TokenReply& token, ReplyForm form);
  void start_watch(WatchReply watch, ReplyForm form);
  bool flush();

  // Constant after construction.
  const PeerIdentity peer_;
  const Frontend& frontend_;
  const Clock& clock_;
  const SessionTimes& times_;
  SessionHost& host_;

  // Loop thread only.
  const std::unique_ptr<ClientSocket> socket_;
  std::unique_ptr<SocketEvents> events_;  // while it is open
  News news_ = News::kMore;
  Life life_ = Life::kOpen;
  Intake intake_;
  InputBuffer input_;
  Buffer output_;
  ReplyQueue replies_;
  std::unique_ptr<WatchStream> watch_;     // from then on nothing else is sent
  BootTime now_;                           // of the event that is handled
  BootTime active_since_;                  // when something last came in, or went out to a watch
  std::optional<BootTime> request_since_;  // first byte of the request that is not whole yet
  std::optional<BootTime> unsent_since_;   // last progress while there is something unsent
};

}  // namespace rota

#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string_view>

#include "api/frontend.h"
#include "api/reply_queue.h"
#include "base/time.h"
#include "base/token_digest.h"
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
  // The session has closed: the host drops it.
  virtual void session_closed(Session& session) = 0;
  // A session's deadline may now be as early as this.
  virtual void session_deadline(BootTime deadline) = 0;
  // The session wants on_turn(), later and not from inside this call. It may ask again before that.
  virtual void session_turn(Session& session) noexcept = 0;
  // The session wants look_again(), some milliseconds later. It asks once for each.
  virtual void session_look(Session& session) = 0;
  // On a listener: the session has turned out to be that of this client. False: the client has too
  // many connections, and the session stays that of the peer that it was.
  virtual bool session_known(Session& session, const PeerIdentity& client) = 0;
  // On a listener: a request was refused at the door.
  virtual void session_refused(Session& session, DoorRefusal why) = 0;
  // A request was answered with this error.
  virtual void session_erred(ErrorCode code) = 0;
};

// One connection. It takes requests from the input buffer as they come. A reply goes straight to
// the output buffer or, if it or one before it must wait, into the reply queue. A fetch costs a
// read and a write, and no timer: the server's sweep checks deadlines. A watch turns the rest of
// the connection into a stream. No method throws on a network error: the session closes. Loop
// thread only. The server owns it, and may drop it in session_closed(). It must be closed
// before it is destroyed.
class Session : public TurnTaker,
                public std::enable_shared_from_this<Session>,
                private SocketWatcher {
 public:
  // The references must outlive the session.
  Session(std::unique_ptr<ClientSocket> socket, PeerIdentity peer, const Frontend& frontend,
          const Clock& clock, const SessionTimes& times, SessionHost& host);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Watches the socket. Call it once, first. False, with errno set, if the system cannot; then the
  // session has closed, without session_closed().
  bool start(boost::asio::io_context& loop);
  // The server will end. The next reply says `Connection: close` and is the last, but for replies
  // to requests that have arrived by then; from then on the socket receives no more. A watch ends
  // after the event that is being sent.
  void say_goodbye();
  // Answers the requests that have arrived, takes none after them, and then closes; at once if
  // there are none. If the client sends a later request, its send fails, so it knows that we do not
  // have it.
  void drain();
  // Closes the socket and cancels its waits. Does nothing if it is closed.
  void close();
  // Since when the connection has been idle, has sent only a part of a request, or has not read its
  // replies, so that it may be ended. None while the daemon owes it a reply, or it is a watch.
  std::optional<BootTime> expendable_since() const;
  // Ends it, to make room for another. Requests that have arrived are answered first, unless it
  // does not read its replies.
  void make_way();

  // The policy was replaced: an open watch is judged again.
  void grants_changed();
  // The clients of a listener were replaced: closes if the token that it has shown is none of them.
  void clients_changed();
  // The turn for which it asked its host. Reads at most kReceiveBytesMax, answers what it can, and
  // asks for another turn if there is more to do. `now`: the time at which the turn began.
  void on_turn(BootTime now);
  // The look for which it asked its host. Reads, unless epoll has reported something meanwhile.
  void look_again();

  const PeerIdentity& peer() const { return peer_; }
  // When on_deadline() is due if nothing happens before; BootTime::max() while the daemon owes it a
  // reply.
  BootTime deadline() const;
  // Closes a connection that has been idle or stuck for too long. A watch that is not stuck sends a
  // heartbeat instead.
  void on_deadline();

 private:
  // How long the connection still lives. It only moves down this list.
  enum class Life {
    kOpen,
    kLeaving,  // the next reply is the last, but for those to requests that have arrived; no watch
    kClosed,
  };

  // What a read of the socket may find.
  enum class News {
    kNone,    // the last read found nothing, and epoll has reported nothing since
    kAllHad,  // the last read took all input, but perhaps did not see that it was the last
    kMore,    // the last read found something, so there may be more
    kUnseen,  // epoll has reported something since the last look: input, or that the client is gone
  };

  bool is_closed() const;
  bool next_reply_is_last() const;
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

  // Takes requests and sends replies as far as input, output and limits permit.
  void pump();
  bool fill_output();
  bool take_request();
  bool refuse(const HeadError& error);
  bool wait_for_rest(const RequestHead* head);
  bool is_last(std::string_view rest) const;
  bool may_enter(const RequestHead& head);
  bool is_client(const TokenDigest& token, const RequestHead& head);
  bool refuse(const RequestHead& head, const ErrorReply& reply, DoorRefusal why);
  void dispatch(const RequestHead& head, std::string_view body);
  void start_wait(WaitReply wait, ReplyForm form);
  void wait_on(ReplyNumber number, const WaitRequest& request);
  void start_later(LaterReply later, ReplyForm form);
  void render_ready();
  void render(ReadyReply reply);
  void err(const ErrorReply& error, ReplyForm form);
  void start_watch(WatchReply watch, ReplyForm form);
  bool flush();

  // Constant after construction.
  const Frontend& frontend_;
  const Clock& clock_;
  const SessionTimes& times_;
  SessionHost& host_;

  // Loop thread only.
  PeerIdentity peer_;                 // changes only on a listener, while no reply is under way
  std::optional<TokenDigest> shown_;  // on a listener: of the token of peer_.client
  const std::unique_ptr<ClientSocket> socket_;
  std::unique_ptr<SocketEvents> events_;  // while it is open
  News news_ = News::kMore;
  bool look_wanted_ = false;  // look_again() comes
  Life life_ = Life::kOpen;
  Intake intake_;
  InputBuffer input_;
  Buffer output_;
  ReplyQueue replies_;
  std::unique_ptr<WatchStream> watch_;     // once there is one, nothing else is sent
  BootTime now_;                           // the time of the event that is being handled
  BootTime active_since_;                  // when something last came in, or went out to a watch
  std::optional<BootTime> request_since_;  // the first byte of a request that is not complete
  std::optional<BootTime> unsent_since_;   // the last progress, while something is unsent
};

}  // namespace rota

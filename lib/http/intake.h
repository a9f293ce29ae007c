#pragma once

namespace rota {

// What can still become a request of one connection, and the only place where that changes. Pure.
//
//   open ⇄ body invited ──► shut ──► ended ──► done
//
// Any state may be skipped on the way to the right; there is no way back.
class Intake {
 public:
  // The client may send more.
  bool is_open() const;
  // Our end takes no more, but the socket may hold what is not read yet.
  bool is_shut() const { return state_ == State::kShut; }
  // The socket has, or may get, what is not read yet.
  bool may_receive() const;
  // All that will ever come is read, and not all of it is taken.
  bool has_ended() const { return state_ == State::kEnded; }
  // No further request is taken.
  bool is_done() const { return state_ == State::kDone; }

  // The request that is coming wants leave to send its body. False: it was given leave before, or
  // the client sends no more. Then there is nothing to say.
  bool invite_body();
  // A whole request was taken. The next one needs leave of its own.
  void request_taken();

  // Our end takes no more; what was sent before is still there to be read.
  void shut();
  // The socket has nothing more and never will.
  void end();
  // Whatever else is there or comes is no request.
  void finish() { state_ = State::kDone; }

 private:
  enum class State { kOpen, kBodyInvited, kShut, kEnded, kDone };

  State state_ = State::kOpen;
};

}  // namespace rota

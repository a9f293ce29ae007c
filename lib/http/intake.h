#pragma once

namespace rota {

// Whether more requests can still come on one connection. All changes of that state are here.
//
//   open ⇄ body invited ──► shut ──► ended ──► done
//
// Any state may be skipped on the way to the right; there is no way back.
class Intake {
 public:
  // The client may send more requests.
  bool is_open() const;
  // Our end receives no more, but the socket may have bytes that we have not read.
  bool is_shut() const { return state_ == State::kShut; }
  // The socket has, or may get, bytes that we have not read.
  bool may_receive() const;
  // All bytes that will ever come were read, but perhaps not all requests in them were taken.
  bool has_ended() const { return state_ == State::kEnded; }
  // No further request is taken.
  bool is_done() const { return state_ == State::kDone; }

  // The request that is being received waits for a 100 before its body. True if one should be sent;
  // false if it was invited before, or if the client sends no more.
  bool invite_body();
  // A whole request was taken. The next one has to be invited itself.
  void request_taken();

  // Our end receives no more; what was sent before can still be read.
  void shut();
  // The socket has no more bytes and never will.
  void end();
  // No more requests are taken, whatever was read or comes.
  void finish() { state_ = State::kDone; }

 private:
  enum class State { kOpen, kBodyInvited, kShut, kEnded, kDone };

  State state_ = State::kOpen;
};

}  // namespace rota

#include "http/intake.h"

#include <utility>

namespace rota {

bool Intake::is_open() const {
  switch (state_) {
    case State::kOpen:
    case State::kBodyInvited:
      return true;
    case State::kShut:
    case State::kEnded:
    case State::kDone:
      return false;
  }
  std::unreachable();
}

bool Intake::may_receive() const {
  switch (state_) {
    case State::kOpen:
    case State::kBodyInvited:
    case State::kShut:
      return true;
    case State::kEnded:
    case State::kDone:
      return false;
  }
  std::unreachable();
}

bool Intake::invite_body() {
  switch (state_) {
    case State::kOpen:
      state_ = State::kBodyInvited;
      return true;
    case State::kBodyInvited:
    case State::kShut:
    case State::kEnded:
    case State::kDone:
      return false;
  }
  std::unreachable();
}

void Intake::request_taken() {
  switch (state_) {
    case State::kBodyInvited:
      state_ = State::kOpen;
      return;
    case State::kOpen:
    case State::kShut:
    case State::kEnded:
    case State::kDone:
      return;
  }
}

void Intake::shut() {
  switch (state_) {
    case State::kOpen:
    case State::kBodyInvited:
      state_ = State::kShut;
      return;
    case State::kShut:
    case State::kEnded:
    case State::kDone:
      return;
  }
}

void Intake::end() {
  switch (state_) {
    case State::kOpen:
    case State::kBodyInvited:
    case State::kShut:
      state_ = State::kEnded;
      return;
    case State::kEnded:
    case State::kDone:
      return;
  }
}

}  // namespace rota

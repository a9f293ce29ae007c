#include "serve/socket_events.h"

#include <boost/asio/detail/epoll_reactor.hpp>
#include <boost/asio/detail/reactor_op.hpp>
#include <boost/asio/detail/scheduler.hpp>
#include <cerrno>
#include <utility>

// Asio's public waits cost an operation object and a call of epoll_ctl for each event. An operation
// that is never done stays registered and costs neither; Asio reads its own signal pipe this way.
// Only this file uses parts of Asio that are not public.

namespace rota {

namespace asio = boost::asio;
using Reactor = asio::detail::epoll_reactor;
using asio::detail::reactor_op;

namespace {

class Note final : public reactor_op {
 public:
  Note(SocketWatcher& watcher, void (SocketWatcher::*tell)() noexcept)
      : reactor_op({}, &Note::perform_it, &Note::drop), watcher_(watcher), tell_(tell) {}

 private:
  static status perform_it(reactor_op* base) {
    auto* note = static_cast<Note*>(base);
    (note->watcher_.*note->tell_)();
    return not_done;
  }
  // The reactor does not own the note, so it has nothing to free.
  static void drop(void*, asio::detail::operation*, const boost::system::error_code&, std::size_t) {
  }

  SocketWatcher& watcher_;
  void (SocketWatcher::* const tell_)() noexcept;
};

}  // namespace

struct SocketEvents::State {
  State(asio::io_context& loop, int fd, SocketWatcher& watcher)
      : reactor(asio::use_service<Reactor>(loop)),
        scheduler(asio::use_service<asio::detail::scheduler>(loop)),
        socket(fd),
        input(watcher, &SocketWatcher::input_may_be_there),
        room(watcher, &SocketWatcher::room_may_be_there) {}

  Reactor& reactor;
  asio::detail::scheduler& scheduler;
  const int socket;
  Reactor::per_descriptor_data registered = nullptr;
  Note input;
  Note room;
  bool tells_of_room = false;
};

SocketEvents::SocketEvents(std::unique_ptr<State> state) : state_(std::move(state)) {}

std::unique_ptr<SocketEvents> SocketEvents::create(asio::io_context& loop, int socket,
                                                   SocketWatcher& watcher) {
  auto state = std::make_unique<State>(loop, socket, watcher);
  state->reactor.init_task();
  const int error = state->reactor.register_internal_descriptor(Reactor::read_op, socket,
                                                                state->registered, &state->input);
  // Asio does not count such a descriptor as work, and would end a loop that has no other work.
  state->scheduler.work_started();
  std::unique_ptr<SocketEvents> events(new SocketEvents(std::move(state)));
  if (error == 0) return events;
  events.reset();
  errno = error;
  return nullptr;
}

SocketEvents::~SocketEvents() {
  state_->reactor.deregister_internal_descriptor(state_->socket, state_->registered);
  state_->reactor.cleanup_descriptor_data(state_->registered);
  state_->scheduler.work_finished();
  if (state_->tells_of_room) state_->scheduler.work_finished();
}

void SocketEvents::tell_of_room() {
  if (std::exchange(state_->tells_of_room, true)) return;
  state_->reactor.start_op(Reactor::write_op, state_->socket, state_->registered, &state_->room,
                           false, false);
}

}  // namespace rota

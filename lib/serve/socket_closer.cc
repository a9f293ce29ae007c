#include "serve/socket_closer.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace rota {
namespace {

constexpr std::size_t kThreadsMax = 4;
constexpr long kInterruptNanoseconds = 100'000;
constexpr std::chrono::milliseconds kEndMax{500};

// The signal that interrupts a system call. Its handler does nothing.
int interrupt_signal() {
  static const int signal = [] {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    ::sigaction(SIGRTMIN, &action, nullptr);
    return SIGRTMIN;
  }();
  return signal;
}

// As long as it lives, the thread that made it is interrupted again and again.
class Interrupter {
 public:
  Interrupter() {
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = interrupt_signal();
    event._sigev_un._tid = static_cast<pid_t>(::syscall(SYS_gettid));
    made_ = ::timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0;
    const timespec every{.tv_sec = 0, .tv_nsec = kInterruptNanoseconds};
    const itimerspec times{.it_interval = every, .it_value = every};
    if (made_) ::timer_settime(timer_, 0, &times, nullptr);
  }
  ~Interrupter() {
    if (made_) ::timer_delete(timer_);
  }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;

 private:
  timer_t timer_{};
  bool made_ = false;
};

}  // namespace

struct SocketCloser::Shared {
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::deque<int> waiting;
  std::size_t busy = 0;     // threads that are closing a socket
  std::size_t threads = 0;  // threads that have not ended
  std::vector<std::thread> made;
  bool ending = false;

  void work();
  static void start_thread_if_needed(const std::shared_ptr<Shared>& shared);
};

// Returns once nothing waits and the owner is being destroyed.
void SocketCloser::Shared::work() {
  sigset_t all;
  ::sigfillset(&all);
  ::sigdelset(&all, interrupt_signal());
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);  // only the loop's thread handles other signals
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return ending || !waiting.empty(); });
    if (waiting.empty()) break;
    const int socket = waiting.front();
    waiting.pop_front();
    ++busy;
    lock.unlock();
    {
      const Interrupter interrupter;
      ::close(socket);
    }
    lock.lock();
    --busy;
  }
  --threads;
  changed.notify_all();
}

SocketCloser::SocketCloser() : shared_(std::make_shared<Shared>()) {}

SocketCloser::~SocketCloser() {
  std::unique_lock lock(shared_->mutex);
  shared_->ending = true;
  shared_->changed.notify_all();
  const bool ended =
      shared_->changed.wait_for(lock, kEndMax, [this] { return shared_->threads == 0; });
  auto made = std::exchange(shared_->made, {});
  lock.unlock();
  for (std::thread& thread : made) {
    // A thread whose close() does not return cannot be joined. It ends with the process.
    if (ended) {
      thread.join();
    } else {
      thread.detach();
    }
  }
}

// With the mutex held. If the system has no thread to give, the next call tries again.
void SocketCloser::Shared::start_thread_if_needed(const std::shared_ptr<Shared>& shared) {
  if (shared->busy + shared->waiting.size() <= shared->threads) return;
  if (shared->threads >= kThreadsMax) return;
  try {
    shared->made.emplace_back([shared] { shared->work(); });
    ++shared->threads;
  } catch (const std::system_error&) {
    return;
  }
}

void SocketCloser::close(int socket) {
  const std::lock_guard lock(shared_->mutex);
  shared_->waiting.push_back(socket);
  Shared::start_thread_if_needed(shared_);
  shared_->changed.notify_one();
}

bool SocketCloser::is_full() {
  {
    const std::lock_guard lock(shared_->mutex);
    Shared::start_thread_if_needed(shared_);
  }
  return pending() >= kPendingMax;
}

std::size_t SocketCloser::pending() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->busy + shared_->waiting.size();
}

}  // namespace rota

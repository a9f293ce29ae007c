#include "daemon/worker.h"

#include <csignal>

namespace rota {
namespace {

// The loop thread handles signals: none may interrupt a job or be delivered to this thread.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all{};
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Worker::Worker(std::size_t jobs_max, std::optional<boost::asio::any_io_executor> loop)
    : jobs_max_(jobs_max), state_(std::make_shared<State>()) {
  state_->loop = std::move(loop);
  const SignalsBlocked blocked;  // the thread inherits this
  thread_ = std::thread([state = state_] { state->work(); });
}

Worker::~Worker() {
  std::unique_lock lock(state_->mutex);
  state_->phase = Phase::kEnding;
  state_->changed.notify_all();
  const bool ended =
      state_->changed.wait_for(lock, kEndMax, [this] { return state_->phase == Phase::kEnded; });
  state_->phase = Phase::kAbandoned;
  state_->jobs.clear();
  lock.unlock();
  if (ended) {
    thread_.join();
  } else {
    thread_.detach();
  }
}

bool Worker::post(Job job) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->jobs.size() >= jobs_max_) return false;
  state_->jobs.push_back(std::move(job));
  state_->changed.notify_all();
  return true;
}

void Worker::State::work() {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [this] { return !jobs.empty() || phase != Phase::kRunning; });
    if (jobs.empty()) break;
    Job job = std::move(jobs.front());
    jobs.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
  if (phase == Phase::kEnding) phase = Phase::kEnded;
  changed.notify_all();
}

}  // namespace rota

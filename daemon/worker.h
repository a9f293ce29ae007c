#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/time.h"

namespace rota {

// A thread for work that may block: files, name services, a log that nobody reads. It runs the jobs
// one after the other, in order. Only the destructor waits: it gives the jobs kEndMax, and then
// leaves a thread that is still blocked running until the process ends.
class Worker {
 public:
  using Job = std::move_only_function<void()>;

  static constexpr Duration kEndMax{1'000};

  // `jobs_max`: how many jobs may wait. `loop`: runs the `done` of run().
  explicit Worker(std::size_t jobs_max,
                  std::optional<boost::asio::any_io_executor> loop = std::nullopt);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // False: too many jobs wait, and this one will not run. A job must own all that it uses, because
  // it may outlive everything else.
  bool post(Job job);

  // Runs `work` on the thread, and then `done` with its result on the loop. If the worker ends
  // first, `done` is dropped. False as for post().
  template <class Work, class Done>
  bool run(Work work, Done done) {
    return post([state = state_, work = std::move(work), done = std::move(done)]() mutable {
      state->deliver(
          [result = work(), done = std::move(done)]() mutable { done(std::move(result)); });
    });
  }

 private:
  enum class Phase {
    kRunning,
    kEnding,     // the destructor waits for the jobs
    kEnded,      // the thread has done them
    kAbandoned,  // nobody waits any more: what a job brings is dropped
  };

  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    // Guarded by `mutex`.
    std::deque<Job> jobs;
    Phase phase = Phase::kRunning;
    // Constant after construction.
    std::optional<boost::asio::any_io_executor> loop;

    void work();
    // Under the lock, so that nothing reaches a loop that is gone.
    template <class End>
    void deliver(End end) {
      const std::scoped_lock lock(mutex);
      switch (phase) {
        case Phase::kRunning:
        case Phase::kEnding:
        case Phase::kEnded:
          if (loop) boost::asio::post(*loop, std::move(end));
          return;
        case Phase::kAbandoned:
          return;
      }
    }
  };

  const std::size_t jobs_max_;
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace rota

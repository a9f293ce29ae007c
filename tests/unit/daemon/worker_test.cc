#include "daemon/worker.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <future>
#include <optional>
#include <vector>

namespace rota {
namespace {

TEST(Worker, RunsJobsInOrderAndAnswersOnTheLoop) {
  boost::asio::io_context loop;
  auto guard = boost::asio::make_work_guard(loop);
  Worker worker(8, loop.get_executor());
  const auto here = std::this_thread::get_id();
  std::vector<int> order;
  for (int i = 0; i < 3; ++i) {
    worker.run([i, here] { return std::pair(i, std::this_thread::get_id() != here); },
               [&](std::pair<int, bool> result) {
                 EXPECT_TRUE(result.second);
                 EXPECT_EQ(std::this_thread::get_id(), here);
                 order.push_back(result.first);
                 if (order.size() == 3) guard.reset();
               });
  }
  loop.run();
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
}

TEST(Worker, TakesNoMoreJobsThanItsLimit) {
  std::promise<void> started, go;
  Worker worker(1);
  ASSERT_TRUE(worker.post([&, wait = go.get_future()]() mutable {
    started.set_value();
    wait.wait();
  }));
  started.get_future().wait();
  EXPECT_TRUE(worker.post([] {}));
  EXPECT_FALSE(worker.post([] {}));
  go.set_value();
}

// What is blocked for ever does not keep the process from its end, and reaches no loop afterwards.
TEST(Worker, EndsThoughAJobIsBlocked) {
  boost::asio::io_context loop;
  auto go = std::make_shared<std::promise<void>>();
  std::promise<void> over;
  auto is_over = over.get_future();
  bool answered = false;
  {
    std::promise<void> started;
    auto is_started = started.get_future();
    Worker worker(8, loop.get_executor());
    worker.run(
        [started = std::move(started), wait = go->get_future(),
         over = std::make_shared<std::promise<void>>(std::move(over))]() mutable {
          started.set_value();
          wait.wait();
          return over;
        },
        [&](const std::shared_ptr<std::promise<void>>&) { answered = true; });
    is_started.wait();
  }
  go->set_value();
  EXPECT_EQ(is_over.wait_for(std::chrono::seconds{30}), std::future_status::ready)
      << "its result is destroyed, and that breaks the promise";
  loop.run();
  EXPECT_FALSE(answered);
}

}  // namespace
}  // namespace rota

#include <gmock/gmock.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "unit/serve/harness.h"

// Who gets in when there is no room.

namespace rota {
namespace {

using std::chrono::hours;

// A process that holds connections, says nothing on them, and goes at the end.
class IdleProcess {
 public:
  IdleProcess(const std::string& socket_path, std::size_t connections) {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[1]);
      std::vector<std::unique_ptr<Client>> clients;
      for (std::size_t i = 0; i < connections; ++i) {
        clients.push_back(std::make_unique<Client>(socket_path));
      }
      char byte = 0;
      ::_exit(::read(ends[0], &byte, 1) == 0 ? 0 : 1);
    }
    ::close(ends[0]);
    end_ = ends[1];
  }
  ~IdleProcess() {
    ::close(end_);
    ::waitpid(pid_, nullptr, 0);
  }
  IdleProcess(const IdleProcess&) = delete;
  IdleProcess& operator=(const IdleProcess&) = delete;

 private:
  pid_t pid_ = -1;
  int end_ = -1;
};

class RoomTest : public ServeTest {
 protected:
  void SetUp() override { tokens.publish(1, "one", hours{1}); }
  int fetch(Client& client) {
    client.get("/v1/token?community_member_id=1");
    return next_reply(client).status;
  }
  // With room for four, which a process has taken.
  void share_with_a_crowd(const ServerOptions& options, ConnectionLimit limit) {
    start(options);
    const IdleProcess crowd(path(), 4);
    run_until([&] { return server->connections() == 4; });
    const auto first = connect();
    EXPECT_EQ(fetch(*first), 200);
    const auto second = connect();
    EXPECT_EQ(fetch(*second), 200);
    EXPECT_EQ(server->connections(), 4U);
    EXPECT_THAT(observer.refused, testing::IsEmpty());
    const auto third = connect();  // now both processes have the same
    EXPECT_EQ(next_reply(*third).status, 503);
    EXPECT_THAT(observer.refused, testing::ElementsAre(std::pair(::geteuid(), limit)));
    EXPECT_EQ(fetch(*first), 200);
  }
};

TEST_F(RoomTest, P11AProcessDoesNotTakeAllThatItsUserMayHave) {
  share_with_a_crowd({.max_connections = 100, .max_connections_per_uid = 4, .times = {}},
                     ConnectionLimit::kPerUid);
}

TEST_F(RoomTest, P11AProcessDoesNotTakeAllThereIs) {
  share_with_a_crowd({.max_connections = 4, .max_connections_per_uid = 100, .times = {}},
                     ConnectionLimit::kTotal);
}

// Who waits for an answer keeps its place, and gets it.
TEST_F(RoomTest, P11WhoWaitsForAnAnswerIsNotEnded) {
  tokens.publish(9, "stale", Duration{0});
  start({.max_connections = 1, .max_connections_per_uid = 1, .times = {}});
  const auto waiting = connect();
  waiting->get("/v1/token?community_member_id=9");
  wait_for_waits(1);
  EXPECT_EQ(next_reply(*connect()).status, 503);
  tokens.finish_all({.result = WaitResult::kUnavailable, .retry_after = {}});
  EXPECT_EQ(next_reply(*waiting).status, 503);
  EXPECT_EQ(fetch(*waiting), 200);
}

// A loop of connect() is refused at its rate, and another process is not.
TEST_F(RoomTest, P11AFloodOfConnectionsIsRefusedByItsRate) {
  start();
  for (std::int64_t i = 0; i < 2 * ConnectRate::kProcessBurst; ++i) connect();
  const IdleProcess other(path(), 1);
  run_until([&] {
    return std::ranges::count(observer.refused, ConnectionLimit::kRate,
                              &std::pair<std::uint32_t, ConnectionLimit>::second) != 0;
  });
  settle();
  run_until([&] { return server->connections() == 1; });  // the other's
}

// Who waits for each answer before it connects again makes no crowd, however often it does.
TEST_F(RoomTest, P11WhoConnectsOneByOneHasNoRate) {
  start();
  for (std::int64_t i = 0; i < ConnectRate::kProcessBurst + 100; ++i) {
    connect();
    settle();
  }
  EXPECT_THAT(observer.refused, testing::IsEmpty());
  const auto late = connect();
  EXPECT_EQ(fetch(*late), 200);
}

// Descriptors above the end are for other work.
TEST_F(RoomTest, P11TheLastDescriptorsAreNotForClients) {
  start({.times = {}, .descriptors_end = 0});
  const auto client = connect();
  EXPECT_EQ(next_reply(*client).status, 503);
  EXPECT_THAT(observer.failures,
              testing::ElementsAre(std::error_code(EMFILE, std::system_category())));
}

}  // namespace
}  // namespace rota

#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace rota::bench {

using Nanoseconds = std::chrono::nanoseconds;

// Sorted; times from the moment when a fetch was due to the last byte of its reply, so that a
// daemon that stops for a while is charged for all that was due meanwhile.
struct Latencies {
  std::vector<Nanoseconds> sorted;
  Nanoseconds at(double fraction) const;
};

// Well-behaved clients: connections that stay, each fetching at a fixed rate. One thread.
class FetchLoad {
 public:
  // `query`: what is fetched, as it stands behind "/v1/token?".
  FetchLoad(const std::string& socket_path, std::size_t connections, double fetches_per_second,
            std::string_view query = "community_member_id=1");
  // The requests take turns, whatever the connection.
  FetchLoad(const std::string& socket_path, std::size_t connections, double requests_per_second,
            std::vector<std::string> requests);
  ~FetchLoad();
  FetchLoad(const FetchLoad&) = delete;
  FetchLoad& operator=(const FetchLoad&) = delete;

  // Fetches for so long; then what is under way is waited for. Ends the process where a reply is
  // not 200, or does not come: such a bench measures nothing.
  Latencies run(std::chrono::milliseconds length);

 private:
  struct Client {
    int fd = -1;
    std::string received;
    std::deque<std::chrono::steady_clock::time_point> due;  // of what is not answered yet
  };
  void fetch(Client& client, std::chrono::steady_clock::time_point due);
  void receive(Client& client);

  std::vector<Client> clients_;
  const std::vector<std::string> requests_;
  std::size_t next_request_ = 0;
  const Nanoseconds every_;
  std::vector<Nanoseconds> times_;
};

}  // namespace rota::bench

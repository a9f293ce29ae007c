#pragma once

#include <chrono>
#include <deque>
#include <filesystem>
#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "e2e/process.h"

namespace rota::e2e {

// A Unix socket in front of a token socket: passes requests on and notes them, or answers in the
// daemon's place. It does so only inside ask(), on the test's thread.
class Relay {
 public:
  Relay(std::filesystem::path path, std::filesystem::path upstream);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  const std::filesystem::path& path() const { return path_; }
  // The replies to the next requests; "": a close without one.
  std::deque<std::string> instead;
  // The targets of all requests, in order.
  std::vector<std::string> targets;

  // Sends `line`, unless it is empty, to the client and serves what comes until the client has
  // answered with a line. Returns that line, or what came of it within `limit`.
  std::string ask(int client, std::string_view line, std::chrono::seconds limit = kLimit);
  // From now on nobody can connect: the queue of new connections is full. Closes the connections
  // that there are.
  void fill_queue();
  void drain_queue();

 private:
  struct Peer {
    int fd = -1;
    std::string bytes;
  };
  bool serve(Peer& peer);  // false: it is gone

  std::filesystem::path path_;
  std::filesystem::path upstream_;
  int listener_ = -1;
  std::list<Peer> peers_;
  std::vector<int> fillers_;
};

}  // namespace rota::e2e

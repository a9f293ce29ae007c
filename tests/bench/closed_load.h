#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace rota::bench {

// A server that listens on a Unix socket.
struct Target {
  std::string path;
  pid_t pid = -1;
  std::string request;
  char last = '\0';  // of every answer, which comes in one piece
};

struct Figures {
  double per_second = 0;
  double microseconds = 0;  // of the server's processor time for each
};

// Over so many connections, from one thread: each asks again as soon as it has its answer. Ends the
// process where an answer does not come.
Figures measure(const Target& target, std::size_t connections, std::chrono::milliseconds length);

// Sends it all; ends the process where the peer takes less.
void ask(int fd, std::string_view request);
// The descriptor, or -1.
int connect_to(const std::string& path);
// Of user and system, in seconds.
double processor_time(pid_t pid);
double median(std::vector<double> values);

}  // namespace rota::bench

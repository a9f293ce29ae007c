#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace rota::e2e {

using Seconds = std::chrono::seconds;

// Long enough for a loaded machine under a sanitizer; nothing waits for it to pass.
inline constexpr Seconds kLimit{30};

// Looks again and again until `holds`, and gives up after `limit`. The condition is what is waited
// for.
bool eventually(const std::function<bool()>& holds, Seconds limit = kLimit);

// A child process of the test's own, killed with it. Its output goes to a file.
class Process {
 public:
  struct Options {
    std::map<std::string, std::string> environment;  // added to PATH and the sanitizers' options
    std::vector<int> inherit;                        // descriptors that become 3, 4, …
  };
  Process(std::vector<std::string> command, std::filesystem::path output)
      : Process(std::move(command), std::move(output), Options{}) {}
  Process(std::vector<std::string> command, std::filesystem::path output, const Options& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // The exit code, or -signal; fails the test when it does not end in time.
  int wait(Seconds limit = kLimit);
  bool running();
  // Waits for its end for so long; false when it still runs then.
  bool ends_within(std::chrono::milliseconds delay);
  int kill_and_wait(int number);
  std::string output() const;

 private:
  pid_t pid_ = -1;
  std::optional<int> ended_;
  std::filesystem::path output_;
};

// Runs a command to its end.
struct Finished {
  int code = 0;
  std::string output;
};
Finished run(std::vector<std::string> command, const std::filesystem::path& folder,
             const std::map<std::string, std::string>& environment = {}, Seconds limit = kLimit);

}  // namespace rota::e2e

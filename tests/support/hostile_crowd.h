#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rota::testing {

// Hostile clients of a Unix socket, an equal share of each kind:
//
//   silent         connects and sends nothing
//   slow drip      sends a head byte by byte, for ever
//   endless head   sends header lines, for ever
//   half-closed    sends a request, or half of one, and closes its sending side
//   garbage        sends bytes that are no protocol
//   never reading  sends requests again and again, and reads no reply
//
// A client that is refused or closed comes back. Nothing here blocks or waits: for the clients,
// time passes only with the caller's steps.
class HostileCrowd {
 public:
  HostileCrowd(std::string socket_path, std::size_t clients);
  ~HostileCrowd();
  HostileCrowd(const HostileCrowd&) = delete;
  HostileCrowd& operator=(const HostileCrowd&) = delete;

  // Lets each client do one thing.
  void step();

  std::size_t connected() const;  // including those that have not noticed a hang-up yet
  std::size_t closings() const { return closings_; }  // how often the server ended one

 private:
  enum class Kind { kSilent, kSlowDrip, kEndlessHead, kHalfClosed, kGarbage, kNeverReading };
  static constexpr std::size_t kKinds = 6;
  static constexpr unsigned kStepsUntilBack = 8;

  struct Bad {
    Kind kind = Kind::kSilent;
    int fd = -1;
    unsigned steps = 0;  // since it connected
    unsigned rest = 0;   // steps until it comes again
  };

  bool connect(Bad& bad) const;
  void act(Bad& bad);
  bool hung_up(const Bad& bad);
  void send(Bad& bad, std::string_view bytes);
  void leave(Bad& bad);
  std::string garbage(std::size_t bytes);

  const std::string socket_path_;
  std::vector<Bad> clients_;
  std::vector<char> received_;
  std::size_t closings_ = 0;
  std::uint64_t noise_ = 0x9e3779b97f4a7c15;
};

}  // namespace rota::testing

#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "api/access.h"
#include "base/time.h"

namespace rota {

// How often a client may connect while clients come faster than the server accepts them. Each
// process has an allowance. So has its user, which limits a program that forks for each connection.
// Both are far below what a loop of connect() can do. Loop thread only.
class ConnectRate {
 public:
  static constexpr std::int64_t kPerProcessMs = 5;  // connections a millisecond
  static constexpr std::int64_t kPerUserMs = 10;    // connections a millisecond
  static constexpr std::int64_t kProcessBurst = 1'000;
  static constexpr std::int64_t kUserBurst = 2'000;
  static constexpr std::size_t kProcessesMax = 4'096;

  // Takes one connection off the allowances of the peer's process and user. False if one of them
  // has none left.
  bool take(const PeerIdentity& peer, BootTime now);

 private:
  struct Allowance {
    std::int64_t left = 0;
    BootTime since{};
  };
  template <class Key>
  using Allowances = std::unordered_map<Key, Allowance>;

  void forget_the_quiet(BootTime now);

  Allowances<std::uint64_t> processes_;
  Allowances<std::uint32_t> users_;
  BootTime forgot_at_ = BootTime::min();
};

}  // namespace rota

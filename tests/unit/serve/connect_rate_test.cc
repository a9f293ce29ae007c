#include "serve/connect_rate.h"

#include <gtest/gtest.h>

namespace rota {
namespace {

using std::chrono::milliseconds;

constexpr BootTime kStart{std::chrono::hours{1}};

PeerIdentity peer(std::uint32_t uid, std::int32_t pid) {
  return {.uid = uid, .gid = 0, .pid = pid};
}

// How many of `most` it may make at once.
std::int64_t connect(ConnectRate& rate, const PeerIdentity& who, std::int64_t most, BootTime now) {
  std::int64_t made = 0;
  while (made < most && rate.take(who, now)) ++made;
  return made;
}

TEST(ConnectRate, P11AProcessHasABurstAndThenItsRate) {
  ConnectRate rate;
  EXPECT_EQ(connect(rate, peer(1, 10), 100'000, kStart), ConnectRate::kProcessBurst);
  EXPECT_FALSE(rate.take(peer(1, 10), kStart));
  EXPECT_EQ(connect(rate, peer(1, 10), 100'000, kStart + milliseconds{3}),
            3 * ConnectRate::kPerProcessMs);
  EXPECT_EQ(connect(rate, peer(1, 10), 100'000, kStart + std::chrono::hours{1}),
            ConnectRate::kProcessBurst);
}

TEST(ConnectRate, P11AFloodOfOneProcessLeavesRoomForAnotherOfItsUser) {
  ConnectRate rate;
  connect(rate, peer(1, 10), 100'000, kStart);
  EXPECT_EQ(connect(rate, peer(1, 11), 200, kStart), 200);
}

TEST(ConnectRate, P11WhatAProcessIsRefusedCostsItsUserNothing) {
  ConnectRate rate;
  for (int i = 0; i < 100'000; ++i) rate.take(peer(1, 10), kStart);
  EXPECT_EQ(connect(rate, peer(1, 11), 100'000, kStart),
            ConnectRate::kUserBurst - ConnectRate::kProcessBurst);
}

TEST(ConnectRate, P11ManyProcessesOfOneUserShareItsAllowance) {
  ConnectRate rate;
  std::int64_t made = 0;
  for (std::int32_t pid = 1; pid <= 100'000; ++pid) made += rate.take(peer(1, pid), kStart) ? 1 : 0;
  EXPECT_EQ(made, ConnectRate::kUserBurst);
  EXPECT_EQ(connect(rate, peer(2, 1), 200, kStart), 200) << "another user pays for it";
}

// Neither a list that grows with each process nor an allowance that comes back by being forgotten.
TEST(ConnectRate, P11ForgetsOnlyWhoHasBeenQuiet) {
  ConnectRate rate;
  connect(rate, peer(7, 1), 100'000, kStart);
  for (std::int32_t pid = 1; pid <= 100'000; ++pid)
    rate.take(peer(1, pid), kStart + milliseconds{1});
  EXPECT_EQ(connect(rate, peer(7, 1), 100'000, kStart + milliseconds{2}),
            2 * ConnectRate::kPerProcessMs);
}

}  // namespace
}  // namespace rota

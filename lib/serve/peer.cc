#include "serve/peer.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace rota {
namespace {

constexpr std::size_t kGroupsUsual = 32;
// A process may have NGROUPS_MAX groups; the kernel names the size that it wants.
constexpr std::size_t kGroupsMax = 65'536;

std::optional<std::vector<std::uint32_t>> supplementary_groups(int fd) {
  static_assert(sizeof(gid_t) == sizeof(std::uint32_t));
  std::vector<std::uint32_t> groups(kGroupsUsual);
  for (;;) {
    auto size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    const bool read = ::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0;
    const std::size_t count = size / sizeof(gid_t);
    if (!read && (errno != ERANGE || count <= groups.size() || count > kGroupsMax)) {
      return std::nullopt;
    }
    groups.resize(count);
    if (read) return groups;
  }
}

}  // namespace

std::optional<PeerIdentity> peer_of(int unix_socket) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (::getsockopt(unix_socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return std::nullopt;
  }
  return PeerIdentity{
      .uid = credentials.uid, .gid = credentials.gid, .pid = credentials.pid, .groups = {}};
}

bool add_groups(int unix_socket, PeerIdentity& peer) {
  auto groups = supplementary_groups(unix_socket);
  if (!groups) return false;
  // The kernel's list may have the primary group in it or not.
  groups->push_back(peer.gid);
  std::ranges::sort(*groups);
  const auto repeats = std::ranges::unique(*groups);
  groups->erase(repeats.begin(), repeats.end());
  groups->shrink_to_fit();
  peer.groups = *std::move(groups);
  return true;
}

}  // namespace rota

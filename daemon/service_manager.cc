#include "daemon/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/exit_code.h"

namespace rota {
namespace {

// Longer than a busy manager needs, and short for clients that wait for tokens.
constexpr timeval kNotifyMax{.tv_sec = 0, .tv_usec = 200'000};

// Each line of a message is one assignment.
std::string one_line(std::string text) {
  std::ranges::replace(text, '\n', ' ');
  return text;
}

std::string extension(Duration at_most) {
  return fmt::format("EXTEND_TIMEOUT_USEC={}",
                     std::chrono::duration_cast<std::chrono::microseconds>(at_most).count());
}

// If more messages wait, the manager hangs.
constexpr std::size_t kNoticesMax = 64;

// Like sd_notify(3), which would wait without limit for a manager that does not read. If the
// manager does not read, rotation goes on all the same.
void send_notice(const std::string& socket, const std::string& state) {
  sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
  const std::size_t length = socket.size();
  if (length == 0 || length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, socket.data(), length);
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // not a file's name
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kNotifyMax, sizeof kNotifyMax));
  static_cast<void>(::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address),
                             static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length)));
  ::close(fd);
}

}  // namespace

ServiceManager::ServiceManager(std::string notify_socket)
    : notify_socket_(std::move(notify_socket)) {}

void ServiceManager::notify(std::string state) {
  if (!sender_) return send_notice(notify_socket_, state);
  static_cast<void>(sender_->post(
      [socket = notify_socket_, state = std::move(state)] { send_notice(socket, state); }));
}

void ServiceManager::starting(const std::string& status, Duration at_most) {
  tell({.alive = false, .status = status, .more_time = at_most});
}

void ServiceManager::ready(const std::string& status) {
  if (!sender_ && !notify_socket_.empty()) sender_ = std::make_unique<Worker>(kNoticesMax);
  last_status_ = one_line(status);
  notify(fmt::format("READY=1\nSTATUS={}", last_status_));
}

void ServiceManager::reloading() {
  // The manager compares this with CLOCK_MONOTONIC, which is not our boot clock.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  constexpr std::int64_t kMicrosPerSecond = 1'000'000;
  constexpr std::int64_t kNanosPerMicro = 1'000;
  notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                     now.tv_sec * kMicrosPerSecond + now.tv_nsec / kNanosPerMicro));
}

void ServiceManager::stopping(const std::string& status, Duration at_most) {
  last_status_ = one_line(status);
  notify(fmt::format("STOPPING=1\nSTATUS={}\n{}", last_status_, extension(at_most)));
}

void ServiceManager::failed(const Error& error) { status(last_words(error)); }

void ServiceManager::tell(const News& news) {
  std::string state;
  if (news.alive) state += "WATCHDOG=1\n";
  if (std::string line = one_line(news.status); line != last_status_) {
    last_status_ = std::move(line);
    state += fmt::format("STATUS={}\n", last_status_);
  }
  if (news.more_time) state += extension(*news.more_time);
  if (!state.empty()) notify(std::move(state));
}

std::optional<Duration> ServiceManager::watchdog_interval() {
  std::uint64_t micros = 0;
  if (sd_watchdog_enabled(0, &micros) <= 0) return std::nullopt;
  return std::chrono::floor<Duration>(std::chrono::microseconds{micros}) / 3;
}

// After kConfig the unit does not start again by itself. But the first client that connects makes
// the socket start it until StartLimitBurst= is reached. Then the sockets have failed, too.
std::string last_words(const Error& error) {
  const auto code = static_cast<int>(exit_code_of(error));
  if (exit_code_of(error) != ExitCode::kConfig) {
    return fmt::format("The start failed with exit code {}: the log says why", code);
  }
  return fmt::format(
      "The start failed with exit code {}: the log says why. systemd does not start it again by "
      "itself. Once that is fixed: systemctl reset-failed rotad.service rotad.socket "
      "rotad-admin.socket && systemctl start rotad.socket rotad-admin.socket rotad.service",
      code);
}

Duration load_time_max(std::uint64_t database_bytes) {
  constexpr Duration kAnySize = std::chrono::seconds{90};
  constexpr std::uint64_t kBytesPerSecond = std::uint64_t{1} << 20U;
  return kAnySize +
         std::chrono::seconds{static_cast<std::int64_t>(database_bytes / kBytesPerSecond)};
}

Result<InheritedSockets> inherited_sockets() {
  char** raw_names = nullptr;
  const int count = sd_listen_fds_with_names(1, &raw_names);
  if (count < 0) {
    return fail(ErrorKind::kConfig, fmt::format("cannot take the sockets that systemd passes: {}",
                                                std::strerror(-count)));
  }
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    names.emplace_back(raw_names[i]);
    std::free(raw_names[i]);
  }
  std::free(raw_names);

  InheritedSockets sockets;
  for (int i = 0; i < count; ++i) {
    const std::string& name = names[static_cast<std::size_t>(i)];
    if (name == "client") {
      ROTA_ASSIGN(auto client, ListenSocket::adopt_for_clients(SD_LISTEN_FDS_START + i));
      sockets.clients.push_back(std::move(client));
      continue;
    }
    auto* place = name == "token" ? &sockets.token : name == "admin" ? &sockets.admin : nullptr;
    if (place == nullptr || *place) {
      return fail(
          ErrorKind::kConfig,
          fmt::format(
              "a socket unit passes \"{}\": FileDescriptorName= must be token or admin, each "
              "once, or client",
              name));
    }
    ROTA_ASSIGN(*place, ListenSocket::adopt(SD_LISTEN_FDS_START + i));
  }
  return sockets;
}

}  // namespace rota

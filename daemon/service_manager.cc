#include "daemon/service_manager.h"

#include <fmt/format.h>
#include <systemd/sd-daemon.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

namespace rota {
namespace {

// A manager that does not hear us is its own trouble: rotation goes on.
void notify(const std::string& state) { static_cast<void>(sd_notify(0, state.c_str())); }

}  // namespace

void ServiceManager::ready(const std::string& status) {
  last_status_ = status;
  notify(fmt::format("READY=1\nSTATUS={}", status));
}

void ServiceManager::reloading() {
  // The manager compares this with its own CLOCK_MONOTONIC, which is not our boot clock.
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  constexpr std::int64_t kMicrosPerSecond = 1'000'000;
  constexpr std::int64_t kNanosPerMicro = 1'000;
  notify(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                     now.tv_sec * kMicrosPerSecond + now.tv_nsec / kNanosPerMicro));
}

void ServiceManager::stopping() { notify("STOPPING=1\nSTATUS=Finishing the calls in flight"); }

void ServiceManager::status(const std::string& line) {
  if (line == last_status_) return;
  last_status_ = line;
  notify("STATUS=" + line);
}

void ServiceManager::alive() { notify("WATCHDOG=1"); }

std::optional<Duration> ServiceManager::watchdog_interval() {
  std::uint64_t micros = 0;
  if (sd_watchdog_enabled(0, &micros) <= 0) return std::nullopt;
  return std::chrono::floor<Duration>(std::chrono::microseconds{micros}) / 3;
}

Result<InheritedSockets> inherited_sockets() {
  char** raw_names = nullptr;
  const int count = sd_listen_fds_with_names(1, &raw_names);
  if (count < 0) {
    return fail(ErrorKind::kConfig,
                fmt::format("sockets of the service manager: {}", std::strerror(-count)));
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
    auto* place = name == "token" ? &sockets.token : name == "admin" ? &sockets.admin : nullptr;
    if (place == nullptr || *place) {
      return fail(
          ErrorKind::kConfig,
          fmt::format("a socket unit hands down \"{}\": FileDescriptorName= must be token or "
                      "admin, each once",
                      name));
    }
    ROTA_ASSIGN(*place, ListenSocket::adopt(SD_LISTEN_FDS_START + i));
  }
  return sockets;
}

}  // namespace rota

#include "cli/doctor_machine.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "settings/settings.h"

namespace rota::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
constexpr std::uint64_t kRoomMin = 64 * kMebibyte;  // commits may fail soon
constexpr std::uint64_t kRoomLow = 512 * kMebibyte;
// What Circle allows an address, and what leaves room for other programs.
constexpr double kCallsMax = 2'000;
constexpr double kCallsAdvised = 1'800;
constexpr Duration kCallsWindow = std::chrono::minutes{5};
constexpr const char* kInstalledConfig = "/etc/rota/rotad.toml";

// 0, or the error of getaddrinfo().
int resolve(const std::string& host, int flags) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (error == 0) ::freeaddrinfo(found);
  return error;
}

std::string read_proc(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The configuration that the words of its command line name.
std::string config_of(const std::string& command_line) {
  std::string_view rest = command_line;
  std::string_view before;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    constexpr std::string_view kOption = "--config";
    if (before == kOption) return std::string(word);
    if (word.starts_with(kOption) && word.substr(kOption.size()).starts_with('=')) {
      return std::string(word.substr(kOption.size() + 1));
    }
    before = word;
  }
  return kInstalledConfig;
}

}  // namespace

std::string host_of(const std::string& base_url) {
  const std::size_t scheme = base_url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::string rest = base_url.substr(begin, base_url.find('/', begin) - begin);
  if (rest.starts_with('[')) return rest.substr(1, rest.find(']') - 1);
  return rest.substr(0, rest.find(':'));
}

std::optional<DiskRoom> room_at(const std::string& path) {
  std::error_code error;
  fs::path at = fs::absolute(path, error);
  while (!fs::exists(at, error) && at.has_relative_path()) at = at.parent_path();
  struct statvfs found{};
  if (::statvfs(at.c_str(), &found) != 0) return std::nullopt;
  return DiskRoom{.bytes = std::uint64_t{found.f_bavail} * found.f_frsize,
                  .has_inodes = found.f_files == 0 || found.f_favail > 0};
}

Finding judge_disk(const std::string& path, const DiskRoom& room) {
  const std::string text =
      fmt::format("{} MiB are free at {}", grouped(room.bytes / kMebibyte), path);
  const std::string remedy = "free space: without it rotad can commit no new token";
  if (!room.has_inodes) return wrong("disk", "no file can be made any more at " + path, remedy);
  if (room.bytes < kRoomMin) return wrong("disk", "only " + text, remedy);
  return room.bytes < kRoomLow ? note("disk", "only " + text, remedy) : good("disk", text);
}

std::optional<bool> clock_is_kept() {
  timex read{};
  const int state = ::adjtimex(&read);
  if (state < 0) return std::nullopt;
  return state != TIME_ERROR && (read.status & STA_UNSYNC) == 0;
}

std::optional<Finding> judge_clock_service(std::optional<bool> kept) {
  if (kept != false) return std::nullopt;
  return note("clock", "nothing keeps this machine's clock right", "timedatectl set-ntp true");
}

std::optional<Finding> look_up(const std::string& base_url) {
  const std::string host = host_of(base_url);
  if (resolve(host, AI_NUMERICHOST) == 0) return std::nullopt;
  const int error = resolve(host, 0);
  if (error == 0) return good("dns", host + " has an address");
  return wrong(
      "dns", fmt::format("{} has no address ({})", host, ::gai_strerror(error)),
      fmt::format("mend this machine's DNS, then check: getent hosts {}", shell_word(host)));
}

std::vector<OtherDaemon> running_daemons() {
  std::vector<OtherDaemon> daemons;
  std::error_code error;
  for (const fs::directory_entry& each : fs::directory_iterator("/proc", error)) {
    const std::string name = each.path().filename().string();
    pid_t pid = 0;
    const auto [end, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || end != name.data() + name.size()) continue;
    if (read_proc(each.path() / "comm") != "rotad\n") continue;
    const auto settings = load_settings(config_of(read_proc(each.path() / "cmdline")));
    if (!settings) continue;
    daemons.push_back({.pid = pid,
                       .base_url = settings->upstream.base_url,
                       .calls = settings->policy.requests_per_window,
                       .window = settings->policy.window,
                       .budget_file = settings->upstream.budget_file});
  }
  return daemons;
}

std::optional<Finding> judge_budgets(const std::string& base_url,
                                     const std::vector<OtherDaemon>& daemons) {
  double calls = 0;
  std::map<std::string, double> groups;  // each by the largest budget that a member names
  bool differ = false;
  std::string pids;
  std::size_t count = 0;
  for (const OtherDaemon& each : daemons) {
    if (each.base_url != base_url || each.window <= Duration{0}) continue;
    const double own =
        static_cast<double>(each.calls) *
        (static_cast<double>(kCallsWindow.count()) / static_cast<double>(each.window.count()));
    if (each.budget_file.empty()) {
      calls += own;
    } else {
      double& group = groups.try_emplace(each.budget_file, own).first->second;
      differ = differ || group != own;
      group = std::max(group, own);
    }
    pids += fmt::format("{}{}", pids.empty() ? "" : ", ", each.pid);
    ++count;
  }
  for (const auto& [file, most] : groups) calls += most;
  if (count < 2 && calls <= kCallsMax) return std::nullopt;
  const std::string text = fmt::format(
      "{} of this machine ({}) may make {} calls in 5 min together; Circle allows an address {}",
      counted(count, "rotad", "rotads"), pids, grouped(static_cast<std::int64_t>(calls)),
      grouped(static_cast<std::int64_t>(kCallsMax)));
  if (calls > kCallsMax) {
    return wrong("budget", text,
                 fmt::format("lower requests_per_window to {} in all at most, or let them share a "
                             "budget_group",
                             grouped(static_cast<std::int64_t>(kCallsAdvised))));
  }
  if (differ) {
    return note("budget", text + "; the members of a budget_group name different budgets",
                "give them the same requests_per_window and window: the least counts");
  }
  // One group is how it should be.
  return groups.size() == 1 && calls == groups.begin()->second ? good("budget", text)
                                                               : note("budget", text);
}

}  // namespace rota::cli

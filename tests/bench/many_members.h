#pragma once

#include <fmt/format.h>
#include <sys/types.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "e2e/box.h"

// What the benches of a rotad with very many members share.
namespace rota::bench {

// Members 1 to `members`, by id, each with a name and a tag.
inline std::string roster_of(int members) {
  std::string text;
  for (int i = 1; i <= members; ++i) {
    text += fmt::format(
        "[[member]]\ncommunity_member_id = {}\nname = \"Member {}\"\ntags = [\"all\"]\n\n", i, i);
  }
  return text;
}

// By the daemon's status; 0: it has none.
inline std::int64_t fresh_members(const e2e::Daemon& daemon) {
  const auto status = daemon.admin(e2e::get("/v1/status")).json();
  const auto* const counts = status.if_contains("members");
  return counts == nullptr ? 0 : counts->at("fresh").as_int64();
}

// A number of /proc/PID/status ("VmRSS:"), or its sum over the threads of the process.
enum class Of { kProcess, kAllThreads };
inline std::int64_t status_of(pid_t pid, std::string_view name, Of whose) {
  std::int64_t sum = 0;
  for (const auto& task : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    std::ifstream file(task.path() / "status");
    std::int64_t value = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with(name)) value = std::strtoll(line.c_str() + name.size(), nullptr, 10);
    }
    sum = whose == Of::kAllThreads ? sum + value : value;
  }
  return sum;
}

// All memory that the process has, for each of its members.
inline double kilobytes_a_member(pid_t pid, int members) {
  constexpr double kBytesOfAKibibyte = 1.024;  // in thousands
  return static_cast<double>(status_of(pid, "VmRSS:", Of::kProcess)) * kBytesOfAKibibyte / members;
}

}  // namespace rota::bench

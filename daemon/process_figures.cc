#include "daemon/process_figures.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace rota {
namespace {

double seconds(const timeval& time) {
  constexpr double kMicroseconds = 1e6;
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / kMicroseconds;
}

// Since Linux 6.2 the folder's size is how many there are; before, it is 0.
std::uint64_t count_fds() {
  constexpr const char* kFolder = "/proc/self/fd";
  struct stat folder{};
  if (::stat(kFolder, &folder) == 0 && folder.st_size > 0) {
    return static_cast<std::uint64_t>(folder.st_size);
  }
  std::error_code error;
  const std::filesystem::directory_iterator entries(kFolder, error);
  return error ? 0 : static_cast<std::uint64_t>(std::distance(begin(entries), end(entries)));
}

}  // namespace

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data())
                                                          : std::string();
}

ProcessFigures read_process_figures(WallTime started_at) {
  ProcessFigures figures{.started_at = started_at};
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    figures.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  // Pages: all, and those that are resident.
  std::uint64_t all = 0, resident = 0;
  if (std::ifstream("/proc/self/statm") >> all >> resident) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    figures.virtual_bytes = all * page;
    figures.resident_bytes = resident * page;
  }
  figures.open_fds = count_fds();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) figures.max_fds = files.rlim_cur;
  return figures;
}

}  // namespace rota
